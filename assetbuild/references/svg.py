"""SVG references: `href` and `xlink:href` of `use`, `image` and `feImage`; `url()` and `@import` in `style` elements; `url()`
in `style` attributes and in the presentation attributes that take one.

The text is read as XML 1.0 by one regular expression that takes linear time. From where its markup cannot be read on, or where
its elements are not one inside the other, nothing is sure, so what was found before that place is all, and a note says where it
is. Other rules of XML, such as that no attribute stands twice in an element, are not looked after.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from xml.parsers import expat

from assetbuild.references import Note, Reference, Scan, css, is_local
from assetbuild.syntax import expression

_QUOTED = r"\"[^\"]*+\"|'[^']*+'"
_SUBSET_COMMENT = r"<!--[^-]*+(?:-(?!->)[^-]*+)*+-->"
_MARKUP = expression(
    r"<(?:"
    r"(?P<open>[^\s\"'<>/=!?][^\s\"'<>/=]*+)(?P<attributes>(?:[^\"'<>]++|\"[^\"<]*+\"|'[^'<]*+')*+)>"
    r"|/(?P<close>[^\s\"'<>/=]++)[ \t\r\n]*+>"
    r"|!(?P<comment>--[^-]*+(?:-(?!->)[^-]*+)*+-->)"
    r"|!\[CDATA\[(?P<cdata>[^\]]*+(?:\](?!\]>)[^\]]*+)*+)\]\]>"
    r"|(?P<instruction>\?[^?]*+(?:\?(?!>)[^?]*+)*+\?>)"
    rf"|(?P<doctype>!DOCTYPE(?:[^\[\]<>\"']++|{_QUOTED})*+"
    rf"(?:\[(?:[^\]\"'<]++|{_QUOTED}|{_SUBSET_COMMENT}|<\?[^?]*+(?:\?(?!>)[^?]*+)*+\?>|<(?!!--|\?))*+\][ \t\r\n]*+)?+>)"
    r"|(?P<mistake>))"
)
_ATTRIBUTE = expression(r"([^\s\"'<>/=]++)(?:[ \t\r\n]*+=[ \t\r\n]*+(?:\"([^\"]*+)\"|'([^']*+)'))?+")
_ENTITY = expression(r"&(?:#x([0-9a-fA-F]++)|#([0-9]++)|(amp|lt|gt|quot|apos)|[^;&]*+);|&")
_PREDEFINED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NEEDED = ("href", "(", "@", "&", "<!", "<?")
_REFERRING = frozenset(("use", "image", "feImage"))
_SVG = "http://www.w3.org/2000/svg"
_XHTML = "http://www.w3.org/1999/xhtml"
_XLINK = "http://www.w3.org/1999/xlink"
# What a prefix stands for without a declaration: fragments that are to be put into a page have none.
_ASSUMED = {"": _SVG, "svg": _SVG, "xlink": _XLINK}
# The properties of SVG 2, section 6.1, that may have a url() and may be written as attributes; and `style`.
_STYLED = frozenset(
    [
        "style",
        "clip-path",
        "cursor",
        "fill",
        "filter",
        "marker",
        "marker-end",
        "marker-mid",
        "marker-start",
        "mask",
        "stroke",
    ]
)
# An entity that the document declares: it stands for something that is not looked up, and spoils what it is part of.
_UNKNOWN = "\x00"
_BLANKS = " \t\r\n\f"
_XML_BLANKS = " \t\r\n"

_MISTAKE = "this is not well-formed XML; references from here on are not looked for"
_NOT_CLOSED = "this is not well-formed XML: this element is not closed"


class _Nesting:
    """The elements that are open. A document is one element, in which all others and all text are."""

    def __init__(self) -> None:
        self.open: list[tuple[str, int]] = []
        self.begun = False

    def fault(self, text: str, position: int, match: re.Match[str] | None) -> int | None:
        """Takes in the text from a position on and the markup behind it; where a mistake is in them, if there is one."""
        start = match.start() if match else len(text)
        if not self.open:
            between = text[position:start].removeprefix("" if position else "\ufeff")
            if rest := between.lstrip(_XML_BLANKS):
                return start - len(rest)
        if match is None:
            return None if self.begun else start
        kind = match.lastgroup
        if kind == "attributes":
            if self.begun and not self.open:
                return start
            self.begun = True
            if not match["attributes"].endswith("/"):
                self.open.append((match["open"], start))
        elif kind == "close":
            if not self.open or self.open.pop()[0] != match["close"]:
                return start
        elif kind == "mistake" or (kind == "cdata" and not self.open):
            return start
        return None


class _Decoded:
    """A text whose XML entities are decoded, put together from pieces of the document, and the way back to it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._at: list[int] = []
        self._spans: list[tuple[int, int]] = []
        self._length = 0

    def _add(self, part: str, start: int, end: int) -> None:
        if part:
            self._parts.append(part)
            self._at.append(self._length)
            self._spans.append((start, end))
            self._length += len(part)

    def add_plain(self, text: str, start: int, end: int) -> None:
        self._add(text[start:end], start, end)

    def add(self, text: str, start: int, end: int) -> None:
        position = start
        for entity in _ENTITY.finditer(text, start, end):
            self._add(text[position : entity.start()], position, entity.start())
            self._add(_decoded(entity), *entity.span())
            position = entity.end()
        self._add(text[position:end], position, end)

    def text(self) -> str:
        return "".join(self._parts)

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Where a span of the decoded text (not empty) stands in the document; None where markup cuts it."""
        first, last = bisect_right(self._at, start) - 1, bisect_right(self._at, end - 1) - 1
        for piece in range(first, last):
            if self._spans[piece][1] != self._spans[piece + 1][0]:
                return None
        return self._place(first, start), self._place(last, end - 1, 1)

    def _place(self, piece: int, offset: int, width: int = 0) -> int:
        start, end = self._spans[piece]
        if end - start == len(self._parts[piece]):
            return start + offset - self._at[piece] + width
        return end if width else start


def _decoded(entity: re.Match[str]) -> str:
    if named := entity[3]:
        return _PREDEFINED[named]
    digits, base = (entity[1], 16) if entity[1] else (entity[2], 10)
    # No character has a longer number; Python would take its time over a very long one.
    if not digits or len(digits.lstrip("0")) > 7:
        return _UNKNOWN
    code = int(digits, base)
    return chr(code) if 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF else _UNKNOWN


class _Namespaces:
    """What prefixes stand for in the elements that are open (Namespaces in XML 1.0, section 6)."""

    def __init__(self) -> None:
        self._uris: dict[str, list[str]] = {prefix: [uri] for prefix, uri in _ASSUMED.items()}
        self._declared: list[list[str]] = []

    def open(self, attributes: list[tuple[str, str]]) -> None:
        declared = []
        for name, value in attributes:
            prefix = name[6:] if name.startswith("xmlns:") else "" if name == "xmlns" else None
            if prefix is not None:
                # An entity of the document's own: Illustrator writes the namespaces so.
                uri = _ASSUMED.get(prefix, _UNKNOWN) if _UNKNOWN in value else value
                self._uris.setdefault(prefix, []).append(uri)
                declared.append(prefix)
        self._declared.append(declared)

    def close(self) -> None:
        for prefix in self._declared.pop() if self._declared else ():
            self._uris[prefix].pop()

    def element(self, name: str, *namespaces: str) -> str:
        """The local part of an element's name, or "" where it is in none of the namespaces. In doubt it is."""
        prefix, _, local = name.rpartition(":")
        uris = self._uris.get(prefix)
        return local if not uris or uris[-1] in (*namespaces, _UNKNOWN) else ""

    def is_xlink(self, name: str) -> bool:
        """Whether an attribute's prefix is that of XLink."""
        uris = self._uris.get(name.rpartition(":")[0])
        return uris is not None and uris[-1:] in ([_XLINK], [_UNKNOWN])


