"""References in JavaScript: the specifiers of `import` and `export`, `new URL("…", import.meta.url)`, and the comment that
names the source map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from assetbuild.references import Reference, Scan, is_local, sourcemap
from assetbuild.syntax import expression, js
from assetbuild.syntax.js.spans import Lexed, places

_T = (
    r"(?:[ \t\v\f\xa0\ufeff\u1680\u2000-\u200a\u202f\u205f\u3000\n\r\u2028\u2029]++"
    r"|//[^\n\r\u2028\u2029]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)*+"
)
_S = r""""[^"\\\n\r]*+(?:\\(?:\r\n|[\s\S])[^"\\\n\r]*+)*+"|'[^'\\\n\r]*+(?:\\(?:\r\n|[\s\S])[^'\\\n\r]*+)*+'"""
_LITERAL = rf"({_S}|`[^`\\$]*+(?:(?:\\[\s\S]|\$(?!\{{))[^`\\$]*+)*+`)"
_N = r"(?:[\w$\\\u200c\u200d]|[^\x00-\x7f\s\ufeff])++"
# What is between the braces of an import or export clause: names, strings, comments.
_CLAUSE = rf"\{{(?:[^{{}}'\"/;()=]++|{_S}|/(?:/[^\n\r\u2028\u2029]*+|\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/))*+\}}"
_FROM = rf"{_T}from{_T}({_S})"
_NAMED = rf"(?:\*{_T}as(?![\w$]){_T}{_N}|{_CLAUSE})"
_STATIC = expression(
    rf"import{_T}(?:({_S})|(?:(?:defer|source)(?![\w$]){_T}(?!,|from{_T}['\"]))?+"
    rf"(?:{_NAMED}|(?!from{_T}['\"]){_N}(?:{_T},{_T}{_NAMED})?+|from(?={_T}from)){_FROM}|{_N}{_FROM})"
)
_EXPORT = expression(rf"export{_T}(?:\*(?:{_T}as(?![\w$]){_T}(?:{_N}|{_S}))?+|{_CLAUSE}){_FROM}")
_DYNAMIC = expression(rf"import{_T}(?:\.{_T}(?:source|defer){_T})?+\({_T}{_LITERAL}{_T}([,)])")
_URL = expression(rf"URL{_T}\({_T}{_LITERAL}{_T},{_T}import{_T}\.{_T}meta{_T}\.{_T}url{_T}(?:,{_T})?\)")
_METHOD = expression(rf"{_T}\{{")
_NEWLINE = expression(r"[\n\r\u2028\u2029]")
_WORD_BEFORE = expression(r"[\w$\\#\u200c\u200d]|[^\x00-\x7f\s\ufeff]")
_WORD_BEHIND = expression(r"[\w$\\\u200c\u200d]|[^\x00-\x7f\s\ufeff]")


class Specifier(NamedTuple):
    """A specifier as written. start, end: the literal with its quotes, in characters. kind: what it belongs to."""

    start: int
    end: int
    kind: Literal["static", "dynamic", "url"]


def find(text: str, module: bool | None = None) -> Scan:
    """The references of a script or a module; None: whichever it is (see syntax.js.scan). Raises LexError."""
    return find_in(js.scan(text, module))


def find_in(lexed: Lexed) -> Scan:
    """The same for a text that was read already."""
    text = lexed.text
    references, bare = [], []
    for specifier in specifiers(lexed):
        reference = _reference(text, specifier)
        if reference is None:
            continue
        if reference.path.startswith(("./", "../", "/")):
            references.append(reference)
        elif specifier.kind == "url":  # Of an import it would be the import map's.
            bare.append(reference)
    comment = sourcemap.find(text, lexed.is_code, line_comments=True) if "sourceMappingURL=" in text else None
    if comment and comment.reference:
        references.append(comment.reference)
        references.sort(key=lambda r: r.start)
    whole, instead = (comment.whole, comment.instead) if comment else (None, "")
    return Scan(tuple(references), map_comment=whole, map_instead=instead, bare=tuple(bare))


def specifiers(lexed: Lexed) -> Iterator[Specifier]:
    """Every specifier that is a literal, relative or not, in order."""
    text = lexed.text
    words = lexed.module_words()
    for place in sorted([*words, *places(text, "URL")]) if "meta" in text else words:
        word = text[place : place + 6]
        length = 3 if word.startswith("URL") else 6
        if (place and _WORD_BEFORE.match(text[place - 1])) or _WORD_BEHIND.match(text[place + length : place + length + 1]):
            continue
        matched = _literal(lexed, place, word)
        if matched is None or not lexed.is_code(place):
            continue
        if _behind_new(lexed, place) if matched.kind == "url" else not lexed.is_property(place):
            yield matched


def _literal(lexed: Lexed, place: int, word: str) -> Specifier | None:
    text = lexed.text
    if word == "export":
        found = _EXPORT.match(text, place)
        return _static(lexed, found, place) if found else None
    if word == "import":
        found = _DYNAMIC.match(text, place)
        if found:
            # A method called import has no literal as its parameter; where it seems to, it is followed by its body.
            behind = _METHOD.match(text, found.end()) if found[2] == ")" else None
            if behind and not _NEWLINE.search(behind[0]):
                return None
            return Specifier(*found.span(1), "dynamic")
        found = _STATIC.match(text, place)
        return _static(lexed, found, place) if found else None
    found = _URL.match(text, place)
    return Specifier(*found.span(1), "url") if found else None


def _static(lexed: Lexed, found: re.Match[str], place: int) -> Specifier | None:
    group = next(number for number in range(1, found.re.groups + 1) if found[number] is not None)
    start, end = found.span(group)
    # Fields and methods of a class can look like this when a line end parts them: import⏎"x"(){}.
    if _NEWLINE.search(_bare(lexed.text[place:start])) and lexed.depth(place):
        return None
    return Specifier(start, end, "static")


def _bare(head: str) -> str:
    """The head of a declaration without its braces, whose line ends mean nothing."""
    opening = head.find("{")
    return head if opening < 0 else head[:opening] + head[head.rfind("}") + 1 :]


def _behind_new(lexed: Lexed, place: int) -> bool:
    end = lexed.token_end(place)
    start = end - 3
    if lexed.text[max(start, 0) : end] != "new" or (start and _WORD_BEFORE.match(lexed.text[start - 1])):
        return False
    return not lexed.is_property(start)


_ESCAPE = expression(
    r"\\(?:u\{0*([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|(\r\n|[\n\r\u2028\u2029])|([\s\S]))"
)
_SINGLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _decoded(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits:
        code = int(digits, 16)
        return chr(code) if code < 0x110000 else "\ufffd"
    if match[4]:
        return chr(int(match[4], 8))
    return "" if match[5] else _SINGLE.get(match[6], match[6])


def decode(literal: str) -> str:
    """The value of a string's text without its quotes (ECMAScript 2025, 12.9.4)."""
    if "\\" not in literal:
        return literal
    value = _ESCAPE.sub(_decoded, literal)
    if re.search("[\ud800-\udbff]", value):
        # Two escapes can make up one character.
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _reference(text: str, specifier: Specifier) -> Reference | None:
    start, end = specifier.start + 1, specifier.end - 1
    literal = text[start:end]
    # The first ? or # of the value; one that an escape makes counts as well.
    value = decode(literal)
    path = re.split(r"[?#]", value, maxsplit=1)[0]
    if not is_local(path):
        return None
    if path != value:
        end = start + _path_length(literal)
    return Reference(start, end, path, "module", (start, end))


def _path_length(literal: str) -> int:
    """How many characters of the literal as written stand before the first ? or # of its value."""
    position = 0
    while position < len(literal):
        found = _ESCAPE.match(literal, position)
        if (_decoded(found) if found else literal[position]) in ("?", "#"):
            break
        position = found.end() if found else position + 1
    return position
