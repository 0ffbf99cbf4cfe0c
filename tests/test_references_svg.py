"""References in SVG documents."""

from __future__ import annotations

from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.references import Scan, svg


def spans(text: str) -> list[tuple[str, str]]:
    """Path and what is written there, of each reference."""
    return [(reference.path, text[reference.start : reference.end]) for reference in svg.find(text).references]


@pytest.mark.parametrize("element", ["use", "image", "feImage", "svg:use"])
@pytest.mark.parametrize("attribute", ["href", "xlink:href"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_the_elements_that_refer_do_so_by_both_attributes(element: str, attribute: str, quote: str) -> None:
    text = f"<svg><{element} x='>' {attribute} = {quote} a.svg#b {quote}/></svg>"
    assert spans(text) == [("a.svg", "a.svg")]
    assert {(r.kind, r.whole == (r.start, r.end)) for r in svg.find(text).references} == {("url", True)}


XLINK = 'xmlns:x="http://www.w3.org/1999/xlink"'
SVG = 'xmlns:s="http://www.w3.org/2000/svg"'


@pytest.mark.parametrize(
    "text",
    [
        f'<svg><use x:href="a.svg" {XLINK}/></svg>',
        f'<svg {XLINK}><g><use x:href="a.svg"/></g></svg>',
        f'<s:svg {SVG} xmlns="foo"><s:use href="a.svg"/><use href="b.svg"/></s:svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><g xmlns:svg="foo"><svg:use href="b.svg"/></g><use href="a.svg"/></svg>',
        '<svg xmlns="http&#58;//www.w3.org/2000/svg"><use href="a.svg"/></svg>',
        '<!DOCTYPE svg [<!ENTITY s "x">]><svg xmlns="&s;" xmlns:xlink="&l;"><use xlink:href="a.svg"/></svg>',
        '<svg><foreignObject><div xmlns="http://www.w3.org/1999/xhtml"><image href="b.svg"/></div></foreignObject>'
        '<use href="a.svg"/></svg>',
    ],
)
def test_prefixes_mean_what_is_declared(text: str) -> None:
    assert spans(text) == [("a.svg", "a.svg")]


@pytest.mark.parametrize(
    "text",
    [
        '<a href="a.svg"/>',
        '<image src="a.png"/>',
        '<svg><x:image xmlns:x="foo" href="a.png"/></svg>',
        '<svg><image xmlns="foo" href="a.png"/></svg>',
        '<svg><image xmlns:xlink="foo" xlink:href="a.png"/></svg>',
        '<svg><use x:href="a.svg"/></svg>',
        '<svg><x:style xmlns:x="foo">a{b:url(a.png)}</x:style></svg>',
        '<use href="#a"/>',
        '<use href=""/>',
        '<image href="data:image/png;base64,AA=="/>',
        '<image href="https://example.com/a.png"/>',
        '<Use href="a.svg"/>',
        '<!-- <use href="a.svg"/> -->',
        '<![CDATA[<use href="a.svg"/>]]>',
        '<?xml-stylesheet href="a.css"?>',
        '<g data-x="url(a.svg)"/>',
        '<g fill="url(#a)"/>',
        "<style>a{b:url(#a)}</style>",
        "<style>/* url(a.svg) */</style>",
        "<text>url(a.svg)</text>",
        '<style type="text/x-other">a{b:url(a.svg)}</style>',
        "<g><style/><text>a{b:url(a.svg)}</text></g>",
        "<use title=\"<use href='a.svg'/>",
        "",
        "no markup",
    ],
)
def test_nothing_else_is_a_reference(text: str) -> None:
    assert spans(text) == []


@pytest.mark.parametrize(
    "attribute",
    "style fill stroke filter clip-path mask marker marker-start marker-mid marker-end cursor".split(),  # noqa: SIM905
)
def test_a_url_counts_in_the_attributes_that_take_one(attribute: str) -> None:
    value = "fill:url(a.svg#b)" if attribute == "style" else "url(a.svg#b)"
    assert spans(f'<g {attribute}="{value}"/>') == [("a.svg", "a.svg")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<style>a{b:url(a.svg)} c{d:url('e.png')}</style>", [("a.svg", "a.svg"), ("e.png", "e.png")]),
        ("<style><![CDATA[ a>b{c:url(a.svg)} ]]></style>", [("a.svg", "a.svg")]),
        ("<s:style type='text/css'>a{b:url(a.svg)}</s:style>", [("a.svg", "a.svg")]),
        ("<style>a{b:<![CDATA[url(]]>a.svg)}</style>", [("a.svg", "a.svg")]),
        ("<style>@import 'a.css';</style>", [("a.css", "a.css")]),
        ("<style>a{b:url(<!-- c -->a.svg)}</style>", [("a.svg", "a.svg")]),
        ("<style>a{b:url(a<!-- c -->.svg)}</style>", []),
        ("<style>a{b:url(a.svg)", []),
    ],
)
def test_a_url_counts_in_style_elements(text: str, expected: list[tuple[str, str]]) -> None:
    assert spans(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<use href="a&amp;b.svg?c&amp;d"/>', [("a&b.svg", "a&amp;b.svg")]),
        ('<use href="&#97;&#x2E;svg&#35;b"/>', [("a.svg", "&#97;&#x2E;svg")]),
        ('<g style="fill:url(&quot;a&apos;b.svg&quot;)"/>', [("a'b.svg", "a&apos;b.svg")]),
        ("<style>a&gt;b{c:url(a&#46;svg)}</style>", [("a.svg", "a&#46;svg")]),
        ("<style><![CDATA[a{b:url(a&amp.svg)}]]></style>", [("a&amp.svg", "a&amp.svg")]),
        ('<g><use href="&ns;a.svg"/><use href="b.svg"/></g>', [("b.svg", "b.svg")]),
        ('<use href="&#x110000;a.svg"/>', []),
        (f'<use href="&#{"9" * 5000};a.svg"/>', []),
    ],
)
def test_entities_are_decoded_in_the_path_and_kept_in_the_span(text: str, expected: list[tuple[str, str]]) -> None:
    assert spans(text) == expected


