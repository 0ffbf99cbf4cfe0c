"""The filter rcssmin: minified where the proof holds, untouched where it does not."""

from __future__ import annotations

import pytest

from assetbuild.filters import Unit
from assetbuild.filters.rcssmin import RCSSMin

UNIT = Unit("a.css", "/a.css", (), "css")


@pytest.mark.parametrize(
    ("text", "minified"),
    [
        ("a { color : red ; }\n", "a{color:red}"),
        ("/* a */ b > c , d{ e:f }", "b>c,d{e:f}"),
        ("/*! a */ b{}", "/*! a */b{}"),
        ("", ""),
        ('@charset "utf-8";\na{}', '@charset "utf-8";a{}'),
        ("\ufeff a{ }", "\ufeffa{}"),
        ("a{}\n/*# sourceMappingURL=a.map */", "a{}"),
        # What rcssmin alone would change the meaning of:
        (".p{ a :hover{} }", ".p{a :hover{}}"),
        (".p{ & .b{} }", ".p{& .b{}}"),
        (".p{ :is(a) :not( :b ){} }", ".p{:is(a) :not(:b){}}"),
        ("a{ b: url( 'c  d.png' ) }", "a{b:url('c  d.png')}"),
        ('a{ b: URL( "c  d.png" ) }', 'a{b:URL("c  d.png")}'),
        ("@layer a, b;", "@layer a,b;"),
        ("@layer a, b;\n", "@layer a,b;"),
        ("@layer a, b; /* c */", "@layer a,b;"),
        ("@import 'a b';", "@import 'a b';"),
        ("a/**/.b{ }", "a.b{}"),
        ("a{ --x: ; }", "a{--x: }"),
        ("a{ --x: ; c: d }", "a{--x: ;c:d}"),
        ("a{ --sel: .p :hover ; c: d }", "a{--sel:.p :hover;c:d}"),
        ("a{ --y: { c:d;;e:f; } ; g: h; }", "a{--y:{c:d;;e:f;};g:h}"),
        ("a{ --y:{c : d } }\n b { c : d }", "a{--y:{c : d}}b{c:d}"),
        ("a{ --y: (b: c) [d :e] }", "a{--y:(b: c) [d :e]}"),
        ("a{ --y: f(b: c); d : e }", "a{--y:f(b: c);d:e}"),
        ("a{ --y: : b }", "a{--y:: b}"),
        ("a{ b: calc( 1px + 2px ) }", "a{b:calc(1px + 2px)}"),
        ("@media ( a:b ) and ( c:d ){ }", "@media (a:b) and (c:d){}"),
        ("a{b:'\ue000  c'}", "a{b:'\ue000  c'}"),
        ("a{b:'\ue0000'; c: url( 'd  e' )}", "a{b:'\ue0000';c:url('d  e')}"),
        (".a\\31 b{ }", ".a\\31 b{}"),
        ("a{b:c\\9 }", "a{b:c\\9 }"),
    ],
)
def test_a_sheet_is_minified(text: str, minified: str) -> None:
    filtered = RCSSMin().apply(text, UNIT)
    assert (filtered.text, filtered.refused, filtered.notes) == (minified, False, ())


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("q{}\na/**/b{}", 9),
        ("q {}\n\n@layer a;;b{ }", 15),
        ("q {}\n\na{b:c}} d{}", 12),
        ("q {}\n\na { b : (c; d) }", 16),
        ("q {}\n\na { b : [c) }", 16),
        ("q {}\n\na { b : c", 8),
        ("q {}\n\na { b : u\\72l('c') }", 15),
        ("q {}\n\na { b : url(c d) }", 17),
        ("q {}\n\na\u2003b {}", 7),
        ("q {}\n\n--> b {}", 6),
        ("q {}\n\n" + "a{" * 64 + " b{" + "}" * 65, 136),
        # The first of the two rcssmin gets wrong, and the text of it is mended: it is not what keeps the sheet as it is.
        ("p{a :hover{}}\na/**/b{}", 19),
        ("a { b : 'c\n' }", 8),
        ("a { b : c } /* d", 12),
        ("/*!" * 20_000, 0),
    ],
)
def test_a_sheet_that_can_not_be_proved_the_same_is_handed_back_with_a_note_at_the_place(text: str, offset: int) -> None:
    filtered = RCSSMin().apply(text, UNIT)
    assert filtered.text == text
    assert filtered.refused
    (note,) = filtered.notes
    assert "published as it was written" in note.message
    if offset:
        assert note.offset == offset


def test_what_is_minified_is_not_changed_by_another_run() -> None:
    once = RCSSMin().apply("a { b : c } .p { d :hover { --x: ; } } @layer e;", UNIT).text
    assert RCSSMin().apply(once, UNIT).text == once


def test_the_identity_tells_the_tool_its_version_and_its_build() -> None:
    rcssmin = pytest.importorskip("rcssmin")
    name, version, build, _ = RCSSMin().identity()
    assert (name, version) == ("rcssmin", rcssmin.__version__)
    assert build in ("c", "python")


def test_it_promises_to_keep_the_meaning_and_to_read_no_further_file() -> None:
    filter_ = RCSSMin()
    assert (filter_.name, filter_.keeps_meaning, filter_.pure) == ("rcssmin", True, True)
    assert filter_.apply("a{}", UNIT).read == ()


def test_what_rcssmin_cannot_read_is_left_as_it_was() -> None:
    done = RCSSMin().apply("a { b:c } url\u00e9)", UNIT)
    assert (done.text, done.refused) == ("a { b:c } url\u00e9)", True)
    assert [(note.offset, note.message) for note in done.notes] == [
        (10, "rcssmin would change the meaning here; published as it was written")
    ]
