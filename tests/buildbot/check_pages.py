"""
Tests of the documentation's built pages in a browser, in a narrow window and a wide one, light and
dark.

``make test-buildbot`` builds the pages and runs these tests.
"""

from __future__ import annotations

import glob
import os

from selenium.webdriver.common.keys import Keys
from twisted.trial.unittest import SynchronousTestCase

from tests.documents.test_pages import DOCS, HTML, listed

from .window import Window

#: Pixels: a telephone, and a usual desktop.
NARROW, WIDE = 360, 1440
#: A word, and a page that a search for the word must find.
WORD, FOUND = "microversion", "HTTP subset of the embedded service"
#: The contrast that the guidelines for accessible pages (WCAG 2, level AA) ask of text.
CONTRAST = 4.5

#: Parts of a page that reach beyond the window, without a box in which they scroll.
TOO_WIDE = """
const width = document.documentElement.clientWidth, found = [];
for (const box of document.querySelectorAll("html, body, .page, .main, .content"))
    if (box.scrollWidth > box.clientWidth) found.push(box.tagName + "." + box.className);
const scrolls = box => ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
for (const part of document.querySelectorAll("article *")) {
    if (part.getBoundingClientRect().right <= width + 1) continue;
    let box = part;
    while (!box.matches("article") && !scrolls(box)) box = box.parentElement;
    if (box.matches("article") || box.getBoundingClientRect().right > width + 1)
        found.push(part.outerHTML.slice(0, 99));
}
return found.slice(0, 9);
"""
#: Cells of tables, each with a long text in a column of a few letters.
SQUEEZED = """
return [...document.querySelectorAll("article td")].filter(
    cell => cell.textContent.length > 40 && cell.clientWidth < arguments[0]
).map(cell => cell.clientWidth + ": " + cell.textContent);
"""
#: Pairs of a selector's element and its least contrast with the background.
CONTRASTS = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
};
const luminance = colour => [...rgba(colour)].slice(0, 3).map(c => c / 255).map(
    c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = part => {
    const box = part.closest("g.node")?.querySelector("path, polygon");
    if (box) return getComputedStyle(box).fill;
    for (; part; part = part.parentElement) {
        const colour = getComputedStyle(part).backgroundColor;
        if (rgba(colour)[3] == 255) return colour;
    }
    return "white";
};
const least = {};
for (const selector of arguments[0]) for (const part of document.querySelectorAll(selector)) {
    const style = getComputedStyle(part);
    const ink = {"text": style.fill, "path": style.stroke}[part.tagName] ?? style.color;
    const both = [luminance(ink), luminance(behind(part))].sort((a, b) => a - b);
    const contrast = (both[1] + 0.05) / (both[0] + 0.05);
    least[selector] = Math.min(least[selector] ?? 99, contrast);
}
return least;
"""
#: The share of a picture that no background shines through.
OPAQUE = """
const image = new Image();
image.src = arguments[0];
return image.decode().then(() => {
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    return data.filter((value, place) => place % 4 == 3 && value > 250).length * 4 / data.length;
});
"""
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"


class PagesTestCase(SynchronousTestCase):
    """Base: a browser, and the names of the pages."""

    def setUp(self) -> None:
        self.names = ["index", *listed()]

    def window(self, width: int, mode: str = "light") -> Window:
        window = Window(HTML, width, mode)
        self.addCleanup(window.close)
        return window


class WidthTests(PagesTestCase):
    """The width of the pages."""

    def fits(self, width: int) -> None:
        window = self.window(width)
        for name in (*self.names, "genindex", "search"):
            window.open(name)
            self.assertEqual(width, window.run("return innerWidth"))
            self.assertEqual([], window.run(TOO_WIDE), name)

    def test_narrow(self) -> None:
        """No page is wider than a narrow window; wide tables, code and pictures scroll or fit."""
        self.fits(NARROW)

    def test_wide(self) -> None:
        """No page is wider than a wide window."""
        self.fits(WIDE)

    def test_wide_tables_scroll(self) -> None:
        """In a narrow window, a table of many columns is wider than its box, which scrolls."""
        window = self.window(NARROW)
        for name in ("configuration", "lifecycle", "messages", "comparison", "certification"):
            window.open(name)
            moved = window.run(
                "const box = document.querySelector('.table-wrapper');"
                "box.scrollLeft = 9999; return box.scrollLeft"
            )
            self.assertGreater(moved, 0, name)

    def test_readable_tables(self) -> None:
        """No table squeezes a long text into a column of a few letters."""
        for width, least in ((NARROW, 90), (WIDE, 70)):
            window = self.window(width)
            for name in self.names:
                window.open(name)
                self.assertEqual([], window.run(SQUEEZED, least), name)

    def test_drawing(self) -> None:
        """The drawing's letters are no smaller than 8 pixels."""
        for width in (NARROW, WIDE):
            window = self.window(width)
            window.open("architecture")
            height = "return document.querySelector('.drawing text').getBoundingClientRect().height"
            self.assertGreater(window.run(height), 8)


class NavigationTests(PagesTestCase):
    """The ways from page to page."""

    def test_sidebar(self) -> None:
        """In a wide window, each page's sidebar shows the page's title as the current one."""
        window = self.window(WIDE)
        for name in self.names[1:]:
            window.open(name)
            title = window.run("return document.querySelector('h1').firstChild.textContent")
            self.assertEqual(title, window.one(".sidebar-tree .current-page > a").text)

    def test_menu(self) -> None:
        """In a narrow window, the sidebar with the current page comes out of the menu."""
        window = self.window(NARROW)
        window.open("operating")
        left = "return document.querySelector('.sidebar-drawer').getBoundingClientRect().left"
        self.assertLess(window.run(left), 0)
        window.one(".mobile-header .nav-overlay-icon").click()
        window.until(lambda: window.run(left) == 0)
        self.assertEqual("Operating txstorage", window.one(".current-page > a").text)

    def test_previous_and_next(self) -> None:
        """The buttons below the text lead through all pages, and back, at both widths."""
        for width in (NARROW, WIDE):
            window = self.window(width)
            for way, order in ((".next-page", self.names), (".prev-page", self.names[::-1])):
                window.open(order[0])
                for name in order[1:]:
                    window.one(way).send_keys(Keys.ENTER)
                    self.assertEqual(name, window.name())

    def test_contents(self) -> None:
        """In a wide window, a page's contents are beside the text, and lead to a section."""
        window = self.window(WIDE)
        window.open("configuration")
        window.chrome.find_element("link text", "Proxies").click()
        top = "return document.querySelector('#proxies h2').getBoundingClientRect().top"
        window.until(lambda: 0 <= window.run(top) < 300)

    def test_search(self) -> None:
        """A search finds a word, at both widths."""
        for width in (NARROW, WIDE):
            window = self.window(width)
            window.open("tutorial")
            if width == NARROW:
                window.one(".mobile-header .nav-overlay-icon").click()
            field = window.one(".sidebar-search")
            field.send_keys(WORD)
            field.submit()
            links = "return [...document.querySelectorAll('#search-results a')].map(a => a.text)"
            window.until(lambda: FOUND in window.run(links))
            self.assertEqual("search", window.name())
            self.assertEqual([], window.run(TOO_WIDE))


class ModeTests(PagesTestCase):
    """Light and dark."""

    def test_preference(self) -> None:
        """The background follows the person's preference."""
        window = self.window(WIDE)
        window.open("index")
        self.assertEqual("rgb(255, 255, 255)", window.run(BACKGROUND))
        window.prefer("dark")
        red, green, blue = window.run(BACKGROUND)[len("rgb(") : -1].split(", ")
        self.assertLess(int(red) + int(green) + int(blue), 100)

    def test_switch(self) -> None:
        """The switch changes the background, and the next page keeps the choice."""
        window = self.window(WIDE)
        window.open("index")
        seen = [window.run(BACKGROUND)]
        for _ in range(2):
            window.one(".theme-toggle").click()
            seen.append(window.run(BACKGROUND))
        self.assertEqual(2, len(set(seen)), seen)
        window.one(".next-page").send_keys(Keys.ENTER)
        self.assertEqual(seen[-1], window.run(BACKGROUND))

    def test_contrast(self) -> None:
        """Text, links, code, tables and the drawing have enough contrast in both modes."""
        selectors = ["article p", "article a:not(.headerlink)", "article code", "article th"]
        selectors += [".current-page > a", "article pre", ".drawing text"]
        for mode in ("light", "dark"):
            window = self.window(WIDE, mode)
            for name in ("architecture", "messages", "openstack"):
                window.open(name)
                least = window.run(CONTRASTS, selectors)
                self.assertGreater(len(least), 4)
                for selector, contrast in least.items():
                    self.assertGreater(contrast, CONTRAST, (mode, name, selector))

    def test_arrows(self) -> None:
        """The drawing's arrows are visible in both modes."""
        for mode in ("light", "dark"):
            window = self.window(WIDE, mode)
            window.open("architecture")
            least = window.run(CONTRASTS, [".drawing .edge path", ".drawing .handed path"])
            for selector, contrast in least.items():
                self.assertGreater(contrast, 3, (mode, selector))

    def test_pictures(self) -> None:
        """The pictures in files bring a background along, on which they are legible."""
        window = self.window(WIDE)
        window.open("index")
        pictures = [path for kind in ("svg", "png") for path in glob.glob(f"{DOCS}/*.{kind}")]
        self.assertGreaterEqual(len(pictures), 3)
        for path in pictures:
            self.assertGreater(window.run(OPAQUE, "file://" + path), 0.9, os.path.basename(path))
