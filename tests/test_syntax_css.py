"""The CSS tokenizer, the strict check, and the comparison of two style sheets."""

from __future__ import annotations

import pytest

from assetbuild.syntax import LexError, css
from assetbuild.syntax.css.comparison import first_difference


def read(text: str) -> list[str]:
    """Types and texts of all tokens."""
    return [f"{token.type} {text[token.start : token.end]}" for token in css.tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ["ident a"]),
        ("-a", ["ident -a"]),
        ("--", ["ident --"]),
        ("--x", ["ident --x"]),
        ("-", ["delim -"]),
        ("-1", ["number -1"]),
        ("+.5e-3", ["number +.5e-3"]),
        ("1.", ["number 1", "delim ."]),
        ("1e", ["dimension 1e"]),
        ("1e3px", ["dimension 1e3px"]),
        ("50%", ["percentage 50%"]),
        ("1--x", ["dimension 1--x"]),
        ("#1a", ["hash #1a"]),
        ("#", ["delim #"]),
        ("#\\31 ", ["hash #\\31 "]),
        ("@media", ["at-keyword @media"]),
        ("@1", ["delim @", "number 1"]),
        ("@--x", ["at-keyword @--x"]),
        ("f(", ["function f("]),
        ("f (", ["ident f", "whitespace  ", "( ("]),
        ("\\66(", ["function \\66("]),
        ("é\U0001f600", ["ident é\U0001f600"]),
        ("\0a", ["ident \0a"]),
        ("\\", ["ident \\"]),
        ("\\\n", ["delim \\", "whitespace \n"]),
        ("<!-- -->", ["CDO <!--", "whitespace  ", "CDC -->"]),
        ("--->", ["ident ---", "delim >"]),
        ("a-->", ["ident a--", "delim >"]),
        ("[a]{b:c;", ["[ [", "ident a", "] ]", "{ {", "ident b", "colon :", "ident c", "semicolon ;"]),
        ("d,e})", ["ident d", "comma ,", "ident e", "} }", ") )"]),
        ("/**/a/* */", ["comment /**/", "ident a", "comment /* */"]),
        ("/* a", ["comment /* a"]),
        ("/**", ["comment /**"]),
        ("\r\n\f\t", ["whitespace \r\n\f\t"]),
        ("\x0b", ["delim \x0b"]),
    ],
)  # fmt: skip
def test_each_token_is_that_of_the_specification(text: str, expected: list[str]) -> None:
    assert read(text) == expected
    assert css.texts(text) == [text[token.start : token.end] for token in css.tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("url(a.png)", ["url url(a.png)"]),
        ("URL( a.png )", ["url URL( a.png )"]),
        ("u\\72L(a)", ["url u\\72L(a)"]),
        ("\\000075rl(a)", ["url \\000075rl(a)"]),
        ("\\75 rl(a)", ["url \\75 rl(a)"]),
        ("url()", ["url url()"]),
        ("url(a\\)b)", ["url url(a\\)b)"]),
        ("url(a", ["url url(a"]),
        ("url(a ", ["url url(a "]),
        ("url(/*)*/", ["url url(/*)", "delim *", "delim /"]),
        ('url( "a")', ["function url(", "whitespace  ", 'string "a"', ") )"]),
        ("url('a')", ["function url(", "string 'a'", ") )"]),
        ("url(a b)c", ["bad-url url(a b)", "ident c"]),
        ('url(a"b)c', ['bad-url url(a"b)', "ident c"]),
        ("url(a(b)c", ["bad-url url(a(b)", "ident c"]),
        ("url(a b\\)c)d", ["bad-url url(a b\\)c)", "ident d"]),
        ("url(\x01)", ["bad-url url(\x01)"]),
        ("url(\0)", ["url url(\0)"]),
        ("myurl(a)", ["function myurl(", "ident a", ") )"]),
        ("-url(a)", ["function -url(", "ident a", ") )"]),
        ("#url(a)", ["hash #url", "( (", "ident a", ") )"]),
        ("1url(a)", ["dimension 1url", "( (", "ident a", ") )"]),
        ("url (a)", ["ident url", "whitespace  ", "( (", "ident a", ") )"]),
    ],
)
def test_a_url_is_one_token_only_where_nothing_is_quoted_in_it(text: str, expected: list[str]) -> None:
    assert read(text) == expected
    assert css.texts(text) == [text[token.start : token.end] for token in css.tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a'", ["string 'a'"]),
        ('"\'"', ['string "\'"']),
        ('"a\\"b"', ['string "a\\"b"']),
        ('"a\\\r\nb"', ['string "a\\\r\nb"']),
        ('"\\61\n"', ['string "\\61\n"']),
        ('"\\61 \n"', ['bad-string "\\61 ', "whitespace \n", 'string "']),
        ('"a', ['string "a']),
        ('"a\\', ['string "a\\']),
        ('"a\nb', ['bad-string "a', "whitespace \n", "ident b"]),
        ('"a\fb', ['bad-string "a', "whitespace \f", "ident b"]),
    ],
)
def test_a_string_ends_at_its_quote_or_breaks_at_a_line_end(text: str, expected: list[str]) -> None:
    assert read(text) == expected


