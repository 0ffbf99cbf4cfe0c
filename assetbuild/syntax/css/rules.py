"""Which at-rules count at the head of a style sheet: `@import` before every other rule but `@charset` and `@layer a, b;`, then
`@namespace` (CSS Cascade 5, section 2; CSS Namespaces 3, section 2).

Only a valid rule ends the head: browsers drop `@unknown{}` or `%%{}`, and go on as if it had not been there. A rule counts as
valid here where every browser of today takes it; any other ends nothing, since an import that browsers may follow must not
be lost (see validity).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from assetbuild.syntax import expression
from assetbuild.syntax.css import Token, head, tokens, unescape, validity
from assetbuild.syntax.css.grammar import NAME_CHARACTER

_OPENING: Final = {"(": ")", "[": "]", "{": "}", "function": ")"}
_IDLE: Final = ("whitespace", "comment")


def head_rules(text: str) -> dict[int, str]:
    """The names of the rules at the head that count ("layer", "import", "namespace"), by where they start."""
    found: dict[int, str] = {}
    zone = "layer"  # the first of what may still come
    stream = tokens(text, head(text))
    for token in stream:
        if token.type in (*_IDLE, "CDO", "CDC"):
            continue
        is_at_rule = token.type == "at-keyword"
        prelude = [] if is_at_rule else [token]
        if token.type != "{":
            prelude += statement(stream) if is_at_rule else _qualified(token, stream)
        end = prelude.pop().type if prelude and prelude[-1].type in ("semicolon", "{") else ""
        said = _said(text, prelude)
        if not is_at_rule:
            if end != "{" or validity.are_selectors(said):
                break
            _block(stream)
            continue
        name = name_of(text, token)
        if end == "{":
            block = _block(stream)
            if validity.opens_rule(name, said, _said(text, block[:-1]) if name == "property" else ""):
                break
        elif name == "import" and zone != "namespace":
            found[token.start] = name
            if _imports(text, prelude):
                zone = "import"
        elif name == "namespace" and _declares_namespace(text, prelude):
            found[token.start] = name
            zone = "namespace"
        elif name == "layer" and validity.are_layers(said):
            if zone != "layer":
                break  # Behind an import or a namespace it ends both (CSS Cascade 5, section 6.4.4).
            found[token.start] = name
    return found


def name_of(text: str, token: Token) -> str:
    """The name of a function or at-keyword, decoded and in small letters."""
    raw = text[token.start : token.end]
    return unescape(raw[1:] if token.type == "at-keyword" else raw[:-1]).lower()


def statement(stream: Iterator[Token], in_block: bool = False) -> Iterator[Token]:
    """The tokens of a rule from behind its at-keyword to its semicolon, or to the brace that opens its block; or, where it
    stands in a block, to the brace that closes that."""
    return _up_to(stream, [], ("semicolon", "{", "}") if in_block else ("semicolon", "{"))


def _qualified(first: Token, stream: Iterator[Token]) -> Iterator[Token]:
    """The tokens of a rule from behind its first one to the brace that opens its block."""
    return _up_to(stream, [_OPENING[first.type]] if first.type in _OPENING else [], ("{",))


def _block(stream: Iterator[Token]) -> list[Token]:
    """The tokens from behind the brace that opens a block to the one that closes it."""
    return list(_up_to(stream, ["}"], ()))


def _up_to(stream: Iterator[Token], closing: list[str], ends: tuple[str, ...]) -> Iterator[Token]:
    """The tokens up to the first of these types outside of all brackets; without types, to where the brackets are closed."""
    for token in stream:
        yield token
        if token.type in ends and not closing:
            return
        if token.type in _OPENING:
            closing.append(_OPENING[token.type])
        elif closing and token.type == closing[-1]:
            closing.pop()
            if not (closing or ends):
                return


_MARK = "\x01"
_GAPS = expression(r"\x01++")
_BEFORE = expression(rf"{NAME_CHARACTER}|[#\\@]")
_AFTER = expression(rf"{NAME_CHARACTER}|[(\\]")


def _said(text: str, part: Sequence[Token]) -> str:
    """What tokens say without comments and blanks at the ends; a mark is where a comment keeps two from becoming another."""
    said = "".join(_MARK if token.type == "comment" else text[token.start : token.end] for token in part)
    if _MARK in said:
        said = _GAPS.sub(lambda gap: _MARK if _parts(said, *gap.span()) else "", said)
    return said.strip(" \t\r\n\f")


def _parts(said: str, start: int, end: int) -> bool:
    return bool(_BEFORE.match(said[max(start - 1, 0) : start]) and _AFTER.match(said[end : end + 1]))


def _imports(text: str, prelude: Sequence[Token]) -> bool:
    """Whether an `@import` is a rule for sure: one whose `supports()` does not hold is none to Chromium."""
    parts = [token for token in prelude if token.type not in _IDLE]
    if any(part.type == "function" and name_of(text, part) == "supports" for part in parts):
        return False
    return _url_length(text, parts) > 0


def _url_length(text: str, parts: Sequence[Token]) -> int:
    """How many tokens the URL takes that begins here; 0 where there is none."""
    if parts and parts[0].type in ("string", "url"):
        return 1
    is_url = len(parts) > 2 and parts[0].type == "function" and name_of(text, parts[0]) == "url"
    return 3 if is_url and parts[1].type == "string" and parts[2].type == ")" else 0


def _declares_namespace(text: str, prelude: Sequence[Token]) -> bool:
    parts = [token for token in prelude if token.type not in _IDLE]
    if parts and parts[0].type == "ident":
        del parts[0]
    return 0 < len(parts) == _url_length(text, parts)
