"""Where JavaScript's comments, strings, templates and regular expressions are, and when two texts have the same tokens."""

from __future__ import annotations

import pytest

from assetbuild.syntax import LexError, js
from assetbuild.syntax.js.comparison import first_difference

REGEXP = "/ r'`/"


def kinds(text: str, module: bool | None = None) -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for kind, start, end in js.scan(text, module).spans()]


@pytest.mark.parametrize(
    "before",
    [
        "",
        ";",
        "x = ",
        "(",
        "[",
        "{",
        "x => ",
        "x => {}\n",
        "!",
        "a, ",
        "a ? ",
        "a ? b : ",
        "a && ",
        "a + ",
        "a - ",
        "...",
        "if (a) ",
        "if (f(a)) ",
        "while (a) ",
        "for (;;) ",
        "with (a) ",
        "for await (const a of b) ",
        "do {} while (a) ",
        "{} ",
        "if (a) {} ",
        "if (a) {} else {}\n",
        "function f() {} ",
        "async function f() {}\n",
        "function* f() {}\n",
        "class A {} ",
        "class A extends B {} ",
        "class A extends f() {} ",
        "class A extends {} {} ",
        "export default class {}\n",
        "export default function () {}\n",
        "export default ",
        "try {} finally {}\n",
        "try {} catch (e) {}\n",
        "switch (a) {}\n",
        "switch (a) { case ",
        "switch (a) { case 1: {} ",
        "switch (a) { default: {} ",
        "a: {} ",
        "a\n++",
        "return ",
        "return\n",
        "typeof ",
        "void ",
        "delete ",
        "throw ",
        "case ",
        "a in ",
        "a instanceof ",
        "else ",
        "do ",
        "new ",
        "for (const a of ",
        "for (const of of ",
        "function* g() { yield ",
        "async () => await ",
        "/* a */ ",
        "a = // b)\n",
        "a => /* ) */ ",
        "`${",
        "`a` + ",
        "f(function () {}, ",
    ],
)
def test_a_slash_begins_a_regular_expression_behind(before: str) -> None:
    assert ("regexp", REGEXP) in [(k, t) for k, t in _opened(before + REGEXP)]


def _opened(text: str) -> list[tuple[str, str]]:
    closed = text + "}`" if text.startswith("`${") else text
    return kinds(closed)


@pytest.mark.parametrize(
    "before",
    [
        "a ",
        "1 ",
        "1.",
        "this ",
        "super.a ",
        "a) ",
        "f(a) ",
        "f(a)\n",
        "(a) ",
        "a.if (a) ",
        "a?.while(a) ",
        "a[0] ",
        "[] ",
        "x = {} ",
        "({} ",
        "x = {a: {}} ",
        "a ? {} ",
        "a ? b : {} ",
        "x = function () {} ",
        "x = function* f() {} ",
        "x = async function () {} ",
        "(function () {} ",
        "x = class {} ",
        "x = class A extends B {} ",
        "f(class {} ",
        "new class {} ",
        "return {} ",
        "a++ ",
        "a-- ",
        "f()++ ",
        "'a' ",
        "`a` ",
        "`${a}` ",
        "/a/ ",
        "/a/g ",
        "a.return ",
        "a.typeof ",
        "a?.in ",
        "this.#in ",
        "of ",
        "let ",
        "async ",
        "yield ",
        "await ",
        "get ",
        "for (x of of ",
        "\\u0069f (a) ",
        "a\\u{62} ",
        "null ",
        "a /* b */ ",
        "a // b =\n",
        "a /* ( */ ",
        "f(')') ",
        "typeof_ ",
        "ªreturn ",
    ],
)
def test_a_slash_divides_behind(before: str) -> None:
    opener = "(" if before == "a) " else ""
    # As a division, the quote is a string's.
    assert kinds(opener + before + "/ 2 /'x'", module=False)[-1] == ("string", "'x'")