def test_a_document_type_with_declarations_is_passed_over() -> None:
    subset = '<!ENTITY x "]>"> <!-- ]> " --> <?p ]> ?> <!ATTLIST a b CDATA \'>\'>'
    text = f'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//>" "x" [{subset}]>\n<use href="a.svg"/>'
    assert spans(text) == [("a.svg", "a.svg")]


@pytest.mark.parametrize("rest", ["<use href='b.svg'", "<a b='", "<", "<!--", "<![CDATA[", "<!DOCTYPE [", "<a 'b'<c>", "</>"])
def test_where_a_document_is_not_well_formed_its_references_end_with_a_note(rest: str) -> None:
    scan = svg.find(f"<g><use href='a.svg'/>{rest}")
    assert [reference.path for reference in scan.references] == ["a.svg"]
    assert [note.offset for note in scan.notes] == [22]


@pytest.mark.parametrize(
    ("text", "offset", "found"),
    [
        ("<svg><use href='a'/></g><use href='b'/></svg>", 20, ["a"]),
        ("<svg><g><use href='a'/></svg></g>", 23, ["a"]),
        ("<svg></SVG>", 5, []),
        ("<s:svg></svg>", 7, []),
        ("</svg>", 0, []),
        ("<svg/></svg>", 6, []),
        ("<svg/><svg><use href='a'/></svg>", 6, []),
        ("<svg/>\n more<use href='a'/>", 8, []),
        ("more <svg/>", 0, []),
        ("\n<svg/>&amp;", 7, []),
        ("<svg/><![CDATA[]]>", 6, []),
        ("<svg/>\f", 6, []),
        ("<svg/>\ufeff", 6, []),
        ("", 0, []),
        ("<!-- nothing -->", 16, []),
        # All of it was read: only what was never closed is told.
        ("<svg><g><use href='a'/>", 5, ["a"]),
        ("<svg><use href='a'/><g></g>", 0, ["a"]),
    ],
)
def test_elements_that_are_not_one_inside_the_other_are_noted(text: str, offset: int, found: list[str]) -> None:
    scan = svg.find(text)
    assert [reference.path for reference in scan.references] == found
    assert [note.offset for note in scan.notes] == [offset]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff<?xml version='1.0'?>\r\n<!DOCTYPE svg>\t<!-- a --><svg>text<g/><g></g ></svg>\n<?b?><!-- c -->\n",
        "<svg><a><a></a></a><![CDATA[</svg>]]><!-- </svg> --></svg>",
    ],
)
def test_a_whole_document_has_no_note(text: str) -> None:
    assert svg.find(text).notes == ()


