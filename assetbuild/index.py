"""What was known when the last build ended: how every file looked, and what was made of it, so that a file which is as it was
stays unread, and what it became stays as it is.

The laws:
1. A file is as it was while the system says of it what it said then (`looks`).
2. Whatever decides a build besides its files is in the key: with another key there is no index.
3. It is believed only beside the very manifest that its build wrote.
4. Each part has its digest. Whatever is wrong with a part makes the whole absent; a build without it is slower, not another.
5. What a build needs in order to see that there is nothing to do lies apart from the rest, which it knows by its digest.

Of all that the cache holds this alone is about one folder of one machine, so it goes by their names.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assetbuild.cache import Cache, key
from assetbuild.errors import Problem

_HEAD = b"assetbuild-index 1\n"


@dataclass(frozen=True, slots=True)
class Surface:
    """What a build needs in order to see that there is nothing to do.

    key: everything that decides the build besides its files. tools: the filters in use, by name and hooks, whose identities
    are in the key. manifest: the SHA-256 of the manifest's bytes. looks: of every file below the roots, by `Source.key`.
    reads: of further files that filters read, by absolute path. files: of the artifact's, by public path. summary: what the
    report says. warnings: of the whole build. restless: whether there is a filter of which nothing tells what it reads.
    """

    key: str
    tools: tuple[tuple[str, str], ...]
    manifest: str
    looks: Mapping[str, str]
    reads: Mapping[str, str]
    files: Mapping[str, str]
    summary: Mapping[str, Any]
    warnings: tuple[Problem, ...]
    restless: bool


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an asset.

    sources: the keys of the files that are in it. files: its own public path, and its variants'. wanted: the logical paths that
    its references name, whether there is such a file or not.
    """

    sources: tuple[str, ...]
    files: tuple[str, ...]
    wanted: tuple[str, ...]

    def text(self) -> str:
        return json.dumps([self.sources, self.files, self.wanted], ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def of(cls, text: str) -> Made:
        return cls(*map(tuple, json.loads(text)))


@dataclass(frozen=True, slots=True)
class Depth:
    """What a build needs in order to do no more than what has changed; all by logical path, but for

    digests: the SHA-256 of each source, by its key. rows: SHA-256 and size of each file of the artifact, by public path.
    names: the public path. entries: the manifest's text. made: `Made` as text. problems: what there is to tell, each as the
    fields of `Problem`. owners: the assets that a source is in, by its key. referrers: who names a path. impure: globs of the
    sources that an asset's filters may read besides.
    """

    digests: Mapping[str, str]
    rows: Mapping[str, str]
    names: Mapping[str, str]
    entries: Mapping[str, str]
    made: Mapping[str, str]
    problems: Mapping[str, Sequence[Sequence[Any]]]
    owners: Mapping[str, Sequence[str]]
    referrers: Mapping[str, Sequence[str]]
    impure: Mapping[str, Sequence[str]]


class Index:
    """surface: at hand; the rest is read when it is first asked for."""

    def __init__(self, surface: Surface, depth: Depth | Callable[[], Depth | None] | None) -> None:
        self.surface = surface
        self._depth = depth

    def seen(self, looks: Mapping[str, str], files: Mapping[str, str]) -> Index:
        """The same, where files that look different now turned out to be as they were."""
        return Index(dataclasses.replace(self.surface, looks=looks, files=files), self._depth)

    def depth(self) -> Depth | None:
        """None where it is not as it was written."""
        if callable(self._depth):
            self._depth = self._depth()
        return self._depth

    def keep(self, cache: Cache, name: str) -> None:
        """Write it: the depth first, by whose digest the surface knows it. A fault of the cache is no matter."""
        depth = self.depth()
        if depth is not None:
            parts = {item.name: getattr(self.surface, item.name) for item in dataclasses.fields(Surface)}
            parts["warnings"] = [dataclasses.astuple(problem) for problem in self.surface.warnings]
            below = _HEAD + b"".join(_lines({item: getattr(depth, item) for item in _DEPTH}))
            parts["below"] = hashlib.sha256(below).hexdigest()
            cache.keep_index(_below(name), below)
            cache.keep_index(name, _HEAD + b"".join(_lines(parts)))


_DEPTH = tuple(item.name for item in dataclasses.fields(Depth))


def _lines(parts: Mapping[str, Any]) -> list[bytes]:
    lines = []
    for name, value in parts.items():
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        lines.append(f"{name} {hashlib.sha256(text).hexdigest()} ".encode() + text + b"\n")
    return lines


def load(cache: Cache, name: str) -> Index | None:
    """The index that was kept under a name; None where there is none, or it is not as it was written."""
    parts = _parts(cache.index(name))
    surface = {item.name: _parsed(parts, item.name) for item in dataclasses.fields(Surface)}
    digest = _parsed(parts, "below")
    try:
        surface["tools"] = tuple((str(name), str(hooks)) for name, hooks in surface["tools"])
        surface["warnings"] = tuple(Problem(*problem) for problem in surface["warnings"])
    except (TypeError, ValueError):
        return None
    if None in surface.values() or not isinstance(digest, str):
        return None

    def below() -> Depth | None:
        data = cache.index(_below(name))
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            return None
        parts = _parts(data)
        read = {name: _parsed(parts, name) for name in _DEPTH}
        return Depth(**read) if all(type(value) is dict for value in read.values()) else None

    return Index(Surface(**surface), below)


def _below(name: str) -> str:
    return key(["below", name])


def _parts(data: bytes | None) -> dict[str, bytes]:
    if data is None or not data.startswith(_HEAD):
        return {}
    lines = (line.split(b" ", 1) for line in data[len(_HEAD) :].split(b"\n"))
    return {line[0].decode("ascii", "replace"): line[1] for line in lines if len(line) == 2}


def _parsed(parts: Mapping[str, bytes], name: str) -> Any:
    digest, _, text = parts.get(name, b"").partition(b" ")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
