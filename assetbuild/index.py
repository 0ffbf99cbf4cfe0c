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
import functools
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assetbuild import sums
from assetbuild.cache import Cache, key
from assetbuild.errors import Problem

_HEAD = b"assetbuild-index 2\n"
#: Between parts, between the items of a column, between the fields of an item, and between the values of a field. No name
#: below a root holds one, nor a bundle's, nor does text as JSON has it.
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
class File:
    """A file of the artifact. digest: the SHA-256 of its bytes. tool: what packed it, "" for what is no variant."""

    path: str
    digest: str
    size: int
    tool: str = ""

    @property
    def line(self) -> str:
        """What `sha256sum` prints of it."""
        return sums.line(self.digest, self.path)


@dataclass(frozen=True, slots=True)
class Asset:
    """What a build made of a logical path. files: its own first, then its variants. sources: the keys of the files that are in
    it, and their SHA-256."""

    files: Sequence[File]
    sources: Sequence[tuple[str, str]]

    def record(self) -> str:
        """All of it as one text."""
        files = [value for file in self.files for value in (file.path, file.digest, str(file.size), file.tool)]
        return _FIELD.join((_VALUE.join(files), _VALUE.join([value for pair in self.sources for value in pair])))

    @classmethod
    def of(cls, record: str) -> Asset:
        """The asset with this record."""
        files, sources = (text.split(_VALUE) for text in record.split(_FIELD))
        fields = zip(files[::4], files[1::4], files[2::4], files[3::4], strict=True)
        return cls(
            [File(path, digest, int(size), tool) for path, digest, size, tool in fields],
            list(zip(sources[::2], sources[1::2], strict=True)),
        )


@dataclass(frozen=True)
class Depth:
    """What a build needs in order to do no more than what has changed; by logical path, sorted.

    records: of every asset, as text, since few of them are looked into. entries: the manifest's text. names: the public paths.
    wanted: the logical paths that an asset's references name, there or not, as text. mixed: the assets that are not made of one
    source with their own path. sums: what `sha256sum` prints of the artifact's files, sorted by path. problems: what there is
    to tell, each as the fields of `Problem`. impure: globs of the sources that an asset's filters may read besides.
    """

    records: Mapping[str, str]
    entries: Mapping[str, str]
    names: Mapping[str, str]
    wanted: Mapping[str, str]
    mixed: Collection[str]
    sums: str
    problems: Mapping[str, Sequence[Sequence[Any]]]
    impure: Mapping[str, Sequence[str]]

    def asset(self, path: str) -> Asset:
        return Asset.of(self.records[path])

    def digest(self, key: str) -> str | None:
        """The SHA-256 of the source with this key, where it is in an asset."""
        return next((dict(self.asset(path).sources)[key] for path in self.owners(key)), None)

    def owners(self, key: str) -> list[str]:
        """The assets that the source with this key is in."""
        paths = {key.partition("/")[2], *self.mixed}
        return [path for path in paths if path in self.records and any(key == one for one, _ in self.asset(path).sources)]

    def referrers(self, paths: Collection[str], *, listed: bool) -> set[str]:
        """The assets that name any of these logical paths. listed: whether a list is to be made for that, which is worth it
        where this is asked many times."""
        if listed:
            return {other for path in paths for other in self._referrers.get(path, ())}
        some = next(iter(paths)) if len(paths) == 1 else ""  # The empty text is in every other.
        wanted = {other: text.split(_VALUE) for other, text in self.wanted.items() if some in text}
        return {other for other, names in wanted.items() if not frozenset(paths).isdisjoint(names)}

    @functools.cached_property
    def _referrers(self) -> dict[str, list[str]]:
        found = defaultdict[str, list[str]](list)
        for path, text in self.wanted.items():
            for target in text.split(_VALUE):
                found[target].append(path)
        return found

    def owning(self, files: Collection[str]) -> list[str]:
        """The assets that have any of these public paths."""
        if not files:
            return []
        return [path for path in self.records if any(file.path in files for file in self.asset(path).files)]


def wanted_text(paths: Iterable[str]) -> str:
    """An item of `Depth.wanted`; "" where there is nothing that a source could be called."""
    return _VALUE.join(path for path in paths if not _NO_NAME.search(path))


#: Nothing is known.
NOTHING = Depth({}, {}, {}, {}, (), "", {}, {})


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
        small = {name: getattr(surface, name) for name in _SMALL}
        small["warnings"] = [dataclasses.astuple(problem) for problem in surface.warnings]
        try:
            below, data = _written(
                {"mixed": list(depth.mixed), "problems": depth.problems, "impure": depth.impure},
                depth.records,
                depth.entries,
                depth.wanted,
                {"sums": depth.sums},
            )
            _, above = _written({**small, "below": below}, surface.looks, surface.files)
        except UnicodeEncodeError:
            return
        cache.keep_index(_below(name), data)
        cache.keep_index(name, above)


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
        records, entries, wanted, rest = read[2]
        names = {path: record[: record.index(_VALUE)] for path, record in records.items()}
        return Depth(**read[1], records=records, entries=entries, names=names, wanted=wanted, sums=rest["sums"])

    return Index(surface, below)


def _below(name: str) -> str:
    return key(["below", name])


def _written(small: Mapping[str, Any], *columns: Mapping[str, str]) -> tuple[str, bytes]:
    """The digest of what is kept, and that behind a head. small: by JSON; columns: as their keys and values, which are not
    parsed. Raises UnicodeEncodeError."""
    parts = [json.dumps(small)]
    for column in columns:
        parts += [_ITEM.join(column), _ITEM.join(column.values())]
    data = _PART.join(parts).encode()
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
    try:
        return digest.decode(), small, [_column(*texts) for texts in zip(parts[1::2], parts[2::2], strict=True)]
    except ValueError:  # A name that holds a separator after all.
        return None


def _column(keys: str, values: str) -> dict[str, str]:
    return dict(zip(keys.split(_ITEM), values.split(_ITEM), strict=True)) if keys else {}