@pytest.mark.parametrize(
    "before",
    [
        "let m\n",
        "var m, n\n",
        "let m // c\n",
        "let m /* c\n*/ ",
        "let m\u2028",
        "var \\u0061\n",
        "var a\\u{62}\n",
        "var of\n",
        "var yield\n",
        "let\nm\n",
        "do x\nwhile (a)\nlet\nm\n",
        "export let m\n",
        "export let\nm\n",
        "using m\n",
        "let {a} = b, c\n",
        "let [a] = b, c\n",
        "let\n{a} = b, c\n",
        "let of, a\n",
        "var a = b in c, d\n",
        "var a = b\nin c, d\n",
        "var a = b\n+ c, d\n",
        "var a = b\n(c), d\n",
        "var a = (b, c), d\n",
        "var a = [b, c], {d} = e, f\n",
        "var a = `${b}`, c\n",
        "var a = /x,/, c\n",
        "var a = function () {}\n, c\n",
        "var a = function ()\n{}, b = class\n{}, c = class A\n{}, d = () =>\n{}, e\n",
        "var a = b\nlet c, d\n",
        "if (a) var b, c\n",
        "switch (a) { case 1: var b, c\n",
        "x => { var a, b\n",
        "class A { static { var a, b\n",
        "break a\n",
        "continue a\n",
        "break of\n",
        "import './a.js'\n",
        "import '\\'.js'\n",
        "import a from './a.js'\n",
        "import a\nfrom\n'./a.js'\n",
        "import {a}\nfrom\n'./a.js'\n",
        "import a, {b}\nfrom\n'./a.js'\n",
        "import * as a\nfrom\n'./a.js'\n",
        "import a, * as b\nfrom\n'./a.js'\n",
        "import defer * as a\nfrom\n'./a.js'\n",
        "import source a\nfrom\n'./a.js'\n",
        "import './a.js' with {type: 'json'}\n",
        "export * from './a.js'\n",
        "export *\nfrom\n'./a.js'\n",
        "export * as a\nfrom\n'./a.js'\n",
        "export * as 'a'\nfrom\n'./a.js'\n",
        "export {a}\nfrom\n'./a.js'\n",
        "export {a}\n",
    ],
)
def test_a_slash_at_the_start_of_a_line_begins_a_regular_expression_behind(before: str) -> None:
    """What it stands behind ends a statement that no division goes on with."""
    assert kinds(before + REGEXP, module=False)[-1] == ("regexp", REGEXP)


@pytest.mark.parametrize(
    "before",
    [
        "let a = b\n",
        "let a = b, c = d\n",
        "let a = b\nc, d\n",
        "var a = function () {}\nb, c\n",
        "var a = x => {}\nb, c\n",
        "var a = class {}\nb, c\n",
        "var a = b\n++c, d\n",
        "var a = b\n!c, d\n",
        "var a = b++\nc, d\n",
        "var a\n/x/.y, d\n",
        "var a = 'b'\n'c', d\n",
        "var a = b /*\n*/ c, d\n",
        "var a = b; c, d\n",
        "function* f() { var a = yield\nb, c\n",
        "if (a) var b\nelse c, d\n",
        "var a = (b, c\n",
        "var a = [b, c\n",
        "f(a, b\n",
        "`${a, b\n",
        "a.var, b\n",
        "a.let\n",
        "let\n",
        "x = let\nm\n",
        "if (a) let\nm\n",
        "using\nm\n",
        "a.break\nb\n",
        "break\na\n",
        "from\n'x'\n",
        "a *\nfrom\n'x'\n",
        "{}\nfrom\n'x'\n",
        "import('x')\n",
        "'use strict'\n",
        "1, 2\n",
        "a ? b : c\n",
        "a: b\n",
    ],
)
def test_a_slash_at_the_start_of_a_line_divides_behind(before: str) -> None:
    closed = "}`" if before.startswith("`") else ""
    assert kinds(before + "/ 2 /'x'" + closed, module=False)[-1 - bool(closed)] == ("string", "'x'")


