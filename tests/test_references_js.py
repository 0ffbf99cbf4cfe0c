"""References in JavaScript: which there are, and exactly which characters they are."""

from __future__ import annotations

import pytest

from assetbuild.references import js, substitute
from assetbuild.syntax import LexError


def paths(text: str, module: bool | None = None) -> list[str]:
    return [reference.path for reference in js.find(text, module).references]


@pytest.mark.parametrize(
    "text",
    [
        "import './a.js'",
        'import "./a.js"',
        "import'./a.js'",
        "import a from './a.js'",
        "import a from'./a.js'",
        "import * as a from './a.js'",
        "import a, {b, c as d} from './a.js'",
        "import a, * as b from './a.js'",
        "import {} from './a.js'",
        "import {'b-c' as d} from './a.js'",
        "import {a, // it's }\n b} from './a.js'",
        "import {\n  a,\n  b\n} from './a.js'",
        "import/**/a/**/from/**/'./a.js'",
        "import defer * as a from './a.js'",
        "import source a from './a.js'",
        "import defer from './a.js'",
        "import source from './a.js'",
        "import source from from './a.js'",
        "import defer, {x} from './a.js'",
        "import source, * as y from './a.js'",
        "import source/**/,/**/{} from './a.js'",
        "import from from './a.js'",
        "import a from './a.js' with {type: 'json'}",
        "import $ from './a.js'",
        "import ä from './a.js'",
        "export * from './a.js'",
        "export * as a from './a.js'",
        "export * as 'a b' from './a.js'",
        "export {a, b as c} from './a.js'",
        "export{a}from'./a.js'",
        "import('./a.js')",
        "import(`./a.js`)",
        "import ( './a.js' )",
        "import(/* chunk: 'a' */ './a.js')",
        "import('./a.js', {with: {type: 'json'}})",
        "import('./a.js',)",
        "import.source('./a.js')",
        "import.defer('./a.js')",
        "f(...import('./a.js'))",
        "`${import('./a.js')}`",
        "`${`${import('./a.js')}`}`",
        "x = /'/; import('./a.js')",
        "a // .\nimport './a.js'",
        "/* a. */ import './a.js'",
        "import('./a.js')\n{ b }",
        "x = 1.\nimport('./a.js')",
        "x = 1_0. // b\nimport('./a.js')",
        "let m\n/'/.test(s); import('./a.js'); let q = /'/\n;q.x(1)",
        "new URL('./a.js', import.meta.url)",
        "new URL(`./a.js`, import.meta.url,)",
        "new/**/URL( './a.js' , import . meta . url )",
        "f(new URL('./a.js', import.meta.url).href)",
        "new // c\nURL('./a.js', import.meta.url)",
        "new // c\u2028URL('./a.js', import.meta.url)",
        "new\ufeffURL('./a.js', import.meta.url)",
        "new\u3000URL('./a.js', import.meta.url)",
        "new /* a*b */ URL('./a.js', import.meta.url)",
        "new /* a */ // b\n/* c */ URL('./a.js', import.meta.url)",
        pytest.param(f"new{' ' * 300}URL('./a.js', import.meta.url)", id="new, far away"),
        "[...new URL('./a.js', import.meta.url).href]",
    ],
)
def test_these_are_references(text: str) -> None:
    (reference,) = js.find(text).references
    assert (reference.path, reference.kind) == ("./a.js", "module")
    assert text[reference.start : reference.end] == "./a.js"
    assert reference.whole == (reference.start, reference.end)


