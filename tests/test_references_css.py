"""References in style sheets."""

from __future__ import annotations

import pytest

from assetbuild.references import css, substitute


def paths(text: str) -> list[str]:
    return [reference.path for reference in css.find(text).references]


@pytest.mark.parametrize(
    ("value", "path", "written"),
    [
        ("url(a.png)", "a.png", "a.png"),
        ("url( a.png\n)", "a.png", "a.png"),
        ("url('a.png')", "a.png", "a.png"),
        ('url( "a.png" )', "a.png", "a.png"),
        ('url("a b.png")', "a b.png", "a b.png"),
        ('url(" a.png ")', "a.png", "a.png"),
        ("URL(a.png)", "a.png", "a.png"),
        ("uRl('a.png')", "a.png", "a.png"),
        ("\\75rl(a.png)", "a.png", "a.png"),
        ("u\\72 l('a.png')", "a.png", "a.png"),
        ("ur\\l(a.png)", "a.png", "a.png"),
        ("url(a\\ b.png)", "a b.png", "a\\ b.png"),
        ("url(a\\28 1\\).png)", "a(1).png", "a\\28 1\\).png"),
        ('url("a\\\nb.png")', "ab.png", "a\\\nb.png"),
        ("url(%61.png)", "%61.png", "%61.png"),
        ("url(../img/a.png)", "../img/a.png", "../img/a.png"),
        ("url(/static/a.png)", "/static/a.png", "/static/a.png"),
        ("url(data.png)", "data.png", "data.png"),
        ("url(a.png", "a.png", "a.png"),
        ("url('a.png", "a.png", "a.png"),
        ("url('a.png' foo(x))", "a.png", "a.png"),
        ("src('a.woff')", "a.woff", "a.woff"),
        ("SRC( /* b */ 'a.woff')", "a.woff", "a.woff"),
        ("c url(a.png) d", "a.png", "a.png"),
        ("f(url(a.png))", "a.png", "a.png"),
        ("c}<!--url(a.png)", "a.png", "a.png"),
        ("c}<!--url('a.png')", "a.png", "a.png"),
        ("url(\\20./abc.png)", "./abc.png", "\\20./abc.png"),
        ("url('  \\20  ./abc.png')", "./abc.png", "\\20  ./abc.png"),
        ("url(abc.png\\20)", "abc.png", "abc.png"),
    ],
)
def test_a_url_is_a_reference_and_its_span_holds_the_path_alone(value: str, path: str, written: str) -> None:
    text = f"a{{b:{value}"
    (reference,) = css.find(text).references
    assert (reference.path, reference.kind) == (path, "url")
    assert text[reference.start : reference.end] == written
    assert reference.whole == (reference.start, reference.end)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("url(a.eot?#iefix)", "a.eot"),
        ("url(a.svg#b/c.png)", "a.svg"),
        ("url('a.png?b=c')", "a.png"),
        ("url(a.png\\3f b)", "a.png"),
        ("url(a.png\\#b)", "a.png"),
        ("url(' a.png ?b')", "a.png "),
    ],
)
def test_query_and_fragment_stay_outside_of_the_span(value: str, path: str) -> None:
    (reference,) = css.find(f"a{{b:{value}}}").references
    assert reference.path == path
    assert f"a{{b:{value}}}"[reference.start : reference.end] == path


@pytest.mark.parametrize(
    "text",
    [
        "a{b:url()}",
        "a{b:url('')}",
        "a{b:url(#c)}",
        "a{b:url(?c)}",
        "a{b:url(data:image/png;base64,AA==)}",
        "a{b:url(https://example.com/a.png)}",
        "a{b:url(//example.com/a.png)}",
        "a{b:url(BLOB:x)}",
        "a{b:url(./)}",
        "a{b:url('..')}",
        "a{b:url(c/)}",
        "/* url(a.png) */",
        "a{b:'url(a.png)'}",
        "a{b:myurl(a.png)}",
        "a{b:my\\url(a.png)}",
        "a{b:\\66 url(a.png)}",
        "a{b:-url('a.png')}",
        "a{b:--url(a.png)}",
        "<!---url(a.png)",
        "<!----url(a.png)",
        "a{b:c<!--d-url(a.png)}",
        "a{b:1url(a.png)}",
        "#url(a.png)",
        "@url(a.png)",
        "a{b:url (a.png)}",
        "a{b:url(a b.png)}",
        "a{b:url(a'b.png)}",
        "a{b:src(a.woff)}",
        "@namespace url(a.png);",
        "@namespace svg 'a.png';",
        "a{b:attr(c url, 'a.png')}",
        "a{b:type('a.png')}",
    ],
)
def test_what_names_no_file_is_left_alone(text: str) -> None:
    assert paths(text) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("image-set('a.png' 1x, 'b.png' 2x)", ["a.png", "b.png"]),
        ("-webkit-image-set(url(a.png) 1x, url('b.png') 2x)", ["a.png", "b.png"]),
        ("IMAGE-SET('a.avif' type('image/avif'), 'b.png' type('image/png'))", ["a.avif", "b.png"]),
        ("image-set(linear-gradient('no'), src('a.png') 1x)", ["a.png"]),
        ("-moz-image-set('a.png')", []),
        ("\\69mage-set('a.png')", ["a.png"]),
        ("image-set('a.png' 1x), url(b.png)", ["a.png", "b.png"]),
        ("image-set('a.png' 1x; c: 'd'; e: url(f.png)", ["a.png", "f.png"]),
    ],
)
def test_the_strings_of_an_image_set_are_references_but_for_its_types(value: str, expected: list[str]) -> None:
    assert paths(f"a{{b:{value}}}") == expected