def test_a_byte_order_mark_at_the_head_is_no_token_and_shifts_no_offset() -> None:
    assert list(css.tokens("\ufeffa")) == [("ident", 1, 2)]
    assert css.texts("a\ufeff") == ["a\ufeff"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a", "a"),
        ("\\61 b", "ab"),
        ("\\61\r\nb", "ab"),
        ("\\000061b", "ab"),
        ("\\g", "g"),
        ("a\\\nb", "ab"),
        ("\\0", "\ufffd"),
        ("\\d800 ", "\ufffd"),
        ("\\110000", "\ufffd"),
        ("a\\", "a\ufffd"),
    ],
)
def test_escapes_are_decoded(raw: str, said: str) -> None:
    assert css.unescape(raw) == said


@pytest.mark.parametrize(
    "unit",
    ["(", "{", "[", "url(", "url('", 'url("', "/*", "/**/", '"', "\\", "-", "@", "a:", "\\\n", "#", "1e"],
)
def test_no_input_is_too_deep(unit: str) -> None:
    text = unit * 50_000
    assert sum(token.end - token.start for token in css.tokens(text)) == len(text)
    assert "".join(css.texts(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a{b:'c' \"d\"}/* e */",
        "a{b:url(it's)}",
        "a{b:myurl('/*')}",
        "@url('x') #url('x') url( 'x' )",
        "a\\'b{}",
        "a{b:/ c}\\\n",
        '"\\\n"',
        "/***/",
        "\\75rl(it's)",
    ],
)
def test_a_sound_text_passes_the_check(text: str) -> None:
    css.check(text)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("a /* b", 2, "this comment has no end"),
        ("/*/", 0, "this comment has no end"),
        ("a{b:'c", 4, "this string has no end"),
        ("a{b:'c\\'", 4, "this string has no end"),
        ("a{b:'c\n'}", 4, "this string is broken by the end of its line"),
        ('/* " */a{b:"c\r\n"}', 11, "this string is broken by the end of its line"),
        ("@url('", 5, "this string has no end"),
        ("url(a)'", 6, "this string has no end"),
    ],
)
def test_the_check_names_the_place_of_the_first_mistake(text: str, offset: int, message: str) -> None:
    with pytest.raises(LexError) as caught:
        css.check(text)
    assert (caught.value.offset, caught.value.message) == (offset, message)