def find(text: str) -> Scan:
    """The references of an SVG document. Never fails."""
    return Scan(()) if _is_plain(text) else _found(text)


def _is_plain(text: str) -> bool:
    """Whether this is well-formed XML without anything that a reference would need: no `href`, no parenthesis of a url(), no
    at sign of an @import, and no entity that may be one. Most icons are, and a tenth of the time tells."""
    start = text.index("?>") + 2 if text.startswith("<?xml ") and "?>" in text else 0
    parts = []
    while (comment := text.find("<!--", start)) >= 0:
        parts.append(text[start:comment])
        start = text.find("-->", comment + 4) + 3
        if start < 3:
            return False
    bare = "".join((*parts, text[start:]))
    # What looks like a comment may be part of a CDATA section, of the document's type, or of an instruction.
    if any(sign in bare for sign in _NEEDED):
        return False
    try:
        expat.ParserCreate("utf-8").Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        return False
    return True


def _found(text: str) -> Scan:
    references: list[Reference] = []
    notes: tuple[Note, ...] = ()
    nesting = _Nesting()
    style: _Decoded | None = None
    namespaces = _Namespaces()
    position = 0
    while True:
        match = _MARKUP.search(text, position)
        fault = nesting.fault(text, position, match)
        if fault is not None:
            notes = (Note(fault, _MISTAKE),)
            break
        if style is not None:
            style.add(text, position, match.start() if match else len(text))
        if match is None:
            notes = tuple(Note(start, _NOT_CLOSED) for _, start in nesting.open[-1:])
            break
        position = match.end()
        kind = match.lastgroup
        if kind == "attributes":
            attributes = list(_attributes(text, *match.span("attributes")))
            namespaces.open([(name, _value(text, *span)) for name, *span in attributes if name.startswith("xmlns")])
            refers = namespaces.element(match["open"], _SVG) in _REFERRING
            is_css = True
            for attribute, start, end in attributes:
                if attribute in _STYLED:
                    references += _styled(text, start, end)
                elif refers and (attribute == "href" or (attribute.endswith(":href") and namespaces.is_xlink(attribute))):
                    references += _href(text, start, end)
                elif attribute == "type":
                    is_css = text[start:end].strip().lower() in ("", "text/css")
            if match["attributes"].endswith("/"):
                namespaces.close()
            elif is_css and namespaces.element(match["open"], _SVG, _XHTML) == "style":
                style = _Decoded()
        elif kind == "cdata" and style is not None:
            style.add_plain(text, *match.span("cdata"))
        elif kind == "close":
            namespaces.close()
            if style is not None and match["close"].rpartition(":")[2] == "style":
                references += _in_css(style)
                style = None
    return Scan(tuple(sorted(references, key=_start)), notes)