_PIECES = [
    "<a>",
    "</a>",
    "<b>",
    "</b>",
    "<a/>",
    "<b c='d'/>",
    "text",
    " ",
    "&amp;",
    "<!-- <a> -->",
    "<![CDATA[<a>]]>",
    "<?p?>",
    "<",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=12))
def test_what_is_noted_is_what_another_parser_refuses(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        expat.ParserCreate().Parse(text, True)
        well_formed = True
    except expat.ExpatError:
        well_formed = False
    assert (svg.find(text).notes == ()) == well_formed


@pytest.mark.parametrize(
    "unit",
    [
        "<!DOCTYPE a [<!-- ",
        "<!-- ",
        "<? ",
        "<a xmlns:b='c'>",
        "<a xmlns='b'></a>",
        "<",
        "<a ",
        "<a b='",
        "<a>",
        "<style>",
        "&",
        "<style>&amp;",
        "<use href='a'/>",
        "<!DOCTYPE [",
        "<style>url(a)</style>",
    ],
)
def test_any_text_is_read_to_its_end(unit: str) -> None:
    svg.find(unit * 20_000)
    svg.find("<svg>" + unit * 20_000)
    svg.find("<!DOCTYPE a [" + unit * 20_000)


PLAIN = '<svg xmlns="http://www.w3.org/2000/svg"><style>.a{fill:red}</style><g a="b"/></svg>'


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f'<?xml version="1.0" encoding="latin-1"?>{PLAIN}',
        f"<!--! by @somebody (MIT) <use href='a.svg'/> -->{PLAIN}",
        "\ufeff" + PLAIN,
    ],
)
def test_what_has_no_sign_of_a_reference_is_not_read_in_full(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    whole = svg._found(text)
    monkeypatch.delattr(svg, "_found")
    assert svg.find(text) == whole == Scan(())


@pytest.mark.parametrize(
    "text",
    [
        '<svg><?x <!-- ?><use href="a.svg"/>--></svg>',
        '<?foo <!-- ?><svg xmlns="http://www.w3.org/2000/svg"><use href="a.svg"/><!-- --></svg>',
        '<svg><![CDATA[<!--]]><use href="a.svg"/>--></svg>',
        '<!DOCTYPE svg [<!ENTITY a "<!--">]><svg><use href="a.svg"/>--></svg>',
        '<svg style="fill:u&#114;l&#40;a.svg)"/>',
        "<svg><style>@import 'a.svg';</style></svg>",
    ],
)
def test_what_looks_as_if_it_had_none_is_read_in_full(text: str) -> None:
    assert spans(text)


@pytest.mark.parametrize("text", ["<svg>", "<svg></g></svg>", "<svg/><svg/>", "", "<svg>\ud800</svg", "<svg><!-- -- --></svg"])
def test_what_has_no_sign_of_a_reference_is_well_formed_all_the_same(text: str) -> None:
    assert svg.find(text) == svg._found(text)
    assert svg.find(text).notes