@pytest.mark.parametrize(
    "text",
    [
        "async function\xa0f() { await REGEXP }",
        "async function\u2028f() { await REGEXP }",
        "async function\ufefff() { await REGEXP }",
        "function* f\\u{61}() { yield REGEXP }",
        "class A { async 1.5() { await REGEXP } }",
        "class A { *if(x) { yield REGEXP } }",
        "class A { *#b(x) { yield REGEXP } }",
        "x = {*'a\\'b'() { yield REGEXP }}",
        "x = {*.5() { yield REGEXP }}",
        "x = {*1.() { yield REGEXP }}",
        "x = {*1.5e+5() { yield REGEXP }}",
        "x = {async *[a]() { await REGEXP }}",
        "x = {*a/* ) */(/* ( */) { yield REGEXP }}",
        "function* f() { a()\n{ yield REGEXP } }",
        "x = function* () { if (a) { yield REGEXP } }",
        "x = async y => { await REGEXP }",
        "if (1n) 1.\nelse REGEXP",
        "x = 1.\nclass A {} REGEXP",
        "for (using of REGEXP) ;",
        "for (var using of REGEXP) ;",
        "for (var let of REGEXP) ;",
    ],
)
def test_a_slash_begins_a_regular_expression_in(text: str) -> None:
    assert ("regexp", REGEXP) in kinds(text.replace("REGEXP", REGEXP), module=False)


