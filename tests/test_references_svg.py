"""References in SVG documents."""

from __future__ import annotations

import pytest

from assetbuild.references import svg


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


@pytest.mark.parametrize(
    "text",
    [
        '<a href="a.svg"/>',
        '<image src="a.png"/>',
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
        "<style/><text>a{b:url(a.svg)}</text>",
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
        ('<use href="&ns;a.svg"/><use href="b.svg"/>', [("b.svg", "b.svg")]),
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
    scan = svg.find(f"<use href='a.svg'/>{rest}")
    assert [reference.path for reference in scan.references] == ["a.svg"]
    assert [note.offset for note in scan.notes] == [19]


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<a b='", "<style>", "&", "<style>&amp;", "<use href='a'/>", "<!DOCTYPE [", "<style>url(a)</style>"]
)
def test_any_text_is_read_to_its_end(unit: str) -> None:
    svg.find(unit * 20_000)
