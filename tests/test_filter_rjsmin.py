"""rjsmin, checked: what it makes of a script means what the script means, or the script stays as it was."""

from __future__ import annotations

import random

import pytest

from assetbuild.filters import Filtered, Unit
from assetbuild.filters.rjsmin import RJSMin
from assetbuild.syntax import js
from assetbuild.syntax.js.comparison import first_difference


def apply(text: str, name: str = "a.js") -> Filtered:
    return RJSMin().apply(text, Unit(name, "/src/" + name, ("/src",), "js"))


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("a = 1;  // b\nc", "a=1;c"),
        ("var f = s => /[//]/.test(s); g();", "var f=s=>/[//]/.test(s);g();"),
        ("var f = s => / a  b/.test(s);", "var f=s=>/ a  b/.test(s);"),
        ("switch (a) { case / b  c/.d: }", "switch(a){case/ b  c/.d:}"),
        ("function* f() { yield / a  b/ }", "function*f(){yield/ a  b/}"),
        ("for (const a of / b  c/.d) ;", "for(const a of/ b  c/.d);"),
        ("a = `b  ${c + `d // e ${ f }`}  // g`; h", "a=`b  ${c+`d // e ${f}`}  // g`;h"),
        ("a = /b/g in c", "a=/b/g in c"),
        ("return/*\n*/1", "return\n1"),
        ("return /*!\n*/ 1", "return/*!\n*/1"),
        ("class A { a = 1\n  #b = 2\n  *c() {} }", "class A{a=1\n#b=2\n*c(){}}"),
        ("class A { a() {}\n\n  *c() {} }", "class A{a(){}\n*c(){}}"),
        ("a = b\n'c'", "a=b\n'c'"),
        ("a = b\n`c`", "a=b\n`c`"),
        ("a = {}\n~b", "a={}\n~b"),
        ("1 .a", "1 .a"),
        ("class A { a = 1\n  get #b() { return .5 } }", "class A{a=1\nget#b(){return.5}}"),
        ("while (a-- > 0) b++ <c", "while(a-->0)b++<c"),
        ("a + +b - -c + ++d", "a+ +b- -c+ ++d"),
        ("/*! keep */ a /* b */", "/*! keep */a"),
        ("#!/usr/bin/env node\n\n a  = 1", "#!/usr/bin/env node\na=1"),
        ("\ufeffa  = 1", "\ufeffa=1"),
        ("'use strict'; a", "'use strict';a"),
        ("a = 1\n//# sourceMappingURL=a.js.map\n", "a=1"),
        ("a = '\x01'; b = / \x02/", "a='\x01';b=/ \x02/"),
        ("a++ / b  - 'c'", "a++/b-'c'"),
        ("{}\n/ a  b/.c()", "{}\n/ a  b/.c()"),
        ("let m\n/ a  b/.test(c)", "let m\n/ a  b/.test(c)"),
        ("a\n  // c\n  / b", "a\n/b"),
        ("a\n  /* b */\n  // c\n'd'", "a\n'd'"),
        ("`\n// `\n'a'", "`\n// `\n'a'"),
        ("", ""),
        ("// a", ""),
    ],
)
def test_a_script_is_minified(source: str, output: str) -> None:
    filtered = apply(source)
    assert (filtered.text, filtered.refused, filtered.notes) == (output, False, ())


@pytest.mark.parametrize(
    "text",
    [
        "x <! --y",
        "a\n-- >b",
        "a / / b/.c",
        "a = b / /*! c */ d",
        "a\n<!-- b\nc",
        "\n--> a\nb",
        "a\u2028b // c\u2028d\ne",
        "a\\u{62} c",
        "return\u20281",
        "a /b  'c/ d //'",
        "x => {}\n/ a/.b",
        "a\n  * b",
        "a ? .5 : 1",
        "yield\n/ a/",
        "a\r\nb\rc",
        "`a${`b${`c  ${ d } //`}  `} /*`",
        "if (a) / b  '/.c()",
        "a\n/**/++\n/*!*/b",
        "/*!" * 200 + "*/ a",
        "x=/[/[=/[=/[]/  ;a",
        "_ / /_/",
        "a / /*!*/ b",
        ";/*!\n*/-- >b",
        "a \x0bb",
        "a \x1cb",
        "a \x85b",
        "a \u3000b",
        "``\\u{} f",
    ],
)
def test_whatever_is_published_means_the_same(text: str) -> None:
    assert first_difference(text, apply(text).text) is None


