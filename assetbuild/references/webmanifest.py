"""Web manifest references: `src` of icons, of screenshots, and of shortcuts' icons (W3C Web Application Manifest).

The text is walked token by token with a stack of its own: the place of each string is known, and no depth is too deep.
"""

from __future__ import annotations

import json

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
# A character as written; what nothing can be at the end of a path stands together.
_PIECE = expression(r"\\u[0-9a-fA-F]{4}|\\.|[^\\?# ]++|[^\\]")
_PLAIN_PIECE = expression(r"[^?# ]++|[?# ]")
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
    # Halves of surrogate pairs are put together, or no characters; URLs take U+FFFD for these (Web IDL, USVString).
    pieces = [
        (json.loads(f'"{piece[0]}"') if piece[0][0] == "\\" else piece[0], piece.start(), piece.end())
        for piece in (_PIECE if "\\" in raw else _PLAIN_PIECE).finditer(raw)
    ]
    stop = next((i for i, (said, _, _) in enumerate(pieces) if said in _QUERY_OR_FRAGMENT), len(pieces))
    first = 0
    while first < stop and pieces[first][0] <= " ":
        first += 1
    if stop == len(pieces):
        while stop > first and pieces[stop - 1][0] <= " ":
            stop -= 1
    if first == stop:
        return ()
    start, end = pieces[first][1], pieces[stop - 1][2]
    path = json.loads(f'"{raw[start:end]}"').encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not is_local(path):
        return ()
    return (Reference(offset + start, offset + end, path, "url", (offset + start, offset + end)),)
