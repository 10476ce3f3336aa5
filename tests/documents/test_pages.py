"""
The built pages, without a browser: navigation, references and marks.

``make docs`` and ``make lint`` build the pages, in an environment that has what Sphinx needs.
``tests/buildbot/check_pages.py`` opens them in a browser.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from .blocks import ROOT

try:
    from bs4 import BeautifulSoup
except ImportError:  # furo brings it along
    BeautifulSoup = None

DOCS = os.path.join(ROOT, "docs")
HTML = os.path.join(DOCS, "_build", "html")
GROUPS = ["First steps", "Operating", "Programming", "How it works", "Quality"]
#: The parts of a page whose text is shown as it was written.
_VERBATIM = ["code", "pre", "svg", "dt"]
#: Marks of reStructuredText, and options whose hyphens became a dash.
_MARKS = re.compile(r"\*|`|:\w+:|(?<!\w)–\w|\.\. \w")


def listed() -> list[str]:
    """:return: the names of the pages, in the order of the table of contents."""
    with open(os.path.join(DOCS, "index.rst"), encoding="utf-8") as source:
        return re.findall(r"(?m)^   ([a-z0-9-]+)$", source.read())


@lru_cache(maxsize=None)
def built(name: str) -> Any:
    """
    :param name: a page's name.
    :return: the page that was built from the current source, parsed; nobody changes it.
    """
    path = os.path.join(HTML, name + ".html")
    # the sidebar comes from the index
    sources = [os.path.join(DOCS, source + ".rst") for source in (name, "index")]
    if not os.path.exists(path) or os.path.getmtime(path) < max(map(os.path.getmtime, sources)):
        raise SkipTest(f"{name} was not built since it changed; make docs builds it")
    with open(path, encoding="utf-8") as page:
        return BeautifulSoup(page, "html.parser")


class PagesTestCase(SynchronousTestCase):
    """Base: the built pages."""

    def setUp(self) -> None:
        if BeautifulSoup is None:
            raise SkipTest("the extra 'docs' is not installed; make docs installs it")
        self.pages = {name: built(name) for name in ("index", *listed())}


class NavigationTests(PagesTestCase):
    """The ways from page to page."""

    def test_every_page_is_listed(self) -> None:
        """Each page but the first stands in the table of contents, once."""
        names = {name[: -len(".rst")] for name in os.listdir(DOCS) if name.endswith(".rst")}
        self.assertEqual(sorted(names - {"index"}), sorted(listed()))

    def test_sidebar(self) -> None:
        """Each page's sidebar has the groups with all pages, of which the page is the current."""
        for name, page in self.pages.items():
            tree = page.select_one(".sidebar-tree")
            self.assertEqual(GROUPS, [each.get_text() for each in tree.select(".caption")], name)
            links = tree.select("li.toctree-l1 > a")
            targets = [link["href"] for link in links if "current-page" not in link.parent["class"]]
            others = [other + ".html" for other in listed() if other != name]
            self.assertEqual(others, targets)
            current = [item.get_text(strip=True) for item in tree.select("li.current-page > a")]
            title = page.h1.find(string=True)
            self.assertEqual([] if name == "index" else [title], current)

    def test_previous_and_next(self) -> None:
        """The pages follow each other in the order of the table of contents."""
        order = ["index", *listed()]
        for before, after in zip(order, order[1:]):
            self.assertEqual(after + ".html", self.pages[before].select_one(".next-page")["href"])
            self.assertEqual(before + ".html", self.pages[after].select_one(".prev-page")["href"])
        self.assertIsNone(self.pages[order[0]].select_one(".prev-page"))
        self.assertIsNone(self.pages[order[-1]].select_one(".next-page"))

    def test_contents(self) -> None:
        """Each page's own contents lead to all its sections."""
        for name, page in self.pages.items():
            sections = ["#" + part["id"] for part in page.select("article section > section")]
            contents = {link["href"] for link in page.select(".toc-tree a")}
            self.assertEqual([], [each for each in sections if each not in contents], name)

    def test_search_and_modes(self) -> None:
        """Each page has the field for a search, and the switch between light and dark."""
        self.assertTrue(os.path.exists(os.path.join(HTML, "searchindex.js")))
        for name, page in self.pages.items():
            form = page.select_one("form.sidebar-search-container")
            self.assertEqual("search.html", form["action"], name)
            self.assertEqual("q", form.input["name"], name)
            self.assertTrue(page.select("button.theme-toggle"), name)


class ContentTests(PagesTestCase):
    """The content of the pages."""

    def references(self) -> Iterator[tuple[str, str]]:
        """Yield pairs of a page's name and an address that the page refers to."""
        for name, page in self.pages.items():
            for tag, attribute in (("a", "href"), ("img", "src"), ("link", "href")):
                for each in page.find_all(tag):
                    if each.get(attribute):
                        yield name, each[attribute]

    def test_references(self) -> None:
        """Each reference within the pages leads to a file, and to a place that exists there."""
        places: dict[str, set[str]] = {}
        checked = 0
        for name, reference in self.references():
            parts = urlsplit(reference)
            if parts.scheme:
                continue
            path = os.path.join(HTML, unquote(parts.path) or name + ".html")
            self.assertTrue(os.path.exists(path), (name, reference))
            if parts.fragment and path.endswith(".html"):
                if path not in places:
                    with open(path, encoding="utf-8") as opened:
                        places[path] = set(re.findall(r' id="([^"]*)"', opened.read()))
                self.assertIn(unquote(parts.fragment), places[path], (name, reference))
                checked += 1
        self.assertGreater(checked, 100)

    def test_other_hosts(self) -> None:
        """A reference to another host is one that a reader can follow, not a placeholder."""
        for name, reference in self.references():
            parts = urlsplit(reference)
            if parts.scheme:
                self.assertEqual("https", parts.scheme, (name, reference))
                self.assertRegex(parts.netloc, r"^[a-z.-]+\.[a-z]+$", (name, reference))

    def test_no_marks(self) -> None:
        """No text shows a mark of reStructuredText, or an option with a dash for its hyphens."""
        for name, page in self.pages.items():
            for text in page.article.find_all(string=True):
                if text.find_parent(_VERBATIM) is None:
                    text = re.sub(r"\b[A-Z]+_\*", "", text)  # a family of variables
                    self.assertNotRegex(text, _MARKS, name)

    def test_pictures(self) -> None:
        """Each picture has a description; the drawing takes its colours from the theme."""
        drawing = self.pages["architecture"].select_one(".drawing svg")
        self.assertTrue(drawing["aria-label"])
        self.assertGreater(len(drawing.select(".node")), 10)
        self.assertGreater(len(drawing.select(".edge.handed")), 3)
        for name, page in self.pages.items():
            for image in page.article.find_all("img"):
                self.assertRegex(image.get("alt", ""), r"^\w[^/]+ [^/]+$", (name, image))

    def test_tables(self) -> None:
        """Each table of a page stands in a box, which can scroll."""
        for name, page in self.pages.items():
            for table in page.article.select("table.docutils"):
                self.assertIn("table-wrapper", table.parent["class"], name)