def _start(reference: Reference) -> int:
    return reference.start


def _attributes(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    for match in _ATTRIBUTE.finditer(text, start, end):
        if match.lastindex and match.lastindex > 1:
            yield match[1], *match.span(match.lastindex)


def _value(text: str, start: int, end: int) -> str:
    return _ENTITY.sub(_decoded, text[start:end])


def _styled(text: str, start: int, end: int) -> Iterator[Reference]:
    value = text[start:end]
    # What has neither a parenthesis nor an entity that may be one has no url().
    if "(" in value or "&" in value:
        decoded = _Decoded()
        decoded.add(text, start, end)
        yield from _in_css(decoded)


def _in_css(decoded: _Decoded) -> Iterator[Reference]:
    for reference in css.find(decoded.text()).references:
        span = decoded.span(reference.start, reference.end)
        if span is not None and reference.kind != "sourcemap" and _UNKNOWN not in reference.path:
            yield Reference(*span, reference.path, "url", span)


def _href(text: str, start: int, end: int) -> Iterator[Reference]:
    decoded = _Decoded()
    decoded.add(text, start, end)
    value = decoded.text()
    path = re.split(r"[?#]", value.strip(_BLANKS), maxsplit=1)[0]
    if not is_local(path) or _UNKNOWN in path:
        return
    first = len(value) - len(value.lstrip(_BLANKS))
    span = decoded.span(first, first + len(path))
    if span is not None:
        yield Reference(*span, path, "url", span)
