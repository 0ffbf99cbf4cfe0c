"""A text that was read: where it is code, and where it is a comment, a string, a template or a regular expression."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Literal, NamedTuple

from assetbuild.syntax import expression
from assetbuild.syntax.js.grammar import (
    BLOCK_COMMENT,
    LINE_COMMENT,
    LINE_END,
    NEWLINE,
    NEXT_BRACKET,
    OPAQUE,
    SPACE,
    STRING,
    TEMPLATE,
    takes_property,
)

Kind = Literal["comment", "string", "template", "regexp"]
Hard = Literal["regexp", "head", "middle", "tail", "html", "hashbang"]


class Span(NamedTuple):
    """A stretch that is no code: a comment, a string, a piece of a template with its delimiters (`a${ or }b${ or }c`), or
    a regular expression with its flags. start, end: characters from 0."""

    kind: Kind
    start: int
    end: int


# From a place that is known to be code over whole strings and comments; slashes between two hard spans are divisions. A
# line comment counts only with its line end, so that a walk cut off inside one does not take the cut for its end.
_CODE = expression(rf"""(?:[^'"`/]++|{STRING}|{LINE_COMMENT}(?=[{LINE_END}])|{BLOCK_COMMENT}|{TEMPLATE}|/(?![/*]))*+""")
NEXT_COMMENT = expression(rf"""(?:[^'"`/]++|{STRING}|{TEMPLATE}|/(?![/*]))*+({LINE_COMMENT}|{BLOCK_COMMENT}|\Z)""")
_OPAQUE_AT = expression(OPAQUE)
_NEXT_OPAQUE = expression(rf"""(?:[^'"`/]++|/(?![/*]))*+({OPAQUE}|\Z)""")


def places(text: str, *words: str) -> list[int]:
    """Where any of the words occurs, in order."""
    places: list[int] = []
    for word in words:
        place = text.find(word)
        while place >= 0:
            places.append(place)
            place = text.find(word, place + 1)
    places.sort()
    return places


class Lexed:
    """A text that was read: its hard spans (regular expressions, templates with substitutions, HTML-like comments, the
    hashbang); between two of them everything can be read without knowing its surroundings."""

    __slots__ = (
        "_comments",
        "_comments_behind",
        "_depth",
        "_known",
        "_opaque",
        "_words",
        "ends",
        "kinds",
        "module",
        "starts",
        "text",
        "unsure",
    )

    def __init__(self, text: str, module: bool) -> None:
        self.text = text
        self.module = module
        # The first `await` before a slash that reads otherwise with the other goal, or -1.
        self.unsure = -1
        self.kinds: list[Hard] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self._known = 0
        self._opaque = (0, 0)
        self._depth = (0, 0, 0)
        self._words: list[int] | None = None
        # Comments, as far as a question has come: where they begin, where they end, and those behind.
        self._comments: tuple[list[int], list[int]] = ([], [])
        self._comments_behind: Iterator[tuple[int, int]] | None = None

    def is_code(self, offset: int) -> bool:
        """Whether the offset is outside every comment, string, template text and regular expression; asked in rising
        order, all questions together take linear time."""
        if offset < self._known:
            self._known, self._opaque = 0, (0, 0)
        index = bisect_right(self.starts, offset) - 1
        begin = 0
        if index >= 0:
            begin = self.ends[index]
            if offset < begin:
                return False
        if self._opaque[0] < offset < self._opaque[1]:
            return False
        if begin <= self._known <= offset:
            begin = self._known
        if self.text[offset - 1 : offset + 1] in ("//", "/*") and offset > begin:
            # Cut off here, the slash that begins a comment would look like a division.
            found = _CODE.match(self.text, begin, offset - 1)
            if found and found.end() == offset - 1:
                return False
        found = _CODE.match(self.text, begin, offset)
        assert found is not None
        self._known = found.end()
        if self._known == offset:
            return True
        opaque = _OPAQUE_AT.match(self.text, self._known)
        self._opaque = opaque.span() if opaque else (0, 0)
        return False

    def module_words(self) -> list[int]:
        """Where `import` or `export` stands, in any word, code or not."""
        if self._words is None:
            self._words = places(self.text, "import", "export")
        return self._words

    def token_end(self, offset: int) -> int:
        """The end of the last token before an offset in code; 0 where there is none."""
        text = self.text
        end = offset
        while True:
            start = end
            while end and text[end - 1] in SPACE:
                end -= 1
            if end == 0:
                return 0
            if text[end - 1] != "/":
                if not NEWLINE.search(text, end, start):
                    return end
                # The line may end in a comment. A long one is not searched, or it might be again and again.
                line = text.rfind("\n", max(end - 500, 0), end)
                if line >= 0 and text.find("//", line, end) < 0 and (self.module or text.find("-", line, end) < 0):
                    return end
            comment = self._comment_at(end - 1)
            if comment < 0:
                return end
            end = comment

    def _comment_at(self, offset: int) -> int:
        """Where the comment begins that an offset is in, or -1."""
        starts, ends = self._comments
        if self._comments_behind is None:
            self._comments_behind = self.comments()
        while not ends or ends[-1] <= offset:
            comment = next(self._comments_behind, None)
            if comment is None:
                break
            starts.append(comment[0])
            ends.append(comment[1])
        index = bisect_right(starts, offset) - 1
        return starts[index] if index >= 0 and offset < ends[index] else -1

    def is_property(self, offset: int) -> bool:
        """Whether a word is behind a dot, as in `a.import`, and no spread. The offset is in code, or the answer is idle."""
        return takes_property(self.text, self.token_end(offset))

    def depth(self, offset: int) -> int:
        """How many brackets are open round an offset in code; asked in rising order, in linear time."""
        hard, position, depth = self._depth if self._depth[1] <= offset else (0, 0, 0)
        while True:
            stop = self.starts[hard] if hard < len(self.starts) else len(self.text)
            for found in NEXT_BRACKET.finditer(self.text, position, min(stop, offset)):
                bracket = found.group(1)
                if bracket and bracket != "class":
                    depth += 1 if bracket in "([{" else -1
            if stop >= offset:
                break
            depth += {"head": 1, "tail": -1}.get(self.kinds[hard], 0)
            position = self.ends[hard]
            hard += 1
        self._depth = (hard, offset, depth)
        return depth

    def runs(self) -> Iterator[tuple[int, int]]:
        """The stretches between the hard spans."""
        position = 0
        for start, end in zip(self.starts, self.ends, strict=True):
            yield position, start
            position = end
        yield position, len(self.text)

    def spans(self) -> Iterator[Span]:
        """Every comment, string, template piece and regular expression, in order."""
        text = self.text
        hard: list[Hard | None] = [*self.kinds, None]
        for kind, (start, end) in zip(hard, self.runs(), strict=True):
            # A stretch ends where a hard span begins, so nothing in it reaches beyond its end.
            for found in _NEXT_OPAQUE.finditer(text, start, end):
                first = found.start(1)
                if first == end:
                    break
                character = text[first]
                soft: Kind = "comment" if character == "/" else "template" if character == "`" else "string"
                yield Span(soft, first, found.end())
            if kind is not None:
                named: Kind = "comment"
                if kind == "regexp":
                    named = "regexp"
                elif kind in ("head", "middle", "tail"):
                    named = "template"
                index = bisect_right(self.starts, end) - 1
                yield Span(named, self.starts[index], self.ends[index])

    def comments(self) -> Iterator[tuple[int, int]]:
        """Start and end of every comment."""
        for number, (start, end) in enumerate(self.runs()):
            # A stretch ends where a hard span begins, so nothing in it reaches beyond its end.
            for found in NEXT_COMMENT.finditer(self.text, start, end):
                if found.start(1) == end:
                    break
                yield found.span(1)
            if number < len(self.kinds) and self.kinds[number] in ("html", "hashbang"):
                yield self.starts[number], self.ends[number]

    def masked(self, mark: str) -> str:
        """The text with a stand-in for each hard span, which any tool that knows strings and brackets reads rightly:
        see STAND_INS. `mark` is a character that the text does not have."""
        if not self.starts:
            return self.text
        parts: list[str] = []
        position = 0
        text = self.text
        for kind, start, end in zip(self.kinds, self.starts, self.ends, strict=True):
            parts.append(text[position:start])
            before, after = STAND_INS[kind]
            if before:
                parts.append(before)
                parts.append(mark)
            parts.append(after)
            position = end
        parts.append(text[position:])
        return "".join(parts)

    def marked(self) -> list[tuple[Hard, str]]:
        """Kind and text of the hard spans that have a mark in the masked text."""
        return [
            (kind, self.text[start:end])
            for kind, start, end in zip(self.kinds, self.starts, self.ends, strict=True)
            if STAND_INS[kind][0]
        ]

    def restored(self, masked: str, mark: str, head: str) -> Lexed | None:
        """Another masked text as it is with this one's hard spans put back behind a head, read as this one was; None where it
        has not the same stand-ins. Its tokens must be this one's: nothing is read again."""
        pieces = masked.split(mark)
        marked = self.marked()
        if len(pieces) != len(marked) + 1:
            return None
        kinds: list[Hard] = []
        starts, ends = list[int](), list[int]()
        if self.kinds[:1] == ["hashbang"]:
            kinds, starts, ends = ["hashbang"], [0], [self.ends[0]]
        parts = [head]
        position = len(head)
        cut = ""
        for (kind, written), piece in zip(marked, pieces, strict=False):
            before, after = STAND_INS[kind]
            if not (piece.startswith(cut) and piece.endswith(before) and len(piece) >= len(cut) + len(before)):
                return None
            piece = piece[len(cut) : len(piece) - len(before)]
            parts += (piece, written)
            kinds.append(kind)
            starts.append(position + len(piece))
            position = starts[-1] + len(written)
            ends.append(position)
            cut = after
        if not pieces[-1].startswith(cut):
            return None
        parts.append(pieces[-1][len(cut) :])
        restored = Lexed("".join(parts), self.module)
        restored.kinds, restored.starts, restored.ends = kinds, starts, ends
        return restored

    def hashbang(self) -> str:
        """The first line where it is a hashbang comment, else an empty text."""
        return self.text[: self.ends[0]] if self.kinds and self.kinds[0] == "hashbang" else ""


# What stands before and behind the mark. A regular expression ends like a name, since what follows would become its flags;
# a template's pieces are brackets, so that a substitution is read as code. Comments leave a blank.
STAND_INS: dict[Hard, tuple[str, str]] = {
    "regexp": ('"', '"_'),
    "head": ("`", "`("),
    "middle": (")`", "`("),
    "tail": (")`", "`"),
    "html": ("", " "),
    "hashbang": ("", ""),
}
_MARKS = "\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x7f"


def unused_mark(*texts: str) -> str:
    """A control character that none of the texts has, for Lexed.masked; "" where they have all of them."""
    for mark in _MARKS:
        if not any(mark in text for text in texts):
            return mark
    return ""
