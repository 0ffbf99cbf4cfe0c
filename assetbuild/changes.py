"""What is different from what the last build knew, and what of its work that reaches: the difference between a build and doing
everything anew. Whatever is not certain to be as it was counts as changed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TypeVar

from assetbuild import index, patterns, publish
from assetbuild.cache import Cache, key, own_version
from assetbuild.compressors import Tool
from assetbuild.config import Config
from assetbuild.errors import AssetbuildError, Problem
from assetbuild.filters import Filter, FilterError, Hooks
from assetbuild.filters.chains import TELLING, Chain, load
from assetbuild.index import Depth, File, Index, Made, relations
from assetbuild.looks import look, settled
from assetbuild.sources import Glance

T = TypeVar("T")

#: In place of a glob: the result is made anew by every build.
ANYTHING = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """touched: keys of files below the roots that are new, gone, or other than they were. moved: whether any is new or gone.
    damaged: public paths of files of the artifact that are not as they were written. read: whether a further file that a
    filter read is other than it was, or may be. looks: of all files below the roots as they are now; files: of the artifact's.
    """

    touched: frozenset[str]
    moved: bool
    damaged: frozenset[str]
    read: bool
    looks: Mapping[str, str]
    files: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.touched or self.damaged or self.read)


def name_for(config: Config) -> str:
    """The name of a project's index in its cache: one for each configuration, output, mode and place to call it from."""
    return key(["index", config.mode, str(config.file or config.folder), str(config.output), str(config.working_folder)])


def environment(config: Config, packers: Iterable[Tool], tools: Iterable[tuple[str, str]]) -> str:
    """All that decides a build besides its files. packers: what compresses. tools: the filters in use and their hooks.

    Raises FilterError where one of them cannot be had.
    """
    parts = [own_version(str(Path(__file__).parent)), sys.version, repr(config)]
    parts += [f"{packer.name} {packer.largest}" for packer in packers]
    for name, hooks in sorted(tools):
        tool = _filter(config, name, hooks)  # type: ignore[arg-type]  # as it was written
        identity = tool.identity()
        parts += [name, hooks, str(len(identity)), *identity]
    return key(parts)


def _filter(config: Config, name: str, hooks: Hooks) -> Filter:
    return load(name, config.webassets, (str(config.folder),), config.filter_timeout, hooks)


def last(cache: Cache, config: Config, packers: Iterable[Tool]) -> Index | None:
    """What the last build knew; None where there was none, or something else than its files is different now."""
    found = index.load(cache, name_for(config))
    if found is None or not found.surface.key:
        return None
    try:
        same = environment(config, packers, found.surface.tools) == found.surface.key
    except (AssetbuildError, FilterError):
        return None  # The build itself says what is wrong with it.
    return found if same else None


def since(known: Index, seen: Glance, config: Config, when: int, *, whole: bool = False) -> Changes | None:
    """What has changed since; None where that cannot be told. seen: the sources as they are; when: a time before that, in
    nanoseconds; whole: whether the artifact is taken to be as it was written."""
    surface = known.surface
    damaged: frozenset[str] | None = frozenset()
    if not whole:
        damaged = publish.standing(config.output, surface.files, surface.manifest, config.source_date_epoch)
    if damaged is None:
        return None
    looks = seen.looks
    read = any(look_of(file) != seen or not seen for file, seen in surface.reads.items()) or surface.restless
    if looks == surface.looks and not damaged:
        return Changes(frozenset(), False, damaged, read, surface.looks, surface.files)
    depth = known.depth()
    if depth is None:
        return None
    now = dict(surface.looks)
    touched = surface.looks.keys() - looks.keys()
    moved = bool(touched)
    for name in touched:
        del now[name]
    for name in [name for name, how in looks.items() if now.get(name) != how]:
        before = surface.looks.get(name)
        now[name] = settled(looks[name], when)
        moved = moved or before is None
        if before is None or _digest(seen.file(name)) != depth.digests.get(name):
            touched.add(name)
    files = dict(surface.files)
    really = set()
    for path in damaged:
        file = f"{config.output}/{path}"
        how, should = look_of(file), File.of(path, depth.rows[path])
        if publish.whole(file, should.digest, should.size, config.source_date_epoch):
            files[path] = settled(how, when) if how else ""
        else:
            really.add(path)
    return Changes(frozenset(touched), moved, frozenset(really), read, now, files)


def look_of(file: str) -> str:
    """How a file looks; "" where there is none."""
    try:
        return look(os.stat(file))
    except OSError:
        return ""


def _digest(file: str) -> str:
    try:
        with open(file, "rb", buffering=0) as data:
            return hashlib.file_digest(data, "sha256").hexdigest()
    except OSError:
        return ""