SAME = [
    ("a { color : red ; }", "a{color:red}"),
    ("a{b:c;;d:e;}", "a{b:c;d:e}"),
    ("a > b , c{}", "a>b,c{}"),
    ("a ~ b + c{}", "a ~ b + c{}"),
    ("a/**/.b{}", "a.b{}"),
    ("a /**/ b{}", "a b{}"),
    ("a/**/ .b{}", "a .b{}"),
    ("a{b:c}/* d */\n", "a{b:c}"),
    ("a:first-line{}", "a:first-line {}"),
    ("a{b:red !important}", "a{b:red!important}"),
    ("a{width:calc( 1px + 2px )}", "a{width:calc(1px + 2px)}"),
    ("[ a = 'b' ]{}", "[a='b']{}"),
    ("@media ( min-width : 1px ) and (c: d){}", "@media (min-width:1px) and (c:d){}"),
    ("@supports not (display: grid){}", "@supports not (display:grid){}"),
    ("@import url( a.css ) ;", "@import url(a.css);"),
    ('@charset "utf-8";\na{}', '@charset "utf-8";a{}'),
    ("a{b:url( a.png )}", "a{b:url(a.png)}"),
    ("a{b:myurl( /*)*/ y)}", "a{b:myurl(y)}"),
    ('a{b:"c\\\nd"}', 'a{b:"cd"}'),
    (".a\\31\nb{}", ".a\\31 b{}"),
    ("a{--x: a b;}", "a{--x:a b}"),
    ("a{--x: a , b}", "a{--x:a,b}"),
    ("a{--x : { b : c } }", "a{--x:{b : c}}"),
    ("a{--x : { b:c } }", "a{--x:{b:c}}"),
    ("a{ --x : b:c ; --y: d :e; f: g }", "a{--x:b:c;--y:d :e;f:g}"),
    ("a{--x:{b:c}; ; d: e; }", "a{--x:{b:c};d:e}"),
    (".p{&:hover, & > b{c:d}}", ".p{&:hover,&>b{c:d}}"),
    ("html>/**/body{}", "html>/**/body{}"),
    ("a{b:c;}}", "a{b:c;}}"),
]

DIFFERENT = [
    # A blank is a descendant combinator.
    ("a :hover{}", "a:hover{}"),
    (".p{a :hover{}}", ".p{a:hover{}}"),
    (".p{:is(b) :hover{}}", ".p{:is(b):hover{}}"),
    (".p{& .b{}}", ".p{&.b{}}"),
    (".p{.a &{}}", ".p{.a&{}}"),
    ("a *{}", "a*{}"),
    ("a [b]{}", "a[b]{}"),
    ("a #b{}", "a#b{}"),
    ("a .b{}", "a.b{}"),
    ("a/**/.b{}", "a .b{}"),
    ("a.b{}", "a .b{}"),
    # A blank makes a selector wrong that is right without it.
    (".p{a: hover{}}", ".p{a:hover{}}"),
    ("@page :first{}", "@page:first{}"),
    ("@scope (a: hover){}", "@scope (a:hover){}"),
    ("@supports selector(a :hover){}", "@supports selector(a:hover){}"),
    ("@import 'a' supports(selector(a: hover));", "@import 'a' supports(selector(a:hover));"),
    ("--a .b :hover{}", "--a .b:hover{}"),
    ("--a.b: hover{}", "--a.b:hover{}"),
    ("--a , :is(b){}", "--a ,: is(b){}"),
    # Comments part tokens.
    ("a/**/b{}", "ab{}"),
    ("a{b:1/**/px}", "a{b:1px}"),
    ("a{b:f/**/(c)}", "a{b:f(c)}"),
    ("a{b:c/**/d}", "a{b:c d}"),
    # Blanks part values and operators.
    ("a{b:c d}", "a{b:cd}"),
    ("a{b:1 -1px}", "a{b:1-1px}"),
    ("a{width:calc(1px + 2px)}", "a{width:calc(1px +2px)}"),
    ("a{width:calc(1px + 2px)}", "a{width:calc(1px+ 2px)}"),
    ("a{b:f (c)}", "a{b:f(c)}"),
    ("a{b:c (d)}", "a{b:c(d)}"),
    ("@media (a:b) and (c:d){}", "@media (a:b) and(c:d){}"),
    ("@media (a > = b){}", "@media (a >= b){}"),
    ("[a ~ = b]{}", "[a ~= b]{}"),
    ("-- > b{}", "-->b{}"),
    # Custom properties.
    ("a{--x: ;}", "a{--x:;}"),
    ("a{--x: }", "a{--x:}"),
    ("a{--x:a b}", "a{--x:ab}"),
    ("a{--x:.p :hover}", "a{--x:.p:hover}"),
    ("a{b:c;--x:.p :hover;d:e}", "a{b:c;--x:.p:hover;d:e}"),
    ("a{--x:b: c}", "a{--x:b:c}"),
    ("a{--x:(b: c)}", "a{--x:(b:c)}"),
    ("a{--x:{b: c}}", "a{--x:{b:c}}"),
    ("a{--x:{b:{c :d}}}", "a{--x:{b:{c:d}}}"),
    ("a{--x:{b:c;;d:e}}", "a{--x:{b:c;d:e}}"),
    ("a{--x:{b:c;}}", "a{--x:{b:c}}"),
    ("a{--x:{b:c;};d:e}", "a{--x:{b:c};d:e}"),
    ("a{--\\78:{b:c;}}", "a{--\\78:{b:c}}"),
    ("--x:{b:c;}", "--x:{b:c}"),
    # What stands in strings, URLs and escapes.
    ('a{b:"c  d"}', 'a{b:"c d"}'),
    ("a{b:url( 'c  d.png' )}", "a{b:url('cd.png')}"),
    ("a{b:url(c.png)}", "a{b:url(d.png)}"),
    ("a{b:u\\rl( c  d )}", "a{b:u\\rl(c d)}"),
    ('a{b:"\\3\\\n1"}', 'a{b:"\\31"}'),
    (".a\\31 b{}", ".a\\31b{}"),
    # Semicolons.
    ("@layer a,b;", "@layer a,b"),
    ("@layer a;;b{}", "@layer a;b{}"),
    ("a{};b{}", "a{}b{}"),
    ("a{;b:c}", "a{b:c}"),
    ('@import "x";}b{}', '@import "x"}b{}'),
    # The encoding.
    ("\ufeffa{}", "a{}"),
    ('@charset "x";a{}', '@charset  "x";a{}'),
    ('/**/@charset "x";a{}', '@charset "x";a{}'),
    # Spelling.
    ("a{b:RED}", "a{b:red}"),
    ("a{b:0.5}", "a{b:.5}"),
    ("a{b:c}", "a{b:d}"),
    ("a{b:c}", "a{b:c}d{}"),
    ("a{b:c d{}", "a{b:c d{}}"),
    # What brackets that don't match make of the rest is no one's guess.
    ("a{b:c(} :d{e:f)}", "a{b:c(}:d{e:f)}"),
    (":is(a;b) :c{}", ":is(a;b):c{}"),
    ("a{b:c", "a{b: c"),
    # Blanks for Python are none for CSS.
    ("a\xa0b{}", "a b{}"),
    ("a\x0bb{}", "a b{}"),
    ("a\u3000 b{}", "a b{}"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "output"), SAME)
