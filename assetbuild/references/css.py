r"""CSS references: `url()` and `src()`, the strings of `image-set()`, `@import`, and the last `sourceMappingURL` comment.

Names count in any letter case and with escapes (`\75rl(`). Nothing counts in comments, strings, `@namespace`, or a name that
only ends in `url`. A `url()` in a custom property counts like any other: it is relative to the style sheet in which it was
written, as every tool that rewrites style sheets has it.

An `@import` is one only before every other rule but `@charset` and `@layer a, b;`, and with no other rule between it and the
`@import` before it (CSS Cascade Level 5, section 2); what is no rule to browsers, such as `@media;`, does not count.
Elsewhere browsers ignore it, and it is left alone with a note.
"""

from __future__ import annotations

from collections.abc import Iterator

from assetbuild.references import Kind, Note, Reference, Scan, is_local, sourcemap
from assetbuild.syntax import css, expression
from assetbuild.syntax.css import Token

_BLANKS = " \t\r\n\f"
_QUERY_OR_FRAGMENT = expression(r"[?#]")
_IMAGE_SETS = ("image-set", "-webkit-image-set")
_URL_FUNCTIONS = ("url", "src")
_OPENING = {"(": ")", "[": "]", "{": "}", "function": ")"}


def find(text: str) -> Scan:
    """The references of a style sheet. Never fails: what is no CSS holds none, or those that a browser would still see."""
    references: list[Reference] = []
    late: list[int] = []
    comments: list[Token] = []
    position = _imports(text, references, comments)
    while token := css.landmark(text, position):
        position = token.end
        if token.type == "url":
            references += _reference(text, *css.inside(text, token), "url")
        elif token.type == "comment":
            comments.append(token)
        elif token.type == "at-keyword":
            name = _name(text, token)
            if name == "import":
                late.append(token.start)
            if name in ("import", "namespace"):
                position = _statement_end(text, token.end)
        elif token.type == "function":
            if _name(text, token) in _IMAGE_SETS:
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


def _name(text: str, token: Token) -> str:
    """The name of a function or at-keyword, decoded and in small letters."""
    raw = text[token.start : token.end]
    return css.unescape(raw[1:] if token.type == "at-keyword" else raw[:-1]).lower()


def _imports(text: str, references: list[Reference], comments: list[Token]) -> int:
    """Reads the rules at the head among which `@import` counts; gives the offset at which they end."""
    tokens = css.tokens(text)
    imported = False
    end = css.head(text)
    for token in tokens:
        if token.type == "comment":
            comments.append(token)
        elif token.type == "at-keyword":
            name = _name(text, token)
            rest = list(_statement(tokens))
            closed = rest[-1].type if rest else ""
            if name == "import":
                imported = True
                if closed != "{":
                    whole = (token.start, rest[-1].end if rest else token.end)
                    references += _imported(text, rest, whole)
            elif closed == "{" or name == "namespace" or (name == "layer" and imported):
                return end
            comments += (part for part in rest if part.type == "comment")
            if closed == "{":
                return token.end
            end = rest[-1].end if rest else token.end
            continue
        elif token.type not in ("whitespace", "CDO", "CDC"):
            return end
        end = token.end
    return end


def _statement(tokens: Iterator[Token]) -> Iterator[Token]:
    """The tokens of a rule from behind its at-keyword to its semicolon, or to the brace that opens its block."""
    closing: list[str] = []
    for token in tokens:
        yield token
        if token.type in ("semicolon", "{") and not closing:
            return
        if token.type in _OPENING:
            closing.append(_OPENING[token.type])
        elif closing and token.type == closing[-1]:
            closing.pop()


def _statement_end(text: str, start: int) -> int:
    """Where the rule whose at-keyword ends at `start` has its semicolon behind it, or its block before it."""
    end = start
    for token in _statement(css.tokens(text, start)):
        end = token.end
    return end


def _imported(text: str, rest: list[Token], whole: tuple[int, int]) -> Iterator[Reference]:
    parts = iter([token for token in rest if token.type not in ("whitespace", "comment")])
    first = next(parts, None)
    if first is not None and first.type == "function" and _name(text, first) in _URL_FUNCTIONS:
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
            functions.append(_name(text, token))
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