def test_a_url_in_a_custom_property_is_a_reference() -> None:
    assert paths("a{--x:url(a.png);--y:url('b.png')}") == ["a.png", "b.png"]


@pytest.mark.parametrize(
    "rule",
    [
        '@import "a.css";',
        "@import'a.css';",
        "@IMPORT url(a.css);",
        "@\\69mport url( 'a.css' );",
        "@import src('a.css');",
        "@import/**/'a.css'/**/;",
        "@import 'a.css' layer;",
        "@import 'a.css' layer(x.y) supports(display: grid) screen and (width > 1px);",
        "@import 'a.css' supports(background: url(b.png));",
        "@import url(a.css?x#y) print;",
        "@import 'a.css'",
    ],
)
def test_an_import_is_a_reference_in_all_its_forms_and_whole_is_its_rule(rule: str) -> None:
    text = f"/* c */ {rule}"
    (reference,) = css.find(text).references
    assert (reference.path, reference.kind) == ("a.css", "import")
    assert text[reference.start : reference.end] == "a.css"
    assert text[slice(*reference.whole)] == rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@charset 'utf-8'; @import 'a'; @import 'b';", ["a", "b"]),
        ("@layer x, y; @import 'a';", ["a"]),
        ("<!-- @import 'a'; -->", ["a"]),
        ("\ufeff@import 'a';", ["a"]),
        ("@import url(https://example.com/); @import 'a';", ["a"]),
        ("@import 'a'; b{c:url(d)}", ["a", "d"]),
        ("b{@import 'a';}", []),
        ("@media print{@import 'a'; b{c:url(d)}}", ["d"]),
        # What is no valid rule ends nothing.
        ("@-ms-viewport{b:url(c)} @import 'a';", ["c", "a"]),
        ("@unknown x; @unknown{} {} %%{} @import 'a';", ["a"]),
        ("@unknown{b{c:url(d)}@import 'e';} @import 'a';", ["d", "a"]),
        ("@import 'b'{} @import 'a';", ["a"]),
        ("@property --x{} @import 'a';", ["a"]),
        ("@property --x{syntax:'<length>';inherits:false;initial-value:1em} @import 'a';", ["a"]),
        ('@charset "utf-8" {} @import "a";', ["a"]),
        ("@import 'b:c'; @unknown{} @import 'a';", ["a"]),
        ("@import b; @layer x; @import 'a';", ["a"]),
        ("@namespace; @namespace b; @import 'a';", ["a"]),
        ("b:unknown{} @import 'a';", ["a"]),
        ("b:not(:unknown){} @import 'a';", ["a"]),
        ("b/**/c{} @import 'a';", ["a"]),
        ("--b:c{} @import 'a';", ["a"]),
        ("/*@import 'b';*/ @unknown{} /*# sourceMappingURL=m.map */ @import 'a';", ["m.map", "a"]),
        ("b; {@import 'c';} @import 'a';", ["a"]),
    ],
)
def test_an_import_counts_at_the_head_alone(text: str, expected: list[str]) -> None:
    scan = css.find(text)
    assert [reference.path for reference in scan.references] == expected
    assert scan.notes == ()


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("b{} @import url(a.css);", 4),
        ("@namespace 'x'; @import 'a';", 16),
        ("@layer x{} @import 'a';", 11),
        ("@font-face{} @import 'a';", 13),
        ("@import 'c:d'; @layer x; @import 'a';", 25),
        ("@unknown{} b:hover{} @import 'a';", 21),
        ("b:not(.c, d > e)::before{} @import 'a';", 27),
        (":root{} @import 'a';", 8),
        ("/**/b/**/ /**/c{} @import 'a';", 18),
        ("@property --x{syntax:'*';inherits:false} @import 'a';", 41),
        ("@supports (a:b) and (c:d){} @import 'a';", 28),
        ("b; @import 'a'; c{}", 3),
    ],
)
def test_an_import_below_other_rules_is_left_alone_with_a_note(text: str, offset: int) -> None:
    scan = css.find(text)
    assert scan.references == ()
    assert [note.offset for note in scan.notes] == [offset]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("a{}\n/*# sourceMappingURL=a.css.map */\n", "\n/*# sourceMappingURL=a.css.map */"),
        ("a{}\r\n/*# sourceMappingURL=a.css.map */", "\r\n/*# sourceMappingURL=a.css.map */"),
        ("a{}/*@ sourceMappingURL=a.css.map*/", "/*@ sourceMappingURL=a.css.map*/"),
        ("/*# sourceMappingURL=b.map*/\n/*# sourceMappingURL=a.css.map*/b{}", "/*# sourceMappingURL=a.css.map*/"),
        ("/*# sourceMappingURL=a.css.map*/@import 'https://b';", "/*# sourceMappingURL=a.css.map*/"),
    ],
)
def test_the_last_source_map_comment_is_a_reference(text: str, whole: str) -> None:
    (reference,) = css.find(text).references
    assert (reference.path, reference.kind) == ("a.css.map", "sourcemap")
    assert text[reference.start : reference.end] == "a.css.map"
    assert text[slice(*reference.whole)] == whole


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a/*# sourceMappingURL=a.map */b{}", "a/**/b{}"),
        ("\\;/*# sourceMappingURL=a.map */b{}", "\\;/**/b{}"),
        ("a/*# sourceMappingURL=a.map */.b{}", "a/**/.b{}"),
        ("a{b:1/*# sourceMappingURL=a.map\n*/px}", "a{b:1/**/px}"),
        (".\\31 /*# sourceMappingURL=a.map */2{}", ".\\31 /**/2{}"),
        ("a{}/*# sourceMappingURL=a.map */b{}", "a{}b{}"),
        ("a /*# sourceMappingURL=a.map */.b{}", "a .b{}"),
        ("a{}/*# sourceMappingURL=a.map */", "a{}"),
        ("a{}\n/*# sourceMappingURL=a.map */\nb{}", "a{}\nb{}"),
    ],
)
def test_what_a_source_map_comment_parts_stays_parted_without_it(text: str, left: str) -> None:
    scan = css.find(text)
    assert scan.map_comment is not None
    assert substitute(text, [(*scan.map_comment, scan.map_instead)]) == left