def test_two_sheets_are_the_same_where_only_idle_blanks_comments_and_semicolons_differ(source: str, output: str) -> None:
    assert first_difference(source, output) is None
    assert first_difference(output, source) is None


@pytest.mark.parametrize(("source", "output"), DIFFERENT)
def test_two_sheets_differ_where_css_may_read_them_differently(source: str, output: str) -> None:
    assert first_difference(source, output) is not None
    assert first_difference(output, source) is not None
    assert first_difference(source, source) is None


@pytest.mark.parametrize(
    ("source", "output", "difference"),
    [
        ("a{} b{c:d e}", "a{}b{c:de}", (10, 8)),
        ("/* x */ a .b{}", "a.b{}", (10, 1)),
        ('a{b:"x"; c:"y  z"}', 'a{b:"x";c:"y z"}', (11, 10)),
        ("q{}\n.p{a :hover{}}", "q{}.p{a:hover{}}", (7, 6)),
        ("a{b:c} @layer a;", "a{b:c}@layer a", (16, 14)),
        ("a{b:url(x.png) d}", "a{b:url(x.png)d}", (15, 14)),
        ("a{b:(} c:d", "a{b:(}c:d", (5, 5)),
        ("a{b: c; --x: .p :hover}", "a{b:c;--x:.p:hover}", (13, 10)),
        ("a{--x: {b:c;}; d:e}", "a{--x:{b:c};d:e}", (7, 6)),
    ],
)
def test_the_first_difference_has_a_place_in_both_texts(source: str, output: str, difference: tuple[int, int]) -> None:
    assert first_difference(source, output) == difference


@pytest.mark.parametrize(
    "unit",
    ["(", "a{", "{}", ";", ":", " :", "a :b{", "a: ", "--a:{b :c;", "/**/", '"', "'a'", "\\", "url(", "@import(", "x;;"],
)
def test_any_two_texts_are_compared(unit: str) -> None:
    assert first_difference(unit * 20_000, unit * 20_000 + "a") is not None