@pytest.mark.parametrize(
    ("name", "output"),
    [("a.mjs", "a<!--b\nc"), ("a.cjs", "a\nc"), ("a.js", "a\nc")],
)
def test_the_name_decides_whether_html_like_comments_are_comments(name: str, output: str) -> None:
    assert apply("a <!-- b\nc", name).text == output


def test_what_does_not_lex_is_published_as_it_was_with_its_place() -> None:
    filtered = apply("a  = 1; /* b")
    assert (filtered.text, filtered.refused) == ("a  = 1; /* b", True)
    (note,) = filtered.notes
    assert note.offset == 8
    assert note.message == "this comment has no end; published as it was written"


def test_what_cannot_be_proved_is_published_as_it_was_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    import rjsmin

    monkeypatch.setattr(rjsmin, "jsmin", lambda text, keep_bang_comments: text.replace("b", "c"))  # noqa: ARG005
    filtered = apply("a =  b;")
    assert (filtered.text, filtered.refused) == ("a =  b;", True)
    (note,) = filtered.notes
    assert note.offset == 5
    assert note.message == "rjsmin would change the meaning here; published as it was written"


def test_the_identity_names_tool_version_and_build() -> None:
    tool, version, build, _ = RJSMin().identity()
    assert tool == "rjsmin"
    assert version
    assert build in ("c", "python")


def test_it_promises_to_keep_the_meaning_and_to_be_pure() -> None:
    assert RJSMin.name == "rjsmin"
    assert RJSMin.keeps_meaning
    assert RJSMin.pure


@pytest.mark.parametrize("unit", ["//   comment\n", "\n", "/* comment */\n", "/*\n*/ "])
def test_a_long_run_of_comments_takes_no_longer_than_its_length(unit: str) -> None:
    """A second for what took minutes while each line of a gap was looked at from every line before it."""
    assert apply("a();\n" + unit * 50_000 + "b();\n").text == "a();b();"


def test_so_does_one_of_comments_that_stay() -> None:
    assert not apply("a();\n" + "/*!*/\n" * 20_000 + "b();\n").refused
    # The quick proof takes a time that is the square of their number.
    assert apply("/*!*/a;\n" * 500).lexed is not None
    assert apply("/*!*/a;\n" * 501).lexed is None


def test_a_script_that_would_be_a_module_without_a_comment_as_in_html_is_not_taken_for_one() -> None:
    made = apply(";import.meta <!--/")
    assert (made.text, made.lexed) == (";import.meta", None)
    assert js.scan(made.text).module


WORDS = (
    "a b1 _ $ x9_ 0 1 1. .5 1e5 0x1F 1_000 1n return in of typeof async class import ++ -- + - * ** / % = == => += *= ! != ~ "
    "& && | || ^ < << <= > >> >= ? ?. ?? . ... , ; : ( ) [ ] { } @d #p \\u0061b é <!-- --> `t` /[/]/g `${ }`"
)
GAPS = ("//c\n", "/*c*/", "/*\n*/", "/*!b*/", "/*!\n*/", "\t", "\r\n", "\n  ", "\u2028", "\xa0")
PIECES = (*WORDS.split(), '"a  //"', *GAPS, *"\n" * 8, *" " * 24)


def test_what_is_proven_quickly_is_proven_slowly_too() -> None:
    chance = random.Random(1)
    proven = 0
    for _ in range(2000):
        text = ";" + "".join(chance.choice(PIECES) for _ in range(chance.randint(2, 9)))
        made = apply(text)
        if made.lexed is not None:
            proven += 1
            assert first_difference(text, made.text) is None, text
            assert made.lexed.text == made.text
            again = js.scan(made.text)
            assert (again.kinds, again.starts, again.ends) == (made.lexed.kinds, made.lexed.starts, made.lexed.ends), text
            assert again.module == made.lexed.module, text
    assert proven > 500