@pytest.mark.parametrize(
    "text",
    [
        "a.import('./a.js')",
        "a?.import('./a.js')",
        "a\n.import('./a.js')",
        "a./*b*/import('./a.js')",
        "this.#import('./a.js')",
        "({import(x){}})",
        "({import('./a.js'){}})",
        "class A {import('./a.js'){}}",
        "class A {static import('./a.js'){}}",
        "class A {async import('./a.js'){}}",
        "class A {get import('./a.js'){}}",
        "class A {*import('./a.js'){}}",
        "class A {#import('./a.js'){}}",
        "class A { import\n'./a.js'(){} }",
        "import.meta",
        "import('./a' + b)",
        "import(`./${a}.js`)",
        "import(a)",
        "import(('./a.js'))",
        "import a from 'a'",
        "import '//host/a.js'",
        "import 'https://host/a.js'",
        "import './'",
        "import '..'",
        "import './a/'",
        "import '#a'",
        "'import(\"./a.js\")'",
        "`import('./a.js')`",
        "`${a}import('./a.js')`",
        "// import('./a.js')",
        "/* import './a.js' */",
        "x = /import('.\\/a.js')/",
        'x = /import(".\\/a.js")/',
        "important('./a.js')",
        "$import('./a.js')",
        "importé('./a.js')",
        "export {a}; './a.js'",
        "export default './a.js'",
        "export const a = './a.js'",
        "URL('./a.js', import.meta.url)",
        "new URL('./a.js', import.meta.url + b)",
        "new URL('./a.js', import.meta.url.href)",
        "new URL('./a.js', location)",
        "new URL('./a.js')",
        "new URL('a.js', import.meta.url)",
        "new URL('./a' + b, import.meta.url)",
        "a.new URL('./a.js', import.meta.url)",
        "new a.URL('./a.js', import.meta.url)",
        "anew URL('./a.js', import.meta.url)",
        "a. // b\nnew URL('./a.js', import.meta.url)",
        "// new\nURL('./a.js', import.meta.url)",
        "a. // b\nimport('./a.js')",
        "a. /*\n*/ // b\n// c\nimport('./a.js')",
        "1.. import('./a.js')",
        "1.5.import('./a.js')",
        "a1.import('./a.js')",
        "0x1.import('./a.js')",
    ],
)
def test_these_are_none(text: str) -> None:
    assert paths(text) == []


def test_what_a_url_names_without_a_dot_is_kept_apart() -> None:
    text = (
        "new URL('a.wasm?b', import.meta.url); new URL('./b', import.meta.url); import('c'); new URL('data:,', import.meta.url)"
    )
    (bare,) = js.find(text).bare
    assert (text[bare.start : bare.end], bare.path) == ("a.wasm", "a.wasm")


@pytest.mark.parametrize(
    ("literal", "path", "written"),
    [
        ("./a.js?b#c", "./a.js", "./a.js"),
        ("./a.js#b?c/d", "./a.js", "./a.js"),
        ("../a.js", "../a.js", "../a.js"),
        ("/static/a.js", "/static/a.js", "/static/a.js"),
        (r"./\u0061.js", "./a.js", r"./\u0061.js"),
        (r"\x2e/\u{61}.js?b", "./a.js", r"\x2e/\u{61}.js"),
        (
            r"./a\
.js",
            "./a.js",
            "./a\\\n.js",
        ),
        (r"./a\'b.js", "./a'b.js", r"./a\'b.js"),
        (r"./\ud83d\ude00.js", "./😀.js", r"./\ud83d\ude00.js"),
        (r"./\ud83d\ude00.js?x", "./😀.js", r"./\ud83d\ude00.js"),
        (r"./\ud83d\ude00\ud83d\ude00\x3fx", "./😀😀", r"./\ud83d\ude00\ud83d\ude00"),
        (r"./\ud83d.js#x", "./\ufffd.js", r"./\ud83d.js"),
        ("./a%20b.js", "./a%20b.js", "./a%20b.js"),
        ("./😀.js?v", "./😀.js", "./😀.js"),
    ],
)
def test_the_span_is_the_path_as_written_and_the_path_is_decoded(literal: str, path: str, written: str) -> None:
    text = f"import '{literal}';"
    (reference,) = js.find(text).references
    assert reference.path == path
    assert text[reference.start : reference.end] == written


def test_references_come_in_order() -> None:
    text = "import './a'; export * from './b'; import('./c'); new URL('./d', import.meta.url)\n//# sourceMappingURL=e"
    assert paths(text) == ["./a", "./b", "./c", "./d", "e"]


def test_html_like_comments_hide_nothing_in_a_module() -> None:
    text = "x <!-- import('./a')"
    assert paths(text, module=True) == ["./a"]
    assert paths(text, module=False) == []


