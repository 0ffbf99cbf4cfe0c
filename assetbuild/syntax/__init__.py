"""The languages: text in, tokens out, nothing more."""

from __future__ import annotations


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
