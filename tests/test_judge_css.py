"""Judges that no one here wrote: css-tree and tinycss2 read the style sheets of well-known packages, and agree with us."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import tinycss2
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

from assetbuild.filters import Unit
from assetbuild.filters.rcssmin import RCSSMin
from assetbuild.references import css as references
from assetbuild.references import is_local
from assetbuild.syntax import css
from tests.npm import node, packages

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


@settings(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.generate))
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


@settings(max_examples=1500, deadline=None)
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