@pytest.mark.parametrize(
    "text",
    [
        "function // */\nf() { yield DIVISION }",
        "function /* * */ f() { yield DIVISION }",
        "class A { async\nx() { await DIVISION } }",
        "async\nfunction f() { await DIVISION }",
        "x = {async() { await DIVISION }}",
        "function* f() { x = {a() { yield DIVISION }} }",
        "function* f() { x = function () { if (a) { yield DIVISION } } }",
    ],
)
def test_a_slash_divides_in(text: str) -> None:
    assert ("string", "'x'") in kinds(text.replace("DIVISION", "/ 2 / 'x'"), module=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/[/]/", [("regexp", "/[/]/")]),
        (r"/\//g", [("regexp", r"/\//g")]),
        (r"/[\]/]/v", [("regexp", r"/[\]/]/v")]),
        (r"/[[a-z]--[b]]/v", [("regexp", r"/[[a-z]--[b]]/v")]),
        ("var f = s => /[//]/.test(s); g();", [("regexp", "/[//]/")]),
        ("`a`", [("template", "`a`")]),
        ("`a${b}c`", [("template", "`a${"), ("template", "}c`")]),
        ("`${`${a}`}`", [("template", "`${"), ("template", "`${"), ("template", "}`"), ("template", "}`")]),
        ("`${{a: {}}}`", [("template", "`${"), ("template", "}`")]),
        (r"`\`$\${`", [("template", r"`\`$\${`")]),
        ("`a$`", [("template", "`a$`")]),
        ('"a\\\nb"', [("string", '"a\\\nb"')]),
        ('"a\\\r\nb"', [("string", '"a\\\r\nb"')]),
        ('"\u2028"', [("string", '"\u2028"')]),
        ("// a\u2028'b'", [("comment", "// a"), ("string", "'b'")]),
        ("/* a */ /**/ /***/", [("comment", "/* a */"), ("comment", "/**/"), ("comment", "/***/")]),
        ("#!/bin/node 'x\n'y'", [("comment", "#!/bin/node 'x"), ("string", "'y'")]),
        ("class A { #a = 1; b = /x/; static { } }", [("regexp", "/x/")]),
        ("1_000 / 2 / 3", []),
        ("\ufeff'a'", [("string", "'a'")]),
    ],
)
def test_opaque_spans(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("text", "script", "module"),
    [
        ("x <!-- 'a'\n'b'", ["<!-- 'a'", "'b'"], ["'a'", "'b'"]),
        ("x\n--> 'a'\n'b'", ["--> 'a'", "'b'"], ["'a'", "'b'"]),
        ("/*\n*/ --> 'a'", ["/*\n*/", "--> 'a'"], ["/*\n*/", "'a'"]),
        ("x --> 'a'", ["'a'"], ["'a'"]),
        ("--> 'a'", ["--> 'a'"], ["'a'"]),
    ],
)
def test_html_like_comments_are_comments_in_scripts_only(text: str, script: list[str], module: list[str]) -> None:
    assert [t for _, t in kinds(text, module=False)] == script
    assert [t for _, t in kinds(text, module=True)] == module


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("a; /* b", 3),
        ("a; 'b", 3),
        ('a; "b\n"', 3),
        ("a; `b", 3),
        ("a; `b${c", 3),
        ("a; `b\\", 3),
        ("a; `b${c}\\", 3),
        ("a; `b${`c${d}", 7),
        ("a = /b", 4),
        ("a = /[b/", 4),
        ("`${a}", 0),
        (") }/a/", 0),
        ("a; b = await /c/.d", 7),
        ("a = async () => await b; c = (await /d/.e)", 30),
    ],
)
def test_what_does_not_lex_says_where(text: str, offset: int) -> None:
    with pytest.raises(LexError) as caught:
        js.scan(text)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "text",
    [
        "(" * 40_000 + ")" * 40_000 + " / 2 /'x'",
        "`${" * 40_000 + "}`" * 40_000,
        "{" * 40_000 + "}" * 40_000 + " /'/",
        "x = " + "{a:" * 20_000 + "{}" + "}" * 20_000 + " / 1",
        "x = " + "{a:" * 20_000 + "{} / 1" + "}" * 20_000,
        "{" * 20_000 + "yield / 1 / 2;" * 5_000 + "}" * 20_000,
        "function* f() {" + "{" * 20_000 + "yield / 1 /;" * 5_000 + "}" * 20_000 + "}",
        "a.b // c\n" + "/* */ // d\n" * 20_000 + "/ 2",
        "\n-->" * 20_000,
        "/* */-->\n" * 20_000,
        "var a\n" + ", b\n" * 20_000 + "/x/",
        "var a, b\n/x/.y\n" * 20_000,
        "from\n'x'\n/ 2\n" * 20_000,
        "a ? " * 20_000 + "{} / 1" + " : {} / 1" * 20_000,
        "=> await b, " * 20_000 + "; await c; await /d/.e",
    ],
)
def test_depth_is_no_limit(text: str) -> None:
    assert js.scan(text).text is text
    assert first_difference(text, text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("import a from 'b'", True),
        ("import 'b'", True),
        ("import {a} from 'b'", True),
        ("export {}", True),
        ("export * from 'a'", True),
        ("export default 1", True),
        ("export const a = 1", True),
        ("f(import.meta.url)", True),
        ("import('a')", False),
        ("a.import", False),
        ("// import 'b'", False),
        ("'export {}'", False),
        ("`import a from 'b'`", False),
        ("({import: 1, export: 2})", False),
        ("important = exported", False),
    ],
)
def test_a_module_has_static_import_or_export_or_import_meta(text: str, answer: bool) -> None:
    assert js.is_module(text) is answer


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("a = 1 ; b", "a=1;b"),
        ("a /* b */ = // c\n 1", "a=1"),
        ("{\n a;\n}", "{a;}"),
        ("f(\n a,\n b\n)", "f(a,b)"),
        ("a\n.b\n.c()", "a.b.c()"),
        ("a1\n.b", "a1.b"),
        ("a +\n'b'", "a+'b'"),
        ("a = b\n? c\n: d", "a=b?c:d"),
        ("a\n&& b\n|| c", "a&&b||c"),
        ("a\r\nb", "a\nb"),
        ("a/*\n*/b", "a\nb"),
        ("\n\na\n", "a"),
        ("return .5", "return.5"),
        ("i++ < 1", "i++<1"),
        ("x = [\n1\n]", "x=[1]"),
        ("`a  b${ c }`", "`a  b${c}`"),
        ("x = / a/ ;", "x=/ a/;"),
        ("\ufeffa", "a"),
        ("a\u00a0= b", "a=b"),
        ("a ? .5 : 1", "a?.5:1"),
        ("", ""),
    ],
)
def test_texts_with_the_same_tokens_are_equal(source: str, output: str) -> None:
    assert first_difference(source, output) is None


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("a b", "ab"),
        ("a\nb", "a b"),
        ("a b", "a\nb"),
        ("return\n1", "return 1"),
        ("return/*\n*/1", "return 1"),
        ("return/*\n*/1", "return/**/1"),
        ("return // a\n1", "return 1"),
        ("a\n++b", "a++b"),
        ("a\n++\nb", "a++\nb"),
        ("a + +b", "a++b"),
        ("a - -b", "a--b"),
        ("a + ++b", "a+++b"),
        ("a\n(b)", "a(b)"),
        ("a\n[b]", "a[b]"),
        ("a\n`b`", "a`b`"),
        ("yield\na", "yield a"),
        ("async\nx => x", "async x => x"),
        ("x\n=> x", "x => x"),
        ("throw\na", "throw a"),
        ("break\na", "break a"),
        ("continue\na", "continue a"),
        ("let\na", "let a"),
        ("a\n!b", "a!b"),
        ("a\n~b", "a~b"),
        ("'a'\n'b'", "'a''b'"),
        ("class A { a\n*b(){} }", "class A{a*b(){}}"),
        ("class A { a\n#b }", "class A{a#b}"),
        ("class A { get\nb(){} }", "class A{get b(){}}"),
        ("1 .a", "1.a"),
        ("1. a", "1.a"),
        ("a ? .5 : 1", "a?. 5:1"),
        ("a\n.5", "a.5"),
        ("1.\nb", "1.b"),
        ("'a  b'", "'a b'"),
        ("`a  b`", "`a b`"),
        ("`a\n b${c}`", "`a\nb${c}`"),
        ("x = / a/", "x=/a/"),
        ("x => / a/", "x=>/a/"),
        ("/a/ in x", "/a/in x"),
        ("/a/g", "/a/i"),
        ("a / / b/", "a// b/"),
        ("#!a\nb", "b"),
        ("#!a\nb", "#!c\nb"),
        ("x<! --y", "x<!--y"),
        ("a\n-- >b", "a\n-->b"),
        ("a = 1", "a = 2"),
        ("a", "a;"),
        ("a;", "a"),
        ("a", "'"),
        ("\\u{61}b", "\\u{61} b"),
        ("a\\u{62} c", "a\\u{62}c"),
        ('"use strict"; a', "a"),
        ("=== a", "= == a"),
        ("a ?? b", "a ? ? b"),
        ("a·", "a ·"),
        ("class A { a;/*b*/*[c]/*\n*/(){} }", "class A{a;*(){}}"),
        ("return/*a*///b\nc", "return/*a*/c"),
        # Nothing here could tell a regular expression that is taken for two divisions.
        ("a\n/ b", "a/b"),
        ("a++\n/ b", "a++/b"),
        ("a /*\n*/ / b", "a/b"),
    ],
)
def test_texts_that_may_mean_something_else_differ(source: str, output: str) -> None:
    assert first_difference(source, output) is not None


