"""Web manifest references: `src` of icons, of screenshots, and of shortcuts' icons (W3C Web Application Manifest).

The text is walked token by token with a stack of its own: the place of each string is known, and no depth is too deep.
"""

from __future__ import annotations

import json
import re

from assetbuild.references import Reference, Scan, is_local
from assetbuild.syntax import LexError, expression

_TOKEN = expression(
    r"[ \t\r\n]*+(?:"
    r'"(?P<string>(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)"'
    r"|(?P<scalar>true|false|null|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)"
    r"|(?P<mark>[{}\[\]:,])"
    r"|(?P<end>\Z))"
)
_BLANKS = expression(r"[ \t\r\n]*+")
_PIECE = expression(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]")
_QUERY_OR_FRAGMENT = frozenset(("?", "#"))
# Where a `src` stands: the names on the way to it, `*` for an array's members.
_PLACES = frozenset(
    (("icons", "*", "src"), ("screenshots", "*", "src"), ("shortcuts", "*", "icons", "*", "src")),
)


def find(text: str) -> Scan:
    """The references of a web manifest. Raises LexError where the text is no JSON (RFC 8259)."""
    references: list[Reference] = []
    # For each open object the name whose value comes next, for each open array "*".
    place: list[str] = []
    expected = "value"
    position = 1 if text.startswith("\ufeff") else 0
    while match := _TOKEN.match(text, position):
        start, position = position, match.end()
        kind, found = match.lastgroup, match[match.lastgroup or 0]
        if kind == "end":
            if expected != "end":
                break
            return Scan(tuple(references))
        if kind == "mark" and found in "}]":
            closes_empty = expected == ("name or }" if found == "}" else "value or ]")
            if not place or not (closes_empty or (expected == "comma" and (place[-1] == "*") == (found == "]"))):
                raise _unexpected(text, start)
            place.pop()
            expected = "comma" if place else "end"
        elif expected.startswith("value"):
            if kind == "mark":
                if found not in "{[":
                    raise _unexpected(text, start)
                place.append("*" if found == "[" else "")
                expected = "value or ]" if found == "[" else "name or }"
                continue
            if kind == "string" and len(place) in (3, 5) and tuple(place) in _PLACES:
                references += _reference(found, match.start("string"))
            expected = "comma" if place else "end"
        elif expected.startswith("name") and kind == "string":
            # An object's own "*" must not look like an array.
            name = json.loads(f'"{found}"') if "\\" in found else found
            place[-1] = "" if name == "*" else name
            expected = "colon"
        elif expected == "colon" and found == ":" and kind == "mark":
            expected = "value"
        elif expected == "comma" and found == "," and kind == "mark":
            expected = "value" if place[-1] == "*" else "name"
        else:
            raise _unexpected(text, start)
    raise _unexpected(text, position)


def _unexpected(text: str, start: int) -> LexError:
    blanks = _BLANKS.match(text, start)
    offset = blanks.end() if blanks else start
    if offset == len(text):
        return LexError("this JSON ends too early", offset)
    return LexError("this is not JSON from here on", offset)


def _reference(raw: str, offset: int) -> tuple[Reference, ...]:
    offset += len(raw) - len(raw.lstrip(" "))
    raw = raw.strip(" ")
    stop = len(raw)
    if "\\" in raw:
        stops = (
            piece.start()
            for piece in _PIECE.finditer(raw)
            if (json.loads(f'"{piece[0]}"') if piece[0][0] == "\\" else piece[0]) in _QUERY_OR_FRAGMENT
        )
    else:
        stops = (match.start() for match in re.finditer(r"[?#]", raw))
    raw = raw[: next(stops, stop)]
    # Half of a surrogate pair is no character; URLs take U+FFFD for it (Web IDL, USVString).
    path = json.loads(f'"{raw}"').encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not is_local(path):
        return ()
    end = offset + len(raw)
    return (Reference(offset, end, path, "url", (offset, end)),)
