"""Long texts of many items, sorted by name, few of which are others after a build: those are cut out and put in, and the rest
is looked at by nobody. As bytes: to write and to hash them takes no further copy."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

#: To search a text so many times takes about as long as to take it apart.
FEW = 40

Edit = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a text. names: of all of them, in order. mark: what each begins with, and what nothing else holds. begin:
    the mark, and what comes behind it in the item with this name alone."""

    text: bytes
    names: Mapping[str, object]
    mark: bytes
    begin: Callable[[str], bytes]

    def __getitem__(self, name: str) -> bytes:
        start, end = self._span(name)
        return self.text[start:end]

    def apart(self) -> dict[str, bytes]:
        """All of them."""
        return {name: self.mark + item for name, item in zip(self.names, self.text.split(self.mark)[1:], strict=True)}

    def edits(self, gone: Collection[str], made: Mapping[str, bytes]) -> list[Edit]:
        """What makes the text one without some of the items, and with others, new or in place of those that there are. gone:
        names that there are."""
        touched = sorted({*gone, *made})
        if len(touched) > FEW:
            items = self.apart()
            for name in gone:
                del items[name]
            items.update(made)
            return [(0, len(self.text), b"".join([items[name] for name in sorted(items)]))]
        before = [] if made.keys() <= self.names.keys() else list(self.names)
        edits = []
        for name in touched:
            if name in self.names:
                start, end = self._span(name)
            else:
                number = bisect_left(before, name)
                start = end = self._start(before[number]) if number < len(before) else len(self.text)
            edits.append((start, end, made.get(name, b"")))
        return edits

    def _span(self, name: str) -> tuple[int, int]:
        start = self._start(name)
        end = self.text.find(self.mark, start + 1)
        return start, len(self.text) if end < 0 else end

    def _start(self, name: str) -> int:
        return self.text.index(self.begin(name))


def spliced(text: bytes, edits: Iterable[Edit]) -> list[bytes | memoryview]:
    """The text with other bytes from here to there, in pieces. edits: in order."""
    view = memoryview(text)
    pieces: list[bytes | memoryview] = []
    done = 0
    for start, end, new in edits:
        pieces += (view[done:start], new)
        done = end
    return [*pieces, view[done:]]
