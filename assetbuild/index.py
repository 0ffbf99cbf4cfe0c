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
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from assetbuild.cache import Cache, key
from assetbuild.errors import Problem
from assetbuild.records import NONE, Records

#: Between the items of a column: no name below a root holds one, nor a bundle's.
_ITEM = "\x1e"


@dataclass(frozen=True, slots=True)
class Surface:
    """What a build needs in order to see that there is nothing to do.

    key: everything that decides the build besides its files. tools: the filters in use, by name and hooks, whose identities
    are in the key. manifest: the SHA-256 of the manifest's bytes. looks: of every file below the roots, by `Source.key`.
    reads: of further files that filters read, by absolute path, and of folders in which they looked, with a `/` at the end.
    files: of the artifact's, by public path. summary: what the report says. warnings: of the whole build. restless: whether
    there is a filter of which nothing tells what it reads.
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
class Depth:
    """What a build needs in order to do no more than what has changed.

    records: of every asset. sums: what `sha256sum` prints of the artifact's files, sorted by path. problems: what there is to
    tell of an asset, by logical path, each as the fields of `Problem`. impure: globs of the sources that an asset's filters
    may read besides.
    """

    records: Records
    sums: bytes
    problems: Mapping[str, Sequence[Sequence[Any]]]
    impure: Mapping[str, Sequence[str]]


#: Nothing is known.
NOTHING = Depth(NONE, b"", {}, {})


class Written(NamedTuple):
    """The manifest that a build wrote, for whoever stays in the process. look: how it looked then; else it is another."""

    data: bytes
    look: str


class Index:
    """surface: at hand; the rest is read when it is first asked for. written: not kept."""

    def __init__(
        self, surface: Surface, depth: Depth | Callable[[], Depth | None] | None, written: Written | None = None
    ) -> None:
        self.surface = surface
        self._depth = depth
        self.written = written

    def seen(self, looks: Mapping[str, str], files: Mapping[str, str]) -> Index:
        """The same, where files that look different now turned out to be as they were."""
        return Index(dataclasses.replace(self.surface, looks=looks, files=files), self._depth, self.written)

    def depth(self) -> Depth | None:
        """None where it is not as it was written."""
        if callable(self._depth):
            self._depth = self._depth()
        return self._depth

    def keep(self, cache: Cache, name: str) -> None:
        """Write it: the depth first, by whose digest the surface knows it. A fault of the cache is no matter."""
        depth = self.depth()
        if depth is None:
            return
        surface = self.surface
        small = {name: getattr(surface, name) for name in _SMALL}
        small["warnings"] = [dataclasses.astuple(problem) for problem in surface.warnings]
        rest = {"problems": depth.problems, "impure": depth.impure}
        try:
            below = (_json(rest), *_column(depth.records.names), depth.records.text, depth.records.wanted, depth.sums)
            columns = (*_column(surface.looks), *_column(surface.files))
        except UnicodeEncodeError:
            return
        digest = cache.keep_index(_below(name), below)
        cache.keep_index(name, (_json({**small, "below": digest}), *columns))


_SMALL = ("key", "tools", "manifest", "reads", "summary", "restless")


def load(cache: Cache, name: str) -> Index | None:
    """The index that was kept under a name; None where there is none, or it is not as it was written."""
    read = cache.index(name)
    if read is None:
        return None
    try:
        text, *columns = read.parts
        small = json.loads(text)
        looks, files = _uncolumned(*columns[:2]), _uncolumned(*columns[2:])
        digest = small.pop("below")
        tools = tuple((str(name), str(hooks)) for name, hooks in small.pop("tools"))
        warnings = tuple(Problem(*problem) for problem in small.pop("warnings"))
        surface = Surface(**small, tools=tools, warnings=warnings, looks=looks, files=files)
    except (KeyError, TypeError, ValueError):
        return None

    def below() -> Depth | None:
        read = cache.index(_below(name))
        if read is None or read.digest != digest:
            return None
        rest, paths, names, records, wanted, sums = read.parts
        return Depth(Records(_uncolumned(paths, names), records, wanted), sums, **json.loads(rest))

    return Index(surface, below)


def _below(name: str) -> str:
    return key(["below", name])


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


def _column(values: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Raises UnicodeEncodeError."""
    return _ITEM.join(values).encode(), _ITEM.join(values.values()).encode()


def _uncolumned(keys: bytes, values: bytes) -> dict[str, str]:
    """What `_column` was given. Raises ValueError."""
    return dict(zip(keys.decode().split(_ITEM), values.decode().split(_ITEM), strict=True)) if keys else {}
