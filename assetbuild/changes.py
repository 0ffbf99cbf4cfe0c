"""What is different from what the last build knew, and what of its work that reaches: the difference between a build and doing
everything anew. Whatever is not certain to be as it was counts as changed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from assetbuild import index, patterns, publish, sums
from assetbuild.cache import Cache, key, own_version
from assetbuild.compressors import Tool
from assetbuild.config import Config
from assetbuild.errors import AssetbuildError, Problem
from assetbuild.filters import Filter, FilterError, Hooks
from assetbuild.filters.chains import TELLING, Chain, load
from assetbuild.index import Depth, Index
from assetbuild.looks import look, settled
from assetbuild.reading import opened
from assetbuild.records import Asset, File
from assetbuild.sources import Glance

T = TypeVar("T")

#: In place of a glob: the result is made anew by every build.
ANYTHING = ""
#: In place of the look of a folder that is not there.
ABSENT = "absent"


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
    config = replace(config, keep=None, keep_days=None, previous=())  # What goes along with the files is decided by itself.
    parts = [own_version(str(Path(__file__).parent)), sys.version, repr(config)]
    parts += [f"{packer.name} {packer.largest}" for packer in packers]
    for name, hooks in sorted(tools):
        tool = identity(config, name, hooks)
        parts += [name, hooks, str(len(tool)), *tool]
    return key(parts)


def identity(config: Config, name: str, hooks: str) -> tuple[str, ...]:
    """Everything that decides what a filter makes of a text. hooks: which of it are called. Raises FilterError."""
    return _filter(config, name, hooks).identity()  # type: ignore[arg-type]  # as they were written


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


def since(known: Index, seen: Glance, damaged: frozenset[str], config: Config, when: int) -> Changes | None:
    """What has changed since; None where that cannot be told. seen: the sources as they are. damaged: public paths of files of
    the artifact that may not be as they were. when: a time before both were looked at, in nanoseconds."""
    surface = known.surface
    looks = seen.looks
    read = any(look_at(file) != how or not how for file, how in surface.reads.items()) or surface.restless
    others = seen.differing(surface.looks)
    if not others and not damaged:
        return Changes(frozenset(), False, damaged, read, surface.looks, surface.files)
    depth = known.depth()
    if depth is None:
        return None
    now = dict(surface.looks)
    touched = {name for name in others if name not in looks}
    moved = bool(touched)
    for name in touched:
        del now[name]
    others = [name for name in others if name in looks]
    digests = depth.records.digests(others)
    for name in others:
        now[name] = settled(looks[name], when)
        moved = moved or name not in surface.looks
        # What is in no asset has no digest to be held against, and is not read for one.
        if name not in digests or _digest(seen.file(name)) != digests[name]:
            touched.add(name)
    files = dict(surface.files)
    really = set()
    records = depth.records
    known_files = {file.path: file for one in records.assets(records.owning(damaged)).values() for file in one.files}
    known_files |= {path: File(path, *values) for path, values in surface.summary["carried"].items()}
    for path in damaged:
        file = f"{config.output}/{path}"
        how, should = look_of(file), known_files[path]
        if publish.whole(file, should.digest, should.size, config.source_date_epoch):
            files[path] = settled(how, when) if how else ""
        else:
            really.add(path)
    if not really.isdisjoint(surface.summary["carried"]):
        return None  # No source tells how to make that anew.
    return Changes(frozenset(touched), moved, frozenset(really), read, now, files)


def look_of(file: str) -> str:
    """How a file looks; "" where there is none."""
    try:
        return look(os.stat(file))
    except OSError:
        return ""


def look_at(path: str) -> str:
    """The same for what a filter read, and for a folder in which it looked, with a `/` at its end, which need not be there."""
    return look_of(path) or (ABSENT if path.endswith("/") else "")


def _digest(file: str) -> str:
    try:
        with opened(file) as data:
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


def reached(
    depth: Depth, changes: Changes, appeared: Collection[str], vanished: Collection[str], others: Iterable[str] = ()
) -> set[str]:
    """The assets that may come out differently: those of what was touched, and whatever refers to them, over any number of
    steps. appeared, vanished: logical paths that are published now and were not, and the reverse. others: assets that may be
    made of something else now."""
    found = {*appeared, *others}
    for name, owners in depth.records.owners(changes.touched).items():
        found |= owners or {name.partition("/")[2]}
    if appeared or vanished:
        found |= depth.records.referrers({*appeared, *vanished})
    if changes.moved:
        found.update(depth.problems)  # What helps against them may be another now.
    for path, globs in depth.impure.items():
        readable = [patterns.compile(glob) for glob in globs if glob != ANYTHING]
        if changes.read or any(one.matches(name.partition("/")[2]) for name in changes.touched for one in readable):
            found.add(path)
    if changes.damaged:
        found |= depth.records.owning(changes.damaged)
    return depth.records.leading_to(found)


class Outcome(NamedTuple):
    """An asset that a build made. entry: its text in the manifest. problems: what there is to tell. reads: globs of further
    files that its filters may read."""

    asset: Asset
    entry: bytes
    problems: tuple[Problem, ...] = ()
    reads: tuple[str, ...] = ()


def grown(depth: Depth, dropped: Mapping[str, Asset], made: Mapping[str, Outcome]) -> Depth:
    """What is known after a build. depth: what was known before. dropped: assets of it that are no more, or made anew. made:
    those that are new, and those made anew."""

    def merged(before: Mapping[str, T], now: Mapping[str, T]) -> dict[str, T]:
        return dict(sorted({**{path: one for path, one in before.items() if path not in dropped}, **now}.items()))

    assets = {path: one.asset for path, one in made.items()}
    return Depth(
        records=depth.records.changed(dropped, assets),
        sums=sums.changed(
            depth.sums,
            [file.line for asset in dropped.values() for file in asset.files],
            [file.line for asset in assets.values() for file in asset.files],
        ),
        problems=merged(depth.problems, {path: list(map(astuple, one.problems)) for path, one in made.items() if one.problems}),
        impure=merged(depth.impure, {path: one.reads for path, one in made.items() if one.reads}),
    )
