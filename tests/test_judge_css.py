"""Judges that no one here wrote: css-tree and tinycss2 read the style sheets of well-known packages, and agree with us; so does
Chromium about the rules behind which an import counts."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import tinycss2
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

from assetbuild.filters import Unit
from assetbuild.filters.rcssmin import RCSSMin
from assetbuild.references import css as references
from assetbuild.references import is_local
from assetbuild.syntax import css
from tests.browser import chromium
from tests.conftest import examples
from tests.npm import node, packages, share

pytestmark = pytest.mark.long

PACKAGES = (
    "bootstrap",
    "bulma",
    "@picocss/pico",
    "katex",
    "@fortawesome/fontawesome-free",
    "codemirror",
    "leaflet",
    "video.js",
    "tinymce",
    "monaco-editor",
)
UNIT = Unit("a.css", "/a.css", (), "css")


def _sheets(package: str) -> list[Path]:
    folder = packages() / package
    found = sorted(file for file in folder.rglob("*.css") if "node_modules" not in file.relative_to(folder).parts)
    if package == "@picocss/pico":
        # A hundred sheets that differ in their colours alone: as they were written is enough.
        found = [file for file in found if ".min." not in file.name]
    found = share(found, 800_000)
    assert found, f"{package} holds no style sheet"
    return found


@functools.cache
def _texts(package: str) -> dict[Path, str]:
    return {file: file.read_bytes().decode("utf-8") for file in _sheets(package)}


def _listed(text: str) -> str:
    return "\n".join(f"{token.type} {token.end}" for token in css.tokens(text))


@pytest.mark.parametrize("package", PACKAGES)
def test_css_tree_sees_the_same_tokens_references_and_published_trees_in_a_package(package: str) -> None:
    """Of every style sheet: its tokens with their offsets; the tree of what is published, minified; its url() and imports."""
    sheets = _texts(package)
    published = {}
    for file, text in sheets.items():
        css.check(text)
        filtered = RCSSMin().apply(text, UNIT)
        assert not filtered.refused, f"{file} is not minified: {filtered.notes}"
        published[file] = filtered.text
    asked = [{"source": str(file), "published": text} for file, text in published.items()]
    verdicts: list[dict[str, Any]] = json.loads(node("css.cjs", text=json.dumps(asked)))
    for (file, text), verdict in zip(sheets.items(), verdicts, strict=True):
        assert hashlib.sha256(_listed(text).encode()).hexdigest() == verdict["tokens"], file
        assert verdict["difference"] == "", file
        found = references.find(text).references
        paths = [url.strip().split("?")[0].split("#")[0] for url in verdict["urls"]]
        assert [r.path for r in found if r.kind != "sourcemap"] == [path for path in paths if is_local(path)], file
        # Where no path has escapes, the spans say the paths.
        assert [text[r.start : r.end] for r in found] == [r.path for r in found], file


@pytest.mark.parametrize("package", ("katex", "leaflet", "video.js", "codemirror"))
def test_the_token_texts_are_the_tokens_spans(package: str) -> None:
    for text in _texts(package).values():
        assert css.texts(text) == [text[token.start : token.end] for token in css.tokens(text)]


_NASTY = st.text(alphabet="\"'\\/*()url-+.0e1#@<!>{}:;, \t\n\r\f%aé\U0001f600", max_size=24)
_ALONE = ['"', "'", "\\", "\n", " ", "-", "+", "%", "#", "@", "a", "é", "(", ")", "{", "}", ":", ";", ",", "1", "/", "*", "!"]
_TOGETHER = ["url(", "URL( ", "u\\72l(", "\r\n", "/*", "*/", "-->", "<!--", "--", ".5", "1e3", "1e", "\\31 ", "\\\n", "@media"]
_PIECES = st.lists(st.sampled_from([*_ALONE, *_TOGETHER, "\x7f", "\x01"]), max_size=12).map("".join)


def _differently_read(text: str) -> bool:
    # css-tree takes the line end into a bad string, where the specification leaves it for the next token (section 4.3.5),
    # does not see a "url" with escapes (section 4.3.4 compares the name's value), and takes a backslash at the end of the
    # text for no escape (section 4.3.8 has it that only a line end makes it none). In a bad URL it loses what follows an
    # escape.
    return text.endswith("\\") or any(
        token.type == "bad-string"
        or (token.type == "bad-url" and "\\" in text[token.start : token.end])
        or (token.type in ("url", "bad-url", "function") and "\\" in text[token.start : text.index("(", token.start)])
        for token in css.tokens(text)
    )


@settings(max_examples=examples(8), phases=(Phase.explicit, Phase.generate))
@given(st.lists(_NASTY | _PIECES, min_size=300, max_size=400))
def test_any_text_has_the_tokens_that_css_tree_gives_it(texts: list[str]) -> None:
    texts = [text for text in texts if not _differently_read(text)]
    answers = json.loads(node("css.cjs", text=json.dumps([{"text": text} for text in texts])))
    differing = [
        (text, _listed(text), answer["tokens"])
        for text, answer in zip(texts, answers, strict=True)
        if _listed(text) != answer["tokens"]
    ]
    assert differing[:1] == []


def _values(nodes: list[Any]) -> list[tuple[str, str]]:
    """What tinycss2 read: types and values, blocks laid flat."""
    found: list[tuple[str, str]] = []
    pending = list(reversed(nodes))
    while pending:
        node_ = pending.pop()
        if isinstance(node_, tuple):
            found.append(node_)
            continue
        kind = node_.type
        if kind in ("whitespace", "comment"):
            found.append((kind, ""))
        elif kind in ("() block", "[] block", "{} block", "function"):
            found.append((kind, node_.name if kind == "function" else ""))
            inner = node_.arguments if kind == "function" else node_.content
            pending.append(("end", ""))
            pending += reversed(inner)
        elif kind == "error":
            # An end of the text within a string or a URL is told apart from the value that it still has.
            if node_.kind not in ("eof-in-string", "eof-in-url"):
                found.append(("error", ""))
        elif kind in ("number", "percentage", "dimension"):
            found.append((kind, node_.representation + getattr(node_, "unit", "")))
        elif kind == "unicode-range":
            found.append((kind, ""))
        else:
            found.append((kind, str(node_.value)))
    return found


def _our_values(text: str) -> list[tuple[str, str]]:
    """The same from our tokens."""
    found: list[tuple[str, str]] = []
    closing: list[str] = []
    opening = {"(": ")", "[": "]", "{": "}"}
    for token in css.tokens(text):
        kind, said = token.type, text[token.start : token.end]
        if kind in ("whitespace", "comment"):
            found.append((kind, ""))
        elif kind in opening:
            found.append((f"{kind}{opening[kind]} block", ""))
            closing.append(opening[kind])
        elif kind == "function":
            found.append((kind, css.unescape(said[:-1])))
            closing.append(")")
        elif kind in (")", "]", "}"):
            if closing and closing[-1] == kind:
                closing.pop()
                found.append(("end", ""))
            else:
                found.append(("error", ""))
        elif kind in ("bad-string", "bad-url"):
            found.append(("error", ""))
        elif kind in ("string", "url"):
            found.append((kind, css.unescape(text[slice(*css.inside(text, token))])))
        elif kind in ("at-keyword", "hash"):
            found.append((kind, css.unescape(said[1:])))
        elif kind in ("number", "percentage", "dimension"):
            found.append((kind, css.unescape(said.removesuffix("%") if kind == "percentage" else said)))
        elif kind == "ident":
            found.append((kind, css.unescape(said)))
        else:
            found.append(("literal", said))
    return found + [("end", "")] * len(closing)


@settings(max_examples=examples(1000))
@example("url(a\\)")
@example("a\\")
@given(_NASTY | _PIECES)
def test_any_text_has_the_values_that_tinycss2_gives_it(text: str) -> None:
    normal = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    # A line end behind a backslash makes no escape (section 4.3.8), so this URL is a bad one; tinycss2 takes it for a good one.
    assume(not any(token.type == "bad-url" and "\\\n" in normal[token.start : token.end] for token in css.tokens(normal)))
    values = _values(tinycss2.parse_component_value_list(text))
    # This token is one where a property's syntax asks for it alone, by the draft of today (section 4.3.14).
    assume(("unicode-range", "") not in values)
    assert _our_values(normal) == values


# Rules, some valid and some not, parted by a bar.
RULES = r"""
@-ms-viewport{width:device-width} ¦ @unknown x; ¦ @unknown{} ¦ @unknown x{a{b:c}} ¦ {} ¦ %%{} ¦ @import "a.css"{}
@property --x{} ¦ @property --x{syntax:"*";inherits:false} ¦ @property --x{syntax:"<color>";inherits:false}
@property --x{syntax:"<color>";inherits:false;initial-value:red}
@property --x{syntax:"<color>";inherits:true;initial-value:1px} ¦ @property --x{SYNTAX:"*";inherits:true}
@property --x{inherits:true} ¦ @property x{syntax:"*";inherits:true} ¦ @property{} ¦ @charset "utf-8" {}
@charset "utf-8"; ¦ @media{} ¦ @media print{} ¦ @media foo bar(){} ¦ @media {a{}} ¦ @media; ¦ @supports{}
@supports (a:b){} ¦ @supports foo{} ¦ @supports not (a:b){} ¦ @supports selector(a){} ¦ @supports (a:b) or (c:d){}
@supports (a:b) or (c:d) and (e:f){} ¦ @supports a:b{} ¦ @supports (foo){} ¦ @supports foo(bar){}
@supports font-tech(color-COLRv1){} ¦ @font-face{} ¦ @font-face {font-family:x;src:url(x)} ¦ @font-face x{}
@keyframes x{} ¦ @keyframes "x"{} ¦ @keyframes{} ¦ @keyframes x y{} ¦ @keyframes none{} ¦ @keyframes initial{}
@-webkit-keyframes x{} ¦ @-moz-keyframes x{} ¦ @-o-keyframes x{} ¦ @layer x{} ¦ @layer{} ¦ @layer x,y{} ¦ @layer x.y{}
@layer 1{} ¦ @layer x; ¦ @layer x,y; ¦ @layer; ¦ @layer x y; ¦ @page{} ¦ @page :first{} ¦ @page a{} ¦ @page a:first{}
@page :foo{} ¦ @page a b{} ¦ @page a, b{} ¦ @namespace "x"; ¦ @namespace a "x"; ¦ @namespace url(x); ¦ @namespace;
@namespace a; ¦ @namespace "x" y; ¦ @namespace "x"{} ¦ @container (width>1px){} ¦ @container a (width>1px){}
@container{} ¦ @container not (width>1px){} ¦ @container style(--a:b){} ¦ @container 1{} ¦ @scope{} ¦ @scope (a){}
@scope (a) to (b){} ¦ @scope to (b){} ¦ @scope a{} ¦ @scope (%){} ¦ @counter-style x{}
@counter-style x{system:cyclic;symbols:"a"} ¦ @counter-style{} ¦ @counter-style none{} ¦ @counter-style decimal{}
@font-feature-values x{} ¦ @font-feature-values "x y", z{} ¦ @font-feature-values{} ¦ @font-palette-values --x{}
@font-palette-values x{} ¦ @font-palette-values{} ¦ @starting-style{} ¦ @starting-style x{} ¦ @view-transition{}
@view-transition x{} ¦ @view-transition{navigation:auto} ¦ @position-try --x{} ¦ @position-try x{} ¦ @position-try{}
@mixin --x{} ¦ @viewport{} ¦ @document url(x){} ¦ @-moz-document url(x){} ¦ @custom-media --x (a);
@custom-selector :--x a; ¦ @color-profile --x{} ¦ @color-profile --x{src:url(x)} ¦ @apply x; ¦ @tailwind base;
@stylistic{} ¦ @top-left{} ¦ @supports-condition --x{} ¦ @route --x{} ¦ a{} ¦ a{b:c} ¦ .a{} ¦ #a{} ¦ #1{} ¦ [a]{}
[a=b]{} ¦ [a="b" i]{} ¦ [a=b s]{} ¦ [a=1]{} ¦ [a|=b]{} ¦ [|a]{} ¦ [*|a]{} ¦ [x|a]{} ¦ *{} ¦ *|*{} ¦ |a{} ¦ *|a{}
x|a{} ¦ a b{} ¦ a>b{} ¦ a+b{} ¦ a~b{} ¦ a||b{} ¦ >a{} ¦ a>{} ¦ a>>b{} ¦ a,b{} ¦ a,{} ¦ ,a{} ¦ a,,b{} ¦ a:hover{}
a:foo{} ¦ a:-webkit-foo{} ¦ a:-moz-foo{} ¦ a::before{} ¦ a:before{} ¦ a::foo{} ¦ a::-webkit-foo{} ¦ a::-moz-foo{}
a::-moz-focus-inner{} ¦ a::-webkit-scrollbar{} ¦ a:is(b){} ¦ a:is(%){} ¦ a:is(){} ¦ a:where(b,%){} ¦ a:not(b){}
a:not(%){} ¦ a:not(){} ¦ a:has(b){} ¦ a:has(>b){} ¦ a:nth-child(2n+1){} ¦ a:nth-child(foo){} ¦ a:nth-child(2 of b){}
a:lang(en){} ¦ a:dir(ltr){} ¦ a:hover(){} ¦ :root{} ¦ :host{} ¦ ::part(a){} ¦ :--x{} ¦ --x{} ¦ --x:hover{} ¦ --x:y{}
--x y:hover{} ¦ &{} ¦ &:hover{} ¦ &a{} ¦ a&{} ¦ .1{} ¦ 1{} ¦ a.{} ¦ a#{} ¦ a:{} ¦ a::{} ¦ a:::b{} ¦ a b c>d{} ¦ a!b{}
a;b{} ¦ a;{} ¦ ;{} ¦ ;a{} ¦ @{} ¦ "a"{} ¦ url(a){} ¦ f(a){} ¦ (a){} ¦ [a{}]{} ¦ a]{} ¦ a){} ¦ }a{} ¦ <a{} ¦ a/**/b{}
/**/a{} ¦ \61{} ¦ a\:b{} ¦ é{} ¦ .\31 0{} ¦ a/b{} ¦ .a.b#c[d]:e{} ¦ from{} ¦ 50%{} ¦ to{} ¦ a:first-line:hover{}
a::before:hover{} ¦ a::before b{} ¦ :is(a)b{} ¦ a :hover{} ¦ a: hover{} ¦ a :: before{} ¦ . a{} ¦ # a{}
:not(a):hover{} ¦ ::selection{} ¦ ::placeholder{} ¦ :-webkit-any(a){} ¦ :-moz-any(a){} ¦ :matches(a){}
:focus-visible{} ¦ :user-invalid{} ¦ :-internal-x{} ¦ :fullscreen{} ¦ :-webkit-full-screen{}
:-ms-input-placeholder{} ¦ ::-ms-clear{} ¦ :defined{} ¦ :popover-open{} ¦ :blank{} ¦ :local-link{} ¦ :scope{}
a:HOVER{} ¦ A::BEFORE{} ¦ @MEDIA print{} ¦ @media print{a{b:c}} a ¦ @media print ¦ @import "x";@layer z;
@import foo;@layer z; ¦ @layer z;@import foo; ¦ @import;@layer z; ¦ @import "x" foo bar{};
@import url(x) layer(a) supports(b:c) print;@layer z; ¦ @import src("x");@layer z; ¦ @import url(x"y);@layer z;
@unknown{}@layer z; ¦ @layer y;@unknown{} ¦ @layer y;@layer z; ¦ @import "data:,";@unknown{} ¦ @import "data:,";%%{}
@import "data:,";@layer y; ¦ @import "data:,";@layer y{} ¦ @import "data:,";@layer; ¦ <!-- --> ¦ <!-- {} -->
<!--a{}--> ¦ a{} b{} ¦ {} a{} ¦ a;@import "x";b ¦ x{}y{} ¦ @media print{}} ¦ @import url(x) print;@layer z;
@import url(x) layer(a);@layer z; ¦ @import url(x) supports(b:c);@layer z;
@import url(x) supports(b:c) print;@layer z; ¦ @import "x" supports();@layer z; ¦ @import url("x" foo);@layer z;
@import url();@layer z; ¦ @import "";@layer z; ¦ @layer a . b{} ¦ @layer a/**/.b{} ¦ @layer inherit;
@namespace "x" url(y); ¦ @namespace a b "x"; ¦ @scope (a,%){} ¦ @scope (){} ¦ @scope (a) to (){} ¦ @scope (a) to{}
@font-feature-values 1{} ¦ @font-feature-values x,{} ¦ @keyframes NONE{} ¦ @keyframes default{} ¦ @keyframes unset{}
@counter-style disc{} ¦ @counter-style square{} ¦ @page A:first:left{} ¦ @page :first:left{} ¦ @page a :first{}
@page :FIRST{} ¦ @page a:blank{} ¦ @container none (width>1px){} ¦ @container foo(bar){} ¦ @container (){}
@container a b (width>1px){} ¦ @container a not (width>1px){} ¦ @container (a) and (b){}
@container (a) or (b) and (c){} ¦ @container style(a){} ¦ @container scroll-state(stuck:top){} ¦ @supports (a){}
@supports (){} ¦ @supports not{} ¦ @supports and{} ¦ @supports (a:b) (c:d){} ¦ @supports (a:b) and{}
@supports not not (a:b){} ¦ @supports (a:b) AND (c:d){} ¦ @supports (a:b)and (c:d){} ¦ @supports not(a:b){}
a:NOT(b){} ¦ a:nth-child(even){} ¦ a:nth-child( -n + 3 ){} ¦ a:nth-child(+3n-2){} ¦ a:nth-child(n of){}
a:nth-last-of-type(2){} ¦ a:nth-of-type(2 of b){} ¦ a:lang("en"){} ¦ a:lang(){} ¦ a:has(){} ¦ a:has(:has(b)){}
a:is(b,,c){} ¦ a:is(:not(%)){} ¦ a:not(b c){} ¦ a:not(b,c){} ¦ a:not(::before){} ¦ a:not(>b){} ¦ a:host{}
a ::slotted(b c){} ¦ ::slotted(){} ¦ ::part(){} ¦ ::cue(){} ¦ ::highlight(){} ¦ ::highlight(a b){} ¦ :host(a b){}
::before{} ¦ ::BEFORE{} ¦ a::first-letter{} ¦ ::backdrop{} ¦ ::file-selector-button{} ¦ ::marker{} ¦ ::target-text{}
::cue{} ¦ ::-webkit-x(a){} ¦ :any-link{} ¦ :autofill{} ¦ :-webkit-autofill{} ¦ :-webkit-any-link{} ¦ :modal{}
:placeholder-shown{} ¦ :in-range{} ¦ :target{} ¦ :paused{} ¦ :playing{} ¦ :muted{} ¦ :target-within{} ¦ :read-only{}
:default{} ¦ :indeterminate{} ¦ ::after:hover{} ¦ ::selection:hover{} ¦ &&{} ¦ &.a{} ¦ .a&{} ¦ a*{} ¦ *a{} ¦ **{}
[a]b{} ¦ .a b*{} ¦ [ a = "b" ]{} ¦ [a = b i ]{} ¦ [a="b"i]{} ¦ [a=bi]{} ¦ [a~=b][a|=b][a^=b][a$=b][a*=b]{} ¦ [a~ =b]{}
[a =b c]{} ¦ [*|a=b]{} ¦ [*]{} ¦ []{} ¦ [a,b]{} ¦ ["a"]{} ¦ [a=]{} ¦ [--a]{} ¦ #--a{} ¦ #-a{} ¦ #-{} ¦ #\31{} ¦ .-a{}
.--a{} ¦ .-{} ¦ a|*{} ¦ *||a{} ¦ a | b{} ¦ *| a{} ¦ a\,b{} ¦ a > > b{} ¦ a + ~ b{} ¦ a > , b{} ¦ a >b,+c{}
a/*x*/ /*y*/b{} ¦ a/**/.b{} ¦ a/**/:hover{} ¦ :/**/hover{} ¦ a:/**/:before{} ¦ .a/**/#b{} ¦ a,/**/b{} ¦ /**/{}
:hover a{} ¦ a:hover::before{} ¦ a::before,b{} ¦ a:before.b{} ¦ a::before.b{}
@property --x{syntax:"<color>";inherits:false;initial-value:RED}
@property --x{syntax:"<color>";inherits:false;initial-value:#fff}
@property --x{syntax:"<color>";inherits:false;initial-value:rgb(1,2,3)}
@property --x{syntax:"<color>";inherits:false;initial-value:foo}
@property --x{syntax:"<length>";inherits:false;initial-value:1px}
@property --x{syntax:"<length>";inherits:false;initial-value:0}
@property --x{syntax:"<length>";inherits:false;initial-value:1em}
@property --x{syntax:"<angle>";inherits:false;initial-value:1deg}
@property --x{syntax:"<angle>";inherits:false;initial-value:0deg}
@property --x{syntax:"<number>";inherits:false;initial-value:1}
@property --x{syntax:"<integer>";inherits:false;initial-value:1.5}
@property --x{syntax:"<percentage>";inherits:false;initial-value:1%} ¦ @property --x{inherits:false;syntax:"*"}
@property --x{inherits:foo;syntax:"*"} ¦ @property --x{syntax:*;inherits:false}
@property --x y{syntax:"*";inherits:false} ¦ @property --{syntax:"*";inherits:false}
@property --x{syntax:"* ";inherits:false} ¦ @position-try --x y{} ¦ @view-transition {a{}} ¦ @media ¦ a ¦ @layer x
@unknown ¦ @font-face ¦ @import "x"{}; ¦ @charset "x"{}a{}
"""


def test_an_import_counts_behind_the_rules_behind_which_chromium_follows_it() -> None:
    rules = [rule for line in RULES.strip().splitlines() for rule in line.split(" ¦ ")]
    followed, counted = [], []
    with chromium() as browser:
        page = browser.new_page()
        for rule in rules:
            sheet = quote(f"{rule}\n@import 'data:text/css,p{{color:rgb(1,2,3)}}';")
            page.set_content(f'<!doctype html><link rel=stylesheet href="data:text/css,{sheet}"><p>x', wait_until="load")
            if page.evaluate("getComputedStyle(document.querySelector('p')).color") == "rgb(1, 2, 3)":
                followed.append(rule)
            if "x.css" in (r.path for r in references.find(f"{rule}\n@import 'x.css';").references):
                counted.append(rule)
    assert counted == followed
    assert 100 < len(followed) < len(rules) - 100
