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
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assetbuild.cache import Cache, key
from assetbuild.errors import Problem

_HEAD = b"assetbuild-index 2\n"
#: Between parts, between the items of a column, between the fields of an item, and between the values of a field. No name
#: below a root holds one, nor does text as JSON has it; what holds one all the same is not kept.
_PART, _ITEM, _FIELD, _VALUE = "\x1f", "\x1e", "\x1d", "\x1c"
#: In what no source can be called, so that nobody waits for it.
_NO_NAME = re.compile("[\0-\x1f\ud800-\udfff]")


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

    sources: Sequence[str]
    files: Sequence[str]
    wanted: Sequence[str]

    def text(self) -> str:
        wanted = [path for path in self.wanted if not _NO_NAME.search(path)]
        return _FIELD.join(_VALUE.join(values) for values in (self.sources, self.files, wanted))

    @classmethod
    def of(cls, text: str) -> Made:
        sources, files, wanted = text.split(_FIELD)
        return cls(_values(sources), _values(files), _values(wanted))


def _values(text: str) -> Sequence[str]:
    return text.split(_VALUE) if text else ()


@dataclass(frozen=True, slots=True)
class File:
    """A file of the artifact. digest: the SHA-256 of its bytes. tool: what packed it, "" for what is no variant."""

    path: str
    digest: str
    size: int
    tool: str

    @property
    def row(self) -> str:
        return f"{self.digest} {self.size} {self.tool}"

    @classmethod
    def of(cls, path: str, row: str) -> File:
        digest, size, tool = row.split(" ", 2)
        return cls(path, digest, int(size), tool)


@dataclass(frozen=True, slots=True)
class Depth:
    """What a build needs in order to do no more than what has changed; all by logical path, but for

    digests: the SHA-256 of each source, by its key. rows: SHA-256 and size of each file of the artifact, by public path.
    names: the public path. entries: the manifest's text. made: `Made` as text. problems: what there is to tell, each as the
    fields of `Problem`. impure: globs of the sources that an asset's filters may read besides. owners: the assets that a source
    is in, by its key. referrers: who names a path; both follow from `made`.
    """

    digests: Mapping[str, str]
    rows: Mapping[str, str]
    names: Mapping[str, str]
    entries: Mapping[str, str]
    made: Mapping[str, str]
    problems: Mapping[str, Sequence[Sequence[Any]]]
    impure: Mapping[str, Sequence[str]]
    owners: Mapping[str, Sequence[str]]
    referrers: Mapping[str, Sequence[str]]


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
        if depth is None:
            return
        surface = self.surface
        try:
            below, data = _written({"problems": depth.problems, "impure": depth.impure}, [getattr(depth, c) for c in _COLUMNS])
            small = {name: getattr(surface, name) for name in _SMALL}
            small["warnings"] = [dataclasses.astuple(problem) for problem in surface.warnings]
            _, above = _written({**small, "below": below}, [surface.looks, surface.files])
        except ValueError:  # A name that holds one of the separators, or is no text.
            return
        cache.keep_index(_below(name), data)
        cache.keep_index(name, above)


_COLUMNS = ("digests", "rows", "names", "entries", "made")
_SMALL = ("key", "tools", "manifest", "reads", "summary", "restless")


def load(cache: Cache, name: str) -> Index | None:
    """The index that was kept under a name; None where there is none, or it is not as it was written."""
    read = _read(cache.index(name))
    if read is None:
        return None
    _, small, (looks, files) = read
    try:
        digest = small.pop("below")
        tools = tuple((str(name), str(hooks)) for name, hooks in small.pop("tools"))
        warnings = tuple(Problem(*problem) for problem in small.pop("warnings"))
        surface = Surface(**small, tools=tools, warnings=warnings, looks=looks, files=files)
    except (KeyError, TypeError, ValueError):
        return None

    def below() -> Depth | None:
        read = _read(cache.index(_below(name)))
        if read is None or read[0] != digest:
            return None
        columns = dict(zip(_COLUMNS, read[2], strict=True))
        owners, referrers = relations(columns["made"])
        return Depth(**columns, **read[1], owners=owners, referrers=referrers)

    return Index(surface, below)


def relations(made: Mapping[str, str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """`Depth.owners` and `Depth.referrers`."""
    owners, referrers = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for path, text in made.items():
        sources, _, wanted = text.split(_FIELD)
        for source in _values(sources):
            owners[source].append(path)
        for target in _values(wanted):
            referrers[target].append(path)
    return dict(owners), dict(referrers)


def _below(name: str) -> str:
    return key(["below", name])


def _written(small: Mapping[str, Any], columns: Iterable[Mapping[str, str]]) -> tuple[str, bytes]:
    """The digest of what is kept, and that behind a head. small: by JSON; columns: as their keys and values, which are not
    parsed. Raises ValueError."""
    parts = [json.dumps(small)]
    for column in columns:
        for texts in (column, column.values()):
            text = _ITEM.join(texts)
            if text.count(_ITEM) != max(0, len(column) - 1):
                raise ValueError
            parts.append(text)
    text = _PART.join(parts)
    if text.count(_PART) != len(parts) - 1:
        raise ValueError
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()
    return digest, b"%b%b\n%b" % (_HEAD, digest.encode(), data)


def _read(data: bytes | None) -> tuple[str, dict[str, Any], list[dict[str, str]]] | None:
    """What `_written` was given; None where it is not as it was written."""
    if data is None or not data.startswith(_HEAD):
        return None
    digest, _, rest = data[len(_HEAD) :].partition(b"\n")
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        return None
    parts = rest.decode().split(_PART)
    small: dict[str, Any] = json.loads(parts[0])
    columns = zip(parts[1::2], parts[2::2], strict=True)
    read = [dict(zip(keys.split(_ITEM), values.split(_ITEM), strict=True)) if keys else {} for keys, values in columns]
    return digest.decode(), small, read
