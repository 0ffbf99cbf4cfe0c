"""Bundles: several sources joined into one asset. Here is what a bundle is made of, and the text that comes of joining; how a
language's texts are joined is in the language's own file."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assetbuild.config import Bundle
from assetbuild.errors import Severity


@dataclass(frozen=True, slots=True)
class Assembly:
    """A bundle whose parts are known: the paths of sources, and the names of other bundles that are joined as one text, each
    once, in order. flattened: the other bundles whose parts are among them."""

    bundle: Bundle
    parts: tuple[str, ...]
    flattened: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a part, or worth a warning. part: its path. offset: in its text, or -1."""

    part: str
    offset: int
    message: str
    hint: str = ""
    severity: Severity = "error"


class ContentsError(Exception):
    """A bundle's contents cannot be had; `faults` are (bundle's name, message, hint)."""

    def __init__(self, faults: Sequence[tuple[str, str, str]]) -> None:
        super().__init__(faults)
        self.faults = faults


def assemblies(
    bundles: Sequence[Bundle], sources: Mapping[str, str], excluded: Iterable[str], minifiers: Iterable[str]
) -> tuple[list[Assembly], list[tuple[str, str]]]:
    """What each bundle is made of, a bundle behind those that it is made of; and (name, warning) of what matches nothing.

    sources: the path that each source has once it is compiled, by its path. minifiers: filters that need not run on a part.
    Raises ContentsError.
    """
    return _Contents(bundles, sources, frozenset(excluded), frozenset(minifiers)).all()


class _Contents:
    def __init__(
        self, bundles: Sequence[Bundle], sources: Mapping[str, str], excluded: frozenset[str], minifiers: frozenset[str]
    ) -> None:
        self.bundles = {bundle.name: bundle for bundle in bundles}
        self.sources = sources
        self.compiled = {compiled: path for path, compiled in sources.items()}
        self.paths = sorted(sources)
        self.excluded = excluded
        self.minifiers = minifiers
        self.faults: list[tuple[str, str, str]] = []
        self.warnings: list[tuple[str, str]] = []

    def all(self) -> tuple[list[Assembly], list[tuple[str, str]]]:
        done: dict[str, Assembly] = {}
        for name in self.bundles:
            self.visit(name, done)
        if self.faults:
            raise ContentsError(self.faults)
        return list(done.values()), self.warnings

    def visit(self, name: str, done: dict[str, Assembly]) -> None:
        """Depth first without recursion: a chain of bundles may be long."""
        path = [name]
        waiting = [iter(self.nested(name))]
        while path:
            inner = next((n for n in waiting[-1] if n not in done), None)
            if inner is None:
                waiting.pop()
                finished = path.pop()
                if finished not in done:
                    done[finished] = self.assembly(self.bundles[finished], done)
            elif inner in path:
                chain = " → ".join((*path[path.index(inner) :], inner))
                self.faults.append((inner, f"the bundle is a part of itself: {chain}", "take one of them out of the contents"))
                done[inner] = Assembly(self.bundles[inner], ())
            else:
                path.append(inner)
                waiting.append(iter(self.nested(inner)))

    def nested(self, name: str) -> Iterator[str]:
        for pattern in self.bundles[name].contents:
            if pattern.literal in self.bundles and pattern.literal not in self.sources:
                yield pattern.literal

    def assembly(self, bundle: Bundle, done: Mapping[str, Assembly]) -> Assembly:
        parts: dict[str, None] = {}
        flattened: dict[str, None] = {}
        before = len(self.faults)
        for pattern in bundle.contents:
            literal = pattern.literal
            found: list[str]
            if literal is None:
                found = [path for path in self.paths if pattern.matches(path)]
                if not found:
                    self.warnings.append((bundle.name, f'"{pattern.text}" in its contents matches no source'))
            elif literal in self.sources:
                found = [literal]
            elif literal in done:
                inner = done[literal]
                found = [literal]
                if not inner.bundle.part_filters and self.minifiers.issuperset(inner.bundle.filters or ()):
                    flattened |= dict.fromkeys((literal, *inner.flattened))
                    found = list(inner.parts)
            elif literal in self.compiled:
                found = [self.compiled[literal]]
            else:
                found = []
                self.faults.append((bundle.name, f'"{literal}" in its contents is in no source root', self.advice(literal)))
            parts |= dict.fromkeys(found)
        if not parts and len(self.faults) == before:
            hint = "name its parts by paths or globs from the top of the source roots"
            self.faults.append((bundle.name, "its contents match nothing", hint))
        return Assembly(bundle, tuple(parts), tuple(flattened))

    def advice(self, path: str) -> str:
        if path in self.excluded or any(path.startswith(folder + "/") for folder in self.excluded):
            return "it is there but excluded: see `exclude` and `keep_names`"
        near = difflib.get_close_matches(path, [*self.paths, *self.bundles], 1, 0.6)
        return f'did you mean "{near[0]}"?' if near else "contents are paths from the top of the source roots"


# ---- the text that comes of it


@dataclass(frozen=True, slots=True)
class Joined:
    """A joined text. starts: where its pieces begin; pieces: for each the part that it was copied from and the offset there,
    or ("", 0) for what joining put between."""

    text: str
    starts: tuple[int, ...]
    pieces: tuple[tuple[str, int], ...]
    faults: tuple[Fault, ...] = ()

    def origin(self, offset: int) -> tuple[str, int]:
        """The part, and the offset in it, of a place in the joined text; ("", 0) where joining made it."""
        index = bisect_right(self.starts, offset) - 1
        if index < 0:
            return "", 0
        part, start = self.pieces[index]
        return (part, start + offset - self.starts[index]) if part else ("", 0)


@dataclass(slots=True)
class Builder:
    """Puts a text together and keeps where each piece is from."""

    texts: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    pieces: list[tuple[str, int]] = field(default_factory=list)
    length: int = 0

    def write(self, text: str) -> None:
        """Text that no part has."""
        self._add(text, "", 0)

    def copy(self, part: str, text: str, start: int, end: int, edits: Iterable[tuple[int, int, str]] = ()) -> None:
        """A stretch of a part's text with new text put into spans; edits are sorted, and what is out of the stretch or
        overlaps an earlier one is passed over."""
        position = start
        for first, last, new in edits:
            if first < position or last > end:
                continue
            self._add(text[position:first], part, position)
            self._add(new, part, first)
            position = last
        self._add(text[position:end], part, position)

    def _add(self, text: str, part: str, offset: int) -> None:
        if text:
            self.texts.append(text)
            self.starts.append(self.length)
            self.pieces.append((part, offset))
            self.length += len(text)

    def ends_line(self, ends: str = "\n\r\f") -> bool:
        """Whether what there is ends in a line end, or is nothing. ends: what the language takes for one."""
        return not self.texts or self.texts[-1][-1] in ends

    def joined(self, faults: Iterable[Fault] = ()) -> Joined:
        return Joined("".join(self.texts), tuple(self.starts), tuple(self.pieces), tuple(faults))
