r"""CSS references: `url()` and `src()`, the strings of `image-set()`, `@import`, and the last `sourceMappingURL` comment.

Names count in any letter case and with escapes (`\75rl(`). Nothing counts in comments, strings, `@namespace`, or a name that
only ends in `url`. A `url()` in a custom property counts like any other: it is relative to the style sheet in which it was
written, as every tool that rewrites style sheets has it.

An `@import` is one only at the head, as far as syntax.css.rules has it; elsewhere browsers ignore it, and it is left alone
with a note.
"""

from __future__ import annotations

from collections.abc import Iterator

from assetbuild.references import Kind, Note, Reference, Scan, is_local, sourcemap
from assetbuild.syntax import css, expression
from assetbuild.syntax.css import Token
from assetbuild.syntax.css.rules import head_rules, name_of, statement

_BLANKS = " \t\r\n\f"
_QUERY_OR_FRAGMENT = expression(r"[?#]")
_IMAGE_SETS = ("image-set", "-webkit-image-set")
_URL_FUNCTIONS = ("url", "src")


def find(text: str) -> Scan:
    """The references of a style sheet. Never fails: what is no CSS holds none, or those that a browser would still see."""
    references: list[Reference] = []
    late: list[int] = []
    comments: list[Token] = []
    counting = head_rules(text)
    position = css.head(text)
    while token := css.landmark(text, position):
        position = token.end
        if token.type == "url":
            references += _reference(text, *css.inside(text, token), "url")
        elif token.type == "comment":
            comments.append(token)
        elif token.type == "at-keyword":
            name = name_of(text, token)
            if name in ("import", "namespace"):
                counts = token.start in counting
                rest = list(statement(css.tokens(text, token.end), in_block=not counts))
                position = rest[-1].end if rest else token.end
                comments += (part for part in rest if part.type == "comment")
                if name == "import" and counts:
                    references += _imported(text, rest, (token.start, position))
                elif name == "import" and not (rest and rest[-1].type == "{"):
                    late.append(token.start)
        elif token.type == "function":
            if name_of(text, token) in _IMAGE_SETS:
                position = _image_set(text, token.end, references)
            else:
                position = _url_function(text, token, references)
    found = (
        sourcemap.find(text, {comment.start for comment in comments}.__contains__, line_comments=False) if comments else None
    )
    if found and found.reference:
        references.append(found.reference)
    references.sort(key=lambda reference: reference.start)
    return Scan(tuple(references), _notes(text, late), found.whole if found else None, found.instead if found else "")


def _imported(text: str, rest: list[Token], whole: tuple[int, int]) -> Iterator[Reference]:
    parts = iter([token for token in rest if token.type not in ("whitespace", "comment")])
    first = next(parts, None)
    if first is not None and first.type == "function" and name_of(text, first) in _URL_FUNCTIONS:
        first = next(parts, None)
    if first is not None and first.type in ("string", "url"):
        yield from _reference(text, *css.inside(text, first), "import", whole)


def _url_function(text: str, function: Token, references: list[Reference]) -> int:
    for token in css.tokens(text, function.end):
        if token.type == "string":
            references += _reference(text, *css.inside(text, token), "url")
            return token.end
        if token.type not in ("whitespace", "comment"):
            break
    return function.end


def _image_set(text: str, start: int, references: list[Reference]) -> int:
    """Reads to the parenthesis that ends an image-set(): its own strings are URLs, those of `type()` are not."""
    functions = [""]
    position = start
    for token in css.tokens(text, start):
        position = token.end
        if token.type == "function":
            functions.append(name_of(text, token))
        elif token.type == "(":
            functions.append("(")
        elif token.type == ")":
            functions.pop()
            if not functions:
                break
        elif token.type in ("semicolon", "{", "}"):
            # It was never closed; what follows is better read afresh.
            return token.start
        elif token.type == "url" or (token.type == "string" and (len(functions) == 1 or functions[-1] in _URL_FUNCTIONS)):
            references += _reference(text, *css.inside(text, token), "url")
    return position


def _reference(text: str, start: int, end: int, kind: Kind, whole: tuple[int, int] | None = None) -> tuple[Reference, ...]:
    raw = text[start:end]
    if "\\" in raw:
        start, end, path = _decoded(raw, start)
    else:
        start += len(raw) - len(raw.lstrip(_BLANKS))
        path = _QUERY_OR_FRAGMENT.split(raw.strip(_BLANKS), maxsplit=1)[0]
        end = start + len(path)
    if not is_local(path):
        return ()
    return (Reference(start, end, path, kind, whole or (start, end)),)


_PIECE = expression(r"\\(?:[0-9a-fA-F]{1,6}+(?:\r\n|[ \t\r\n\f])?+|\r\n|[\s\S]|\Z)|[^\\]")


def _decoded(raw: str, offset: int) -> tuple[int, int, str]:
    """The path in a text with escapes: its span and what it says."""
    pieces = [(css.unescape(piece[0]), piece.start(), piece.end()) for piece in _PIECE.finditer(raw)]
    stop = next((i for i, (said, _, _) in enumerate(pieces) if said in ("?", "#")), len(pieces))
    first = 0
    while first < stop and pieces[first][0] in _BLANKS:
        first += 1
    if stop == len(pieces):
        while stop > first and pieces[stop - 1][0] in _BLANKS:
            stop -= 1
    if first == stop:
        return offset, offset, ""
    path = "".join(said for said, _, _ in pieces[first:stop])
    # A blank that is written as an escape could swallow the new text's first digits.
    begin = next((i for i in range(first) if raw[pieces[i][1]] == "\\"), first)
    return offset + pieces[begin][1], offset + pieces[stop - 1][2], path


def _notes(text: str, late: list[int]) -> tuple[Note, ...]:
    """Notes for the ignored imports that stand in no block."""
    if not late:
        return ()
    notes = []
    waiting = set(late)
    depth = 0
    for token in css.tokens(text):
        if token.type == "{":
            depth += 1
        elif token.type == "}":
            depth = max(0, depth - 1)
        elif token.start in waiting and depth == 0:
            notes.append(Note(token.start, "browsers ignore an @import below other rules; left as it is"))
    return tuple(notes)