class Reads:
    """Tells which sources filters may read besides their own."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.pure: dict[tuple[str, Hooks], bool] = {}

    def of(self, chains: Iterable[Chain], kinds: Iterable[str]) -> tuple[str, ...]:
        """Globs of what these chains may read, for sources and results with these paths: all sources of their kinds, and what
        is named in `depends`. ANYTHING where nothing tells what a filter reads."""
        chains = tuple(chains)
        globs = {("/" if pattern.from_top else "") + pattern.text for chain in chains for pattern in chain.depends}
        if globs or not all(self._is_pure(name, chain.hooks) for chain in chains for name in chain.filters):
            suffixes = {os.path.splitext(path)[1] for path in kinds}
            if suffixes & {".scss", ".sass"}:
                suffixes |= {".scss", ".sass", ".css"}
            globs |= {f"*{suffix}" for suffix in suffixes if suffix}
            used = {(name, chain.hooks) for chain in chains if not chain.depends for name in chain.filters}
            if any(name not in TELLING and not self._is_pure(name, hooks) for name, hooks in used):
                globs.add(ANYTHING)
        return tuple(sorted(globs))

    def _is_pure(self, name: str, hooks: Hooks) -> bool:
        known = self.pure.get((name, hooks))
        if known is None:
            known = _filter(self.config, name, hooks).pure
            self.pure[name, hooks] = known
        return known


def reached(depth: Depth, changes: Changes, appeared: Collection[str], vanished: Collection[str]) -> set[str]:
    """The assets that may come out differently: those of what was touched, and whatever refers to them, over any number of
    steps. appeared, vanished: logical paths that are published now and were not, and the reverse."""
    found = set(appeared)
    for name in changes.touched:
        found.update(depth.owners.get(name, (name.partition("/")[2],)))
    for path in (*appeared, *vanished):
        found.update(depth.referrers.get(path, ()))
    if changes.moved:
        found.update(depth.problems)  # What helps against them may be another now.
    for path, globs in depth.impure.items():
        readable = [patterns.compile(glob) for glob in globs if glob != ANYTHING]
        if changes.read or any(one.matches(name.partition("/")[2]) for name in changes.touched for one in readable):
            found.add(path)
    if changes.damaged:
        found.update(path for path, text in depth.made.items() if not changes.damaged.isdisjoint(Made.of(text).files))
    waiting = list(found)
    while waiting:
        for other in depth.referrers.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


@dataclass(frozen=True, slots=True)
class Asset:
    """What a build made of a logical path. entry: its text in the manifest. files: its own first, then its variants. sources,
    wanted: as in `Made`. problems: what there is to tell. reads: globs of further sources that its filters may read."""

    entry: str
    files: tuple[File, ...]
    sources: tuple[str, ...]
    wanted: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    reads: tuple[str, ...] = ()


def grown(depth: Depth | None, gone: Collection[str], assets: Mapping[str, Asset], digests: Mapping[str, str]) -> Depth:
    """What is known after a build. depth: what was known before. gone: assets of it that are no more. assets: what was made
    new or anew. digests: of the sources that were read for it."""
    if depth is None:
        return _new(assets, digests)
    old = depth
    dropped = {path: Made.of(old.made[path]) for path in (*gone, *assets) if path in old.made}
    rows = dict(old.rows)
    for made in dropped.values():
        for file in made.files:
            rows.pop(file, None)
    for asset in assets.values():
        rows.update((file.path, file.row) for file in asset.files)
    owners = _relisted(
        old.owners,
        ((name, path) for path, made in dropped.items() for name in made.sources),
        ((name, path) for path, asset in assets.items() for name in asset.sources),
    )
    referrers = _relisted(
        old.referrers,
        ((target, path) for path, made in dropped.items() for target in made.wanted),
        ((target, path) for path, asset in assets.items() for target in asset.wanted),
    )
    removed = [path for path in dropped if path not in assets]

    def merged(before: Mapping[str, T], now: Mapping[str, T]) -> dict[str, T]:
        result = {**before, **now}
        for path in removed:
            result.pop(path, None)
        return result

    problems = {path: value for path, value in old.problems.items() if path not in dropped}
    impure = {path: value for path, value in old.impure.items() if path not in dropped}
    return Depth(
        digests={**old.digests, **digests},
        rows=rows,
        names=merged(old.names, {path: asset.files[0].path for path, asset in assets.items()}),
        entries=merged(old.entries, {path: asset.entry for path, asset in assets.items()}),
        made=merged(old.made, _made(assets)),
        problems={**problems, **{path: list(map(astuple, a.problems)) for path, a in assets.items() if a.problems}},
        owners=owners,
        referrers=referrers,
        impure={**impure, **{path: a.reads for path, a in assets.items() if a.reads}},
    )


def _new(assets: Mapping[str, Asset], digests: Mapping[str, str]) -> Depth:
    made = _made(assets)
    owners, referrers = relations(made)
    return Depth(
        digests=digests,
        rows={file.path: file.row for asset in assets.values() for file in asset.files},
        names={path: asset.files[0].path for path, asset in assets.items()},
        entries={path: asset.entry for path, asset in assets.items()},
        made=made,
        problems={path: list(map(astuple, a.problems)) for path, a in assets.items() if a.problems},
        impure={path: a.reads for path, a in assets.items() if a.reads},
        owners=owners,
        referrers=referrers,
    )


def _made(assets: Mapping[str, Asset]) -> dict[str, str]:
    return {path: Made(a.sources, tuple(f.path for f in a.files), a.wanted).text() for path, a in assets.items()}


def _relisted(
    lists: Mapping[str, Sequence[str]], without: Iterable[tuple[str, str]], with_: Iterable[tuple[str, str]]
) -> dict[str, Sequence[str]]:
    """The lists without some of their members, and with others, in time that grows with what is looked at."""
    gone, new = defaultdict[str, set[str]](set), defaultdict[str, list[str]](list)
    for name, member in without:
        gone[name].add(member)
    for name, member in with_:
        new[name].append(member)
    result = dict(lists)
    for name in gone.keys() | new.keys():
        left = gone.get(name, ())
        result[name] = [one for one in lists.get(name, ()) if one not in left] + new.get(name, [])
    return result
