"""Tests of the Query API's parameters and documents."""

from __future__ import annotations

from urllib.parse import urlencode
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.apis.ec2.protocol.documents import ec2_answer, ec2_error, ec2_time
from txstorage.embedded.apis.ec2.protocol.errors import QueryRefusal
from txstorage.embedded.apis.ec2.protocol.query import QueryFilter, QueryParameters


def parameters(**values: str) -> QueryParameters:
    """Return parameters; ``__`` stands for a dot."""
    form = urlencode({name.replace("__", "."): value for name, value in values.items()})
    return QueryParameters.parse(form.encode("ascii"))


class ParameterTests(SynchronousTestCase):
    """Tests of ``QueryParameters``."""

    def refused(self, code: str, function: object, *args: object) -> None:
        """Check the code of a refusal."""
        refusal = self.assertRaises(QueryRefusal, function, *args)
        self.assertEqual(refusal.code, code)

    def test_values(self) -> None:
        """Texts, numbers and truth values; an empty value is none."""
        found = parameters(a="x", b="", n="-12", t="true", f="False")
        self.assertEqual((found.text("a"), found.text("b"), found.text("c")), ("x", None, None))
        self.assertEqual((found.number("n"), found.number("b")), (-12, None))
        self.assertEqual(
            (found.truth("t"), found.truth("f"), found.truth("c")), (True, False, False)
        )
        self.refused("InvalidParameterValue", found.number, "a")
        self.refused("InvalidParameterValue", found.truth, "a")
        self.refused("MissingParameter", found.required, "b")
        self.refused("InvalidParameterValue", parameters(n="9" * 11).number, "n")

    def test_lists(self) -> None:
        """Numbers order a list, and may have gaps; a repeated value counts once."""
        found = parameters(V__10="c", V__2="b", V__1="a", V__11="a", Va__1="x", V__x="y")
        self.assertEqual(found.list("V"), ("a", "b", "c"))
        self.assertEqual(found.list("W"), ())

    def test_filters(self) -> None:
        """Filters with their values; one without a name is refused."""
        found = parameters(Filter__2__Name="n", Filter__2__Value__1="a", Filter__2__Value__2="b")
        self.assertEqual(found.filters(), (QueryFilter("n", ("a", "b")),))
        self.refused("MissingParameter", parameters(Filter__1__Value__1="a").filters)

    def test_tags(self) -> None:
        """Tags with and without values; the specification names the resource."""
        found = parameters(Tag__1__Key="k", Tag__1__Value="v", Tag__2__Key="e")
        self.assertEqual(found.tags(), {"k": "v", "e": ""})
        self.assertEqual(found.keys(), {"k": "v", "e": None})
        self.refused("InvalidParameterValue", parameters(Tag__1__Value="v").tags)
        values = {
            "TagSpecification__1__ResourceType": "volume",
            "TagSpecification__1__Tag__1__Key": "k",
            "TagSpecification__1__Tag__1__Value": "v",
        }
        self.assertEqual(parameters(**values).tag_specification("volume"), {"k": "v"})
        refused = parameters(**values).tag_specification
        self.refused("InvalidParameterValue", refused, "snapshot")

    def test_malformed(self) -> None:
        """A form that no answer could carry is refused."""
        many = b"&".join(b"a%d=b" % each for each in range(4001))
        for form in (b"a=%FF", b"\xff=a", b"a=%00", b"a=%EF%BF%BF", b"a=%ED%A0%80", many):
            self.refused("InvalidParameterValue", QueryParameters.parse, form)


class DocumentTests(SynchronousTestCase):
    """Tests of the documents."""

    def test_answer(self) -> None:
        """Members, lists and truth values; ``None`` is left out; text is kept."""
        text = ec2_answer(
            "Act",
            "id",
            {"a": [{"b": True}, {"b": False}], "c": None, "d": "<&\r\n\t>\x00", "e": []},
        )
        root = ElementTree.fromstring(text)
        space = "{http://ec2.amazonaws.com/doc/2016-11-15/}"
        self.assertEqual(root.tag, space + "ActResponse")
        self.assertEqual([each.tag[len(space) :] for each in root], ["requestId", "a", "d", "e"])
        self.assertEqual([each.text for each in root.iter(space + "b")], ["true", "false"])
        self.assertEqual(root.findtext(space + "d"), "<&\r\n\t>\ufffd")

    def test_error(self) -> None:
        """EC2's form of an error."""
        root = ElementTree.fromstring(ec2_error("id", "Code", "text"))
        self.assertEqual(root.findtext("Errors/Error/Code"), "Code")
        self.assertEqual(root.findtext("RequestID"), "id")

    def test_time(self) -> None:
        """Milliseconds, in UTC."""
        self.assertEqual(ec2_time(1000.5), "1970-01-01T00:16:40.500Z")
