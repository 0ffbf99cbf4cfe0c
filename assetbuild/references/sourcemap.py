"""The last `sourceMappingURL=` comment of a style sheet or script (ECMA-426, 11.1.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from assetbuild.references import Reference, is_local

_WORD = "sourceMappingURL="
_LINE = re.compile(r"//[#@][ \t]*sourceMappingURL=([^\s'\"]*)[^\S\n\r\u2028\u2029]*(?=[\n\r\u2028\u2029]|\Z)")
_BLOCK = re.compile(r"/\*[#@][ \t]*sourceMappingURL=([^\s'\"*]*)\s*\*/")


class Comment(NamedTuple):
    """Such a comment: what must go where it goes (with the line end before it where that leaves no empty line), what must stay
    there, and the reference in it, where it names a local file."""

    whole: tuple[int, int]
    instead: str
    reference: Reference | None


def find(text: str, is_code: Callable[[int], bool], line_comments: bool) -> Comment | None:
    """The last such comment.

    is_code: whether an offset is in no string and no other comment. line_comments: whether `//` begins one.
    """
    place = len(text)
    while (place := text.rfind(_WORD, 0, place)) >= 0:
        found = None
        low = max(place - 200, 0)
        start = text.rfind("/*", low, place)
        if start >= 0:
            found = _BLOCK.match(text, start)
        if (found is None or not _names(found, place)) and line_comments:
            start = text.rfind("//", low, place)
            if start >= 0:
                found = _LINE.match(text, start)
        if found is None or not _names(found, place) or not is_code(start):
            continue
        path = re.split(r"[?#]", found[1], maxsplit=1)[0]
        whole = _whole(text, *found.span())
        instead = "" if whole[0] < start else (_instead if line_comments else _instead_in_css)(text, *whole)
        if not is_local(path):
            return Comment(whole, instead, None)
        begin = found.start(1)
        return Comment(whole, instead, Reference(begin, begin + len(path), path, "sourcemap", whole, instead))
    return None


def _names(found: re.Match[str], place: int) -> bool:
    """Whether it is the word at this place that the comment has, and not one before it."""
    return found.start(1) == place + len(_WORD)


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """The comment, with the line end before it where it stands on a line of its own."""
    before = start
    while before and text[before - 1] in " \t":
        before -= 1
    alone = end == len(text) or text[end] in "\n\r"
    if alone and before and text[before - 1] == "\n":
        before -= 2 if text[before - 2 : before - 1] == "\r" else 1
        return before, end
    return start, end


def _instead(text: str, start: int, end: int) -> str:
    """What must stay of a comment in JavaScript: it parts tokens as a blank does, and as a line end where it has one."""
    if start == 0 or end == len(text):
        return ""
    around = text[start - 1] + text[end]
    if re.search(r"[\n\r\u2028\u2029]", text[start:end]):
        return "" if re.search(r"[\n\r\u2028\u2029]", around) else "\n"
    return "" if re.search(r"[\s\ufeff]", around) else " "


def _instead_in_css(text: str, start: int, end: int) -> str:
    """What must stay of a comment in CSS, where a blank would be a token, and may end an escape."""
    if start == 0 or end == len(text) or text[end] in "{};,":
        return ""
    if text[start - 1] in "{};," and text[start - 2 : start - 1] != "\\":
        return ""
    is_blank = text[start - 1].isspace() or text[end].isspace()
    return "" if is_blank and "\\" not in text[max(start - 8, 0) : start] else "/**/"