@pytest.mark.parametrize(
    ("source", "output", "left", "right"),
    [
        ("a = 1; b", "a=2;b", 4, 2),
        ("return\n 1", "return 1", 6, 7),
        ("x = /a/; `b${c}d`; e", "x=/a/;`b${c}d`;f", 19, 15),
        ("x = /a/; y = /b/", "x=/a/;y=/c/", 13, 8),
        ("f(`a${b} c`)", "f(`a${b}c`)", 7, 7),
    ],
)
def test_a_difference_is_where_the_first_token_differs(source: str, output: str, left: int, right: int) -> None:
    difference = first_difference(source, output)
    assert difference is not None
    assert (difference.left, difference.right) == (left, right)


def test_code_is_told_from_what_is_not() -> None:
    """is_code is true at every offset outside comments, strings, templates' text and regular expressions."""
    text = "x /*x*/ x 'x' x `x${x}x` x;/x/;x // x\nx"
    lexed = js.scan(text)
    code = [place for place, character in enumerate(text) if character == "x" and lexed.is_code(place)]
    assert code == [0, 8, 14, 20, 25, 31, 38]


@pytest.mark.parametrize("text", ["a//b", "a/*b*/", "a///b", "a/b//*c"])
def test_the_second_character_of_a_comment_is_no_code(text: str) -> None:
    comment = next(span for span in js.scan(text).spans() if span.kind == "comment")
    assert not js.scan(text).is_code(comment.start + 1)
    assert js.scan("/*a*//*b*/").is_code(5)