@pytest.mark.parametrize(
    ("text", "path", "whole"),
    [
        ("a\n//# sourceMappingURL=a.js.map", "a.js.map", "\n//# sourceMappingURL=a.js.map"),
        ("a\n//# sourceMappingURL=a.js.map\n", "a.js.map", "\n//# sourceMappingURL=a.js.map"),
        ("a\r\n//# sourceMappingURL=a.js.map\r\n", "a.js.map", "\r\n//# sourceMappingURL=a.js.map"),
        ("a//@ sourceMappingURL=a.js.map", "a.js.map", "//@ sourceMappingURL=a.js.map"),
        ("a/*# sourceMappingURL=a.js.map */;b", "a.js.map", "/*# sourceMappingURL=a.js.map */"),
        ("//# sourceMappingURL=a.js.map?b", "a.js.map", "//# sourceMappingURL=a.js.map?b"),
        ("//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map\n", "b.map", "\n//# sourceMappingURL=b.map"),
        ("/*# sourceMappingURL=a.map */c//# sourceMappingURL=b.map", "b.map", "//# sourceMappingURL=b.map"),
        ("//# sourceMappingURL=a.map\n'//# sourceMappingURL=b.map'", "a.map", "//# sourceMappingURL=a.map"),
        (
            "//# sourceMappingURL=a.map\n`\n//# sourceMappingURL=b.map\n`",
            "a.map",
            "//# sourceMappingURL=a.map",
        ),
    ],
)
def test_the_last_source_map_comment_is_a_reference(text: str, path: str, whole: str) -> None:
    (reference,) = js.find(text).references
    assert (reference.kind, reference.path) == ("sourcemap", path)
    assert text[reference.start : reference.end] == path
    assert text[slice(*reference.whole)] == whole


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("return/*# sourceMappingURL=a.map\n*/1", "return\n1"),
        ("return\n/*# sourceMappingURL=a.map\n*/1", "return\n1"),
        ("a/*# sourceMappingURL=a.map */in b", "a in b"),
        ("a+/*# sourceMappingURL=a.map */+b", "a+ +b"),
        ("a /*# sourceMappingURL=a.map */in b", "a in b"),
        ("a/*# sourceMappingURL=a.map */", "a"),
        ("/*# sourceMappingURL=a.map */a", "a"),
        ("a\n/*# sourceMappingURL=a.map */\nb", "a\nb"),
        ("a\n/*# sourceMappingURL=a.map\n*/\nb", "a\nb"),
        ("a//# sourceMappingURL=a.map\nb", "a\nb"),
        ("\ufeff/*# sourceMappingURL=a.map */a", "\ufeffa"),
    ],
)
def test_what_a_source_map_comment_parts_stays_parted_without_it(text: str, left: str) -> None:
    scan = js.find(text)
    assert scan.map_comment is not None
    assert substitute(text, [(*scan.map_comment, scan.map_instead)]) == left
    (reference,) = scan.references
    assert (reference.whole, reference.instead) == (scan.map_comment, scan.map_instead)


@pytest.mark.parametrize(
    "text",
    [
        "//# sourceMappingURL=data:application/json;base64,e30=",
        "//# sourceMappingURL=https://host/a.map",
        "'//# sourceMappingURL=a.map'",
        "`\n//# sourceMappingURL=a.map\n`",
        "// see //# sourceMappingURL=a.map",
        "sourceMappingURL=a",
        "//# sourceMappingURL=",
    ],
)
def test_these_source_maps_are_none(text: str) -> None:
    assert paths(text) == []


@pytest.mark.parametrize("url", ["data:application/json;base64,e30=", "https://host/a.map", "a.map"])
def test_the_last_source_map_comment_has_a_place_whatever_it_names(url: str) -> None:
    code = "a()"
    scan = js.find(f"{code}\n//# sourceMappingURL={url}")
    assert scan.map_comment == (len(code), len(code) + 22 + len(url))


def test_what_does_not_lex_has_no_references() -> None:
    with pytest.raises(LexError):
        js.find("import './a'; 'b")


@pytest.mark.parametrize(
    "unit", ["// a.\nimport('./a.js')\n", "a. // b\nimport('./a.js')\n", "new //\nURL('./a.js',import.meta.url)\n"]
)
def test_what_stands_before_a_word_is_found_in_linear_time(unit: str) -> None:
    assert len(paths(unit * 20_000)) == (0 if unit.startswith("a") else 20_000)


def test_a_comment_of_a_source_map_in_a_line_comment_is_none() -> None:
    assert js.find("a//*# sourceMappingURL=a.map */").map_comment is None
