"""Globs over logical paths. A pattern says which paths it means and nothing else: it never looks at the disk."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

# What a pattern is made of, apart from literal text: a wildcard inside one name, one that crosses folders, and any number
# of whole folders.
_STAR: Final = object()
_CROSSING: Final = object()
_FOLDERS: Final = object()

_WILDCARDS = frozenset("*?[")


class PatternError(ValueError):
    """The text is no pattern; its message is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A glob over logical paths, case-sensitive.

    `*` and `?` stand for any characters and for one character of a name, `[abc]`, `[a-z]` and `[!a-z]` for one of a class,
    `**` crosses folders (`**/` is any number of them, none too). None of them stops at a leading dot. A pattern without `/`
    is matched against the file's name in any folder, one with `/` against the whole path, one that begins with `/` or `./`
    too; one that ends in `/` means everything below that folder. There is no escape character: `[*]` is a literal `*`.

    text: the pattern without what stood before the tree's top, and with `**` behind a `/` at its end.
    from_top: whether it is matched against the whole path although there may be no `/` in it.

    Raises PatternError (a ValueError).
    """

    text: str
    from_top: bool = field(default=False, kw_only=True)
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        from_top = self.from_top or "/" in self.text
        text = _cleaned(self.text)
        # What precedes a name is a greedy run up to the last slash, which is never given back.
        regex = ("" if from_top else "(?>(?:.*/)?)") + _regex(_parse(text))
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "from_top", from_top)
        object.__setattr__(self, "_regex", re.compile(regex, re.DOTALL))

    def matches(self, logical_path: str) -> bool:
        """Whether the pattern means this path."""
        return self._regex.match(logical_path) is not None

    @property
    def literal(self) -> str | None:
        """The one path that a pattern from the tree's top without wildcards means; None for a glob."""
        return self.text if self.from_top and _WILDCARDS.isdisjoint(self.text) else None


def compile(text: str, *, from_top: bool = False) -> Pattern:  # noqa: A001 (the word that `re` uses too)
    """The pattern that a text means. Raises PatternError."""
    return Pattern(text, from_top=from_top)


def _cleaned(text: str) -> str:
    """The text from the tree's top on; refuses what could never match a logical path."""
    if not text:
        raise PatternError("a pattern may not be empty")
    if "\\" in text:
        raise PatternError('a pattern has "/" between folders, never a backslash; a literal "*" is "[*]"')
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise PatternError("a pattern may not hold control characters")
    if "://" in text:
        raise PatternError("a pattern means files of the sources, never a URL")
    if re.search(r"\{[^{}/]*,[^{}]*\}", text):
        raise PatternError('braces mean nothing in a pattern: write one pattern for each; a literal "{" is "[{]"')
    cleaned = text[1:] if text.startswith("/") else text
    while cleaned.startswith("./"):
        cleaned = cleaned[2:]
    if cleaned.endswith("/"):
        cleaned += "**"
    segments = cleaned.split("/")
    if not cleaned or "" in segments:
        raise PatternError('"//" means no folder' if cleaned else "a pattern may not be empty")
    if "." in segments or ".." in segments:
        raise PatternError('"." and ".." mean nothing in a pattern: it is matched from the top of the source roots')
    return cleaned


def _parse(text: str) -> list[object]:
    """Regular expressions of fixed length (str), and the three wildcards."""
    parts: list[object] = []
    fixed = ""
    position = 0
    while position < len(text):
        character = text[position]
        start = position
        position += 1
        wildcard = None
        if character == "*":
            while text[position : position + 1] == "*":
                position += 1
            wildcard = _STAR if position - start == 1 else _CROSSING
            if wildcard is _CROSSING and (start == 0 or text[start - 1] == "/") and text[position : position + 1] == "/":
                wildcard = _FOLDERS
                position += 1
        elif character == "?":
            fixed += "[^/]"
        elif character == "[":
            characters, position = _class(text, position)
            fixed += characters
        else:
            fixed += re.escape(character)
        if wildcard is not None:
            if fixed:
                parts.append(fixed)
                fixed = ""
            if not (parts and parts[-1] is wildcard):  # `**/**/` says no more than `**/`
                parts.append(wildcard)
    return [*parts, fixed] if fixed else parts


def _class(text: str, position: int) -> tuple[str, int]:
    """The class whose `[` stands before the position, and where it ends. It never means a slash."""
    negated = text[position : position + 1] == "!"
    position += negated
    end = text.find("]", position + 1)  # A `]` that comes first is one of the characters.
    if end < 0 or "/" in text[position:end]:
        raise PatternError('this "[" has no "]"; a literal "[" is "[[]"')
    items = ""
    while position < end:
        first = last = text[position]
        position += 1
        if text[position] == "-" and position + 1 < end:
            last = text[position + 1]
            position += 2
        if last < first:
            raise PatternError(f'"{first}-{last}" is no range: "{last}" comes before "{first}"')
        items += re.escape(first) + ("" if last == first else f"-{re.escape(last)}")
    return (f"[^/{items}]" if negated else f"(?!/)[{items}]"), end + 1


def _regex(parts: list[object]) -> str:
    """One regular expression for the whole path.

    Text between wildcards can be taken where it comes first: whatever follows it is then as far away as it can be. So each
    piece but the last is an atomic group, and no wildcard is tried again on account of a later one: however many wildcards
    there are, a path is gone over once for each, and at most once for each of its own characters.
    """
    chunks: list[tuple[object, list[object]]] = [(None, [])]
    for part in parts:
        if part is _CROSSING or part is _FOLDERS:
            chunks.append((part, []))
        else:
            chunks[-1][1].append(part)
    before = {None: "", _CROSSING: ".*?", _FOLDERS: "(?:[^/]+/)*?"}
    *inner, (lead, last) = chunks
    regex = "".join(f"(?>{before[how]}{_chunk(chunk)})" for how, chunk in inner if how or chunk)
    if lead is _CROSSING and not last:
        return regex + r".*\Z"
    return regex + before[lead] + _chunk(last) + r"\Z"


def _chunk(chunk: list[object]) -> str:
    """What stands between two wildcards that cross folders: text, and stars between."""
    regex = ""
    star = False
    for number, part in enumerate(chunk):
        if part is _STAR:
            star = True
        elif star and number < len(chunk) - 1:
            regex += f"(?>[^/]*?{part})"
            star = False
        else:
            regex += f"[^/]*?{part}" if star else str(part)
            star = False
    return regex + "[^/]*" if star else regex  # Only the pattern's end can be a star: `***` is `**`.
