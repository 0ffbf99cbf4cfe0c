"""Long texts of many items, sorted by name, few of which are others after a build: those are cut out and put in, and the rest
is looked at by nobody. As bytes: to write and to hash them takes no further copy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

#: To search a text so many times takes about as long as to take it apart.
FEW = 40

Edit = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a text, sorted by name. mark: what each begins with, and what nothing else holds. name: that of the item
    which begins at this place of the text."""

    text: bytes
    mark: bytes
    name: Callable[[bytes, int], str]

    def __getitem__(self, name: str) -> bytes:
        start, end = self._span(name)
        return self.text[start:end]

    def apart(self) -> dict[str, bytes]:
        """All of them."""
        items = (self.mark + item for item in self.text.split(self.mark)[1:])
        return {self.name(item, 0): item for item in items}

    def edits(self, gone: Collection[str], made: Mapping[str, bytes]) -> list[Edit]:
        """What makes the text one without some of the items, where it has them, and with others, new or in place of those that
        there are."""
        touched = sorted({*gone, *made})
        if len(touched) > FEW:
            items = self.apart()
            for name in gone:
                items.pop(name, None)
            items.update(made)
            return [(0, len(self.text), b"".join([items[name] for name in sorted(items)]))]
        return [(*self._span(name), made.get(name, b"")) for name in touched]

    def _span(self, name: str) -> tuple[int, int]:
        """Where the item with this name begins and ends, or both times where it would begin: searched for by halves."""
        low, high = 0, len(self.text)
        while low < high:
            start = self.text.rindex(self.mark, low, (low + high) // 2 + len(self.mark))
            end = self.text.find(self.mark, start + 1)
            end = len(self.text) if end < 0 else end
            found = self.name(self.text, start)
            if found == name:
                return start, end
            low, high = (end, high) if found < name else (low, start)
        return low, low


def spliced(text: bytes, edits: Iterable[Edit]) -> list[bytes | memoryview]:
    """The text with other bytes from here to there, in pieces. edits: in order."""
    view = memoryview(text)
    pieces: list[bytes | memoryview] = []
    done = 0
    for start, end, new in edits:
        pieces += (view[done:start], new)
        done = end
    return [*pieces, view[done:]]
