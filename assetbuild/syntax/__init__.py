"""The languages: text in, tokens out, nothing more."""

from __future__ import annotations

import re
import sys
from typing import Any, cast


class LexError(ValueError):
    """The text is not of its language.

    message: what is wrong, one sentence without a full stop: "this string has no end".
    offset: where it begins, in characters from 0.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message, offset)
        self.message = message
        self.offset = offset


class Difference(tuple[int, int]):
    """The first place where two texts have different tokens: the offset in the one, the offset in the other."""

    __slots__ = ()

    @property
    def left(self) -> int:
        return self[0]

    @property
    def right(self) -> int:
        return self[1]


class Expression:
    """A regular expression that is compiled when it is first used: those of all languages together take longer than many a
    build, and few builds need them all. What `re.Pattern` has is kept as an attribute from the first use on, so that it costs
    no more than there."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._source = pattern, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Asked for by copying and the like, of which it has nothing of its own.
            raise AttributeError(name)
        pattern, flags = self._source
        # re keeps what it compiled: a second time is free.
        value = getattr(re.compile(pattern if sys.version_info >= (3, 11, 5) else atomic(pattern), flags), name)
        setattr(self, name, value)
        return value


def expression(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """re.compile at the first use, in any Python from 3.11 on: before 3.11.5 a possessive quantifier behind a group may lose
    its place or never end (https://github.com/python/cpython/issues/106052), so that there an atomic group stands for it."""
    return cast("re.Pattern[str]", Expression(pattern, flags))


_ITEM = re.compile(r"\\[\s\S]|\[\^?\]?(?:[^\]\\]|\\[\s\S])*\]|(\()|(\))([*+?]|\{[0-9,]+\})?(\+)?|[\s\S]")


def atomic(pattern: str) -> str:
    """The pattern with an atomic group for each possessive quantifier behind a group: `(?:…)*+` is `(?>(?:…)*)`."""
    parts: list[str] = []
    opened: list[int] = []
    for item in _ITEM.finditer(pattern):
        if item[1]:
            opened.append(len(parts))
        elif item[2]:
            start = opened.pop()
            if item[4]:
                parts[start] = "(?>" + parts[start]
                parts.append(f"){item[3]})")
                continue
        parts.append(item[0])
    return "".join(parts)
