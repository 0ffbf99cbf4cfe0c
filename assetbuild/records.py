"""What a build made of every asset, as two texts that are searched and not parsed: of ten thousand records few are looked into.

A record is items: the asset, its files, the sources in it; and in the second text, which is short and searched more than once,
the asset and what its references name. An item is a mark, a name, and values, each behind _VALUE. No name holds a mark: sources
whose names do are refused, and references that do mean no source.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assetbuild import sums, texts

_ASSET, _FILE, _SOURCE, _WANTED, _VALUE = "\x1e", "\x1d", "\x1c", "\x1b", "\x1f"
#: In what no source can be called, so that nobody waits for it.
_NO_NAME = re.compile("[\0-\x1f\ud800-\udfff]")
_ITEM = re.compile(f"[{_WANTED}{_SOURCE}{_FILE}][^{_ASSET}{_WANTED}{_SOURCE}{_FILE}]*")
_BEGIN = _ASSET.encode()


class File(NamedTuple):
    """A file of the artifact. digest: the SHA-256 of its bytes. tool: what packed it, "" for what is no variant."""

    path: str
    digest: str
    size: int
    tool: str = ""

    @property
    def line(self) -> str:
        """What `sha256sum` prints of it."""
        return sums.line(self.digest, self.path)


class Asset(NamedTuple):
    """What a build made of a logical path. files: its own first, then its variants. sources: the keys of the files that are in
    it, and their SHA-256. wanted: the logical paths that its references name, there or not."""

    files: Sequence[File]
    sources: Sequence[tuple[str, str]]
    wanted: Sequence[str]


@dataclass(frozen=True)
class Records:
    """names: the public path of every asset, by logical path, sorted. text: their records, in the same order. wanted: what the
    references of those name that have any."""

    names: Mapping[str, str]
    text: bytes
    wanted: bytes

    def assets(self, paths: Collection[str]) -> dict[str, Asset]:
        """The assets with these logical paths, where there are such."""
        there = [path for path in paths if path in self.names]
        if len(there) > texts.FEW:
            return {path: _asset(self._parsed[path] + self._wanted.get(path, b"")) for path in there}
        made, wanted = _items(self.text), _items(self.wanted)
        return {path: _asset(made[path] + wanted[path]) for path in there}

    def owners(self, keys: Collection[str]) -> dict[str, set[str]]:
        """The assets that the sources with these keys are in."""
        return self._holders(_SOURCE, keys)

    def owning(self, files: Collection[str]) -> set[str]:
        """The assets that have any of these public paths."""
        return set().union(*self._holders(_FILE, files).values())

    def referrers(self, paths: Collection[str]) -> set[str]:
        """The assets that name any of these logical paths."""
        return set().union(*self._holders(_WANTED, paths).values())

    def leading_to(self, paths: Iterable[str]) -> set[str]:
        """These logical paths, and the assets that name any of them, over any number of steps."""
        found = set(paths)
        waiting, asked = found, 0
        while waiting:
            asked += len(waiting)
            holders = self._holders(_WANTED, waiting, parsed=asked > texts.FEW)
            waiting = set().union(*holders.values()) - found
            found |= waiting
        return found

    def digests(self, keys: Collection[str]) -> dict[str, str]:
        """The SHA-256 of the sources with these keys, where they are in an asset."""
        owners = self.owners(keys)
        assets = self.assets({path for paths in owners.values() for path in paths})
        return {key: digest for asset in assets.values() for key, digest in asset.sources if key in owners}

    def sizes(self) -> dict[str, int]:
        """Of the assets, in bytes, by logical path."""
        return {path: int(record.split(_VALUE.encode(), 4)[3]) for path, record in self._parsed.items()}

    def changed(self, gone: Collection[str], made: Mapping[str, Asset]) -> Records:
        """The records without some of them, and with others. gone: of those that are made anew, or no more."""
        names = {**self.names, **{path: asset.files[0].path for path, asset in made.items()}}
        for path in gone:
            if path not in made:
                del names[path]
        if not made.keys() <= self.names.keys():
            names = dict(sorted(names.items()))
        records = {path: _record(path, asset).encode() for path, asset in made.items()}
        wanted = {path: record.encode() for path, asset in made.items() if (record := _wanted(path, asset))}
        others = {*gone, *made}
        return Records(names, _changed(self.text, others, records), _changed(self.wanted, others, wanted))

    # ---- the text

    def _holders(self, mark: str, names: Collection[str], *, parsed: bool = False) -> dict[str, set[str]]:
        """The assets whose records have items of this kind with these names. parsed: whether it is worth it to take the text
        apart for that, since this is asked many times."""
        if parsed or len(names) > texts.FEW:
            return {name: self._lists.get(mark + name, set()) for name in names}
        known = self._known
        for name in names:
            if mark + name not in known:
                text = self.wanted if mark == _WANTED else self.text
                known[mark + name] = set(_search(text, f"{mark}{name}{_VALUE}".encode()))
        return {name: known[mark + name] for name in names}

    @functools.cached_property
    def _known(self) -> dict[str, set[str]]:
        """What was searched for already."""
        return {}

    @functools.cached_property
    def _parsed(self) -> dict[str, bytes]:
        return _items(self.text).apart()

    @functools.cached_property
    def _wanted(self) -> dict[str, bytes]:
        return _items(self.wanted).apart()

    @functools.cached_property
    def _lists(self) -> dict[str, set[str]]:
        found = defaultdict[str, set[str]](set)
        for path, record in (*self._parsed.items(), *self._wanted.items()):
            for item in _ITEM.findall(record.decode()):
                found[item.partition(_VALUE)[0]].add(path)
        return found


#: Nothing is known.
NONE = Records({}, b"", b"")


def _items(text: bytes) -> texts.Items:
    return texts.Items(text, _BEGIN, _name)


def _changed(text: bytes, others: Collection[str], records: Mapping[str, bytes]) -> bytes:
    return b"".join(texts.spliced(text, _items(text).edits(others, records)))


def _search(text: bytes, item: bytes) -> Iterator[str]:
    at = text.find(item)
    while at >= 0:
        start = text.rindex(_BEGIN, 0, at) + 1
        yield text[start : text.index(_VALUE.encode(), start)].decode()
        at = text.find(item, at + 1)


def _name(text: bytes, start: int) -> str:
    return text[start + 1 : text.index(_VALUE.encode(), start)].decode()


def _record(path: str, asset: Asset) -> str:
    items = [f"{_ASSET}{path}{_VALUE}"]
    items += [_VALUE.join((_FILE + file.path, file.digest, str(file.size), file.tool)) for file in asset.files]
    items += [f"{_SOURCE}{key}{_VALUE}{digest}" for key, digest in asset.sources]
    return "".join(items)


def _wanted(path: str, asset: Asset) -> str:
    """ "" where there is nothing to be held."""
    items = [f"{_WANTED}{name}{_VALUE}" for name in asset.wanted if not _NO_NAME.search(name)]
    return "".join((f"{_ASSET}{path}{_VALUE}", *items)) if items else ""


def _asset(record: bytes) -> Asset:
    """record: the texts' together."""
    items = [(item[0], item[1:].split(_VALUE)) for item in _ITEM.findall(record.decode())]
    return Asset(
        [File(path, digest, int(size), tool) for path, digest, size, tool in _of(_FILE, items)],
        [(key, digest) for key, digest in _of(_SOURCE, items)],
        [path for path, _ in _of(_WANTED, items)],
    )


def _of(mark: str, items: Iterable[tuple[str, list[str]]]) -> Iterator[list[str]]:
    return (values for kind, values in items if kind == mark)