@pytest.mark.parametrize(
    "text",
    [
        "/*# sourceMappingURL=data:application/json;base64,e30= */",
        "a{b:'/*# sourceMappingURL=a.map */'}",
        "/* see # sourceMappingURL=a.map */",
        "/*# sourceMappingURL=a.map b */",
        "/*# sourceMappingURL= */",
    ],
)
def test_other_comments_name_no_source_map(text: str) -> None:
    assert paths(text) == []


@pytest.mark.parametrize("url", ["data:application/json;base64,e30=", "https://host/a.map", "a.map"])
def test_the_last_source_map_comment_has_a_place_whatever_it_names(url: str) -> None:
    code = "a{b:c}"
    scan = css.find(f"{code}\n/*# sourceMappingURL={url} */")
    assert scan.map_comment == (len(code), len(code) + 25 + len(url))


def test_references_come_in_the_order_in_which_they_stand() -> None:
    text = "/*# sourceMappingURL=a.map */@import 'b.css';c{d:url(e.png) url('f.png')}"
    starts = [reference.start for reference in css.find(text).references]
    assert starts == sorted(starts)
    assert len(starts) == 4


@pytest.mark.parametrize(
    "unit",
    [
        "url(",
        "url('",
        "src(",
        "image-set(",
        "image-set('",
        "@import ",
        "@import(",
        "@import 'a';",
        "@unknown{}",
        "%%{}",
        "a:not(",
        "a:is(b) ",
        "a/**/",
        "{",
        "/*",
        "\\",
        "'",
        "\\61",
        "@",
    ],
)
def test_any_text_is_read_to_its_end(unit: str) -> None:
    assert "z.png" not in paths(unit * 20_000)
    css.find(f"{unit * 20_000}a{{b:url(z.png)}}")


def test_an_import_in_a_block_ends_with_the_block() -> None:
    assert paths("a{@import}:is(url(b.png)){}") == ["b.png"]
