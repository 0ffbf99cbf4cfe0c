"""Compiled, linked, packed and published: all of a project, or what the changes since the last build reach, with the rest as it
is. Both give the same artifact, to the byte."""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from assetbuild import changes, entries, fingerprint, plan, pool, publish, releases, sources
from assetbuild.build import Linked, Scope, everything, link, pieces
from assetbuild.cache import CacheUse
from assetbuild.changes import Changes, Outcome
from assetbuild.config import Config
from assetbuild.errors import Problem
from assetbuild.filters import FilterError
from assetbuild.index import NOTHING, Depth, Index, Surface, Written
from assetbuild.looks import UNSETTLED, look, settled
from assetbuild.names import obstructed
from assetbuild.patterns import Pattern
from assetbuild.recall import Packs
from assetbuild.records import Asset, File
from assetbuild.result import Built, Order, Result
from assetbuild.runtime import manifest as treaty
from assetbuild.runtime.media_types import media_type
from assetbuild.spool import Spool
from assetbuild.tally import tally

if TYPE_CHECKING:
    from assetbuild import variants


class _Rest(NamedTuple):
    """What of an artifact stays as it is. gone: assets that are no more."""

    known: Index
    depth: Depth
    found: Changes
    gone: Collection[str]

    def manifest(self, config: Config) -> bytes | None:
        """The artifact's; None where it is no more the one that was looked at."""
        path, written = config.output / treaty.NAME, self.known.written
        try:
            if written and look(os.lstat(path)) == written.look:
                return written.data  # To read and to hash megabytes takes a tenth of the time that a rebuild may take.
            data = path.read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == self.known.surface.manifest else None

    def standing(self, dropped: Mapping[str, Asset], along: releases.Along) -> publish.Standing:
        """Its files, where these assets are gone or made anew, and these files of theirs go along."""
        gone = {file.path for asset in dropped.values() for file in asset.files} | self.known.surface.summary["carried"].keys()
        return publish.Standing(self.known.surface.files.keys(), gone - along.files.keys())

    def dropped(self, made: Iterable[str]) -> dict[str, Asset]:
        """What the artifact had of these, and of what is gone."""
        return self.depth.records.assets([*made, *self.gone])


def all_of_it(order: Order, seen: sources.Glance, looks: Mapping[str, str]) -> Built:
    """Build the whole project. looks: of all its files, as far as they are settled. Raises ConfigError and BuildError."""
    tree = seen.tree()
    scope = everything(tree, order.config)
    built = _make(order, seen, tree.excluded, scope, None, looks, plan.filters(scope.work))
    assert built is not None
    return built


def what_changed(order: Order, seen: sources.Glance, known: Index, found: Changes) -> Built | None:
    """Build what the changes reach and keep the rest; None where that cannot be. Raises ConfigError and BuildError."""
    depth = known.depth()
    if depth is None or order.config.previous:
        return None
    before = depth.records.names.keys()
    if not found.moved and not order.config.bundles:
        reached = changes.reached(depth, found, (), ()) & before
        tree = seen.part({asset.sources[0][0] for asset in depth.records.assets(reached).values()})
        scope = Scope(plan.work(tree, order.config), before, {})
        gone: Collection[str] = ()
        filters = frozenset(known.surface.tools)
    else:
        tree = seen.tree()
        scope = everything(tree, order.config)
        whole = scope.work
        now = whole.jobs.keys() | {one.bundle.name for one in whole.assemblies if one.bundle.published}
        gone = before - now
        others = {path for path, job in whole.jobs.items() if job.source.key in found.touched}
        others.update(whole.bundles if found.moved else ())
        reached = changes.reached(depth, found, now - before, gone, others)
        scope = scope._replace(work=plan.narrowed(whole, reached))
        filters = plan.filters(whole)
    made = {*scope.work.jobs, *(one.bundle.name for one in scope.work.assemblies), *gone}
    names = dict(depth.records.names)
    for path in names.keys() & made:
        del names[path]
    rest = _Rest(known, depth, found, gone)
    return _make(order, seen, tree.excluded, scope._replace(names=names), rest, found.looks, filters)


def _make(
    order: Order,
    seen: sources.Glance,
    excluded: Collection[str],
    scope: Scope,
    rest: _Rest | None,
    looks: Mapping[str, str],
    filters: Collection[tuple[str, str]],
) -> Built | None:
    """None where what is made and the rest do not fit together."""
    config, started = order.config, time.time_ns()
    with link(config, excluded, scope, order.cache, jobs=order.jobs, progress=order.progress) as linked, Spool() as spool:
        if rest and obstructed([output.public_path for output in linked.outputs.values()], scope.names.values()):
            return None
        packs = Packs(order.cache)
        items = {path: _item(linked, path) for path in linked.outputs}
        packed = _packed(order, items.values(), spool, packs, scope.names.values()) if order.tools else {}
        reads = changes.Reads(config)
        made = {path: _made(linked, item, path, packed.get(item.public_path, ()), reads) for path, item in items.items()}
        dropped = rest.dropped(made) if rest else {}
        depth = changes.grown(rest.depth if rest else NOTHING, dropped, made)
        files = [*items.values(), *(_variant(variant) for of_one in packed.values() for variant in of_one)]
        published = _published(order, rest, files, made, dropped, depth)
    if published is None:
        return None
    problems = {Problem(*fields) for fields_of_one in depth.problems.values() for fields in fields_of_one}
    warnings = tuple(sorted({*order.odd, *scope.work.warnings, *problems}))
    surface = Surface(
        key=_key(order, filters),
        tools=tuple(sorted(filters)),
        manifest=published.manifest,
        looks=looks,
        reads=_reads(linked, seen, config.exclude, rest, started),
        files=published.looks,
        summary=published.summary,
        warnings=warnings,
        restless=any(changes.ANYTHING in globs for globs in depth.impure.values()),
    )
    use = CacheUse(
        linked.use.known + packs.known + len(scope.names), linked.use.made + packs.made, linked.use.rejected + packs.rejected
    )
    warnings = (*published.warnings, *warnings)  # Those are of this build alone: the next one has nothing to leave behind.
    return Built(Result.of(order, published.summary, warnings, use, published.done), Index(surface, depth, published.written))


class _Published(NamedTuple):
    """The manifest's SHA-256, the manifest, the artifact's summary, how its files look, what was done to it, and what could not
    go along."""

    manifest: str
    written: Written | None
    summary: Mapping[str, Any]
    looks: Mapping[str, str]
    done: publish.Published
    warnings: tuple[Problem, ...]


def _published(
    order: Order,
    rest: _Rest | None,
    files: Sequence[publish.Item],
    made: Mapping[str, Outcome],
    dropped: Mapping[str, Asset],
    depth: Depth,
) -> _Published | None:
    """Publish what was made, in place of what was dropped; None where another build came between, or it is not enough to go by
    what is known of what goes along. depth: of the whole artifact."""
    config = order.config
    display = config.shown(config.output)
    last = rest.known.surface.summary if rest else {}
    assets = {path: one.asset for path, one in made.items()}
    texts = {path: one.entry for path, one in made.items()}
    counted = tally(last, dropped, assets, depth)
    with publish.locked(config.output, display, order.waiting):
        along: releases.Along | None
        if rest is None:
            along, text = releases.found(config, assets.values()), entries.joined(texts)
        else:
            manifest = rest.manifest(config)
            along = releases.continued(config, last, dropped, assets.values()) if manifest else None
            text = entries.changed(manifest, dropped, texts) if manifest else ()
            if along and not along.files.keys().isdisjoint(rest.found.damaged):
                along = None  # What is damaged and of no source any more does not go along, and nobody can make it anew.
        if along is None:
            return None
        summary = along.noted(counted, config, depth.sums)
        data, digest = entries.assembled(_head(summary, order), text)
        standing = rest.standing(dropped, along) if rest else None
        files = [*files, *along.items]
        done = publish.publish(
            config.output,
            files,
            data,
            display=display,
            epoch=config.source_date_epoch,
            progress=functools.partial(order.progress, "publish"),
            standing=standing,
            lasting=order.lasting,
            jobs=order.jobs or pool.available_cores(),
        )
        looks = dict(rest.found.files) if rest else {}
        for path in standing.gone if standing else ():
            looks.pop(path, None)
        looks.update(_looked_at(config, files))
        how = _look_of(f"{config.output}/{treaty.NAME}")
        written = Written(data, how) if how else None
        return _Published(digest, written, summary, looks, done, along.warnings)


def _item(linked: Linked, path: str) -> publish.Item:
    output = linked.outputs[path]
    return publish.Item(output.public_path, output.digest, output.size, pieces(linked, path), linked.jobs[path].shown)


def _packed(
    order: Order, items: Iterable[publish.Item], spool: Spool, packs: Packs, others: Collection[str]
) -> dict[str, tuple[variants.Variant, ...]]:
    from assetbuild import variants  # Not where there are to be none.

    return variants.pack(
        [variants.Plain(i.public_path, i.digest, i.size, functools.partial(publish.from_source, i)) for i in items],
        order.tools,
        spool,
        found=packs.found,
        keep=packs.keep,
        jobs=order.jobs,
        progress=functools.partial(order.progress, "compress"),
        others=others,
    )


def _variant(variant: variants.Variant) -> publish.Item:
    return publish.Item(variant.public_path, variant.packed.digest, variant.packed.size, variant.packed.pieces)


def _made(linked: Linked, item: publish.Item, path: str, packed: Sequence[variants.Variant], reads: changes.Reads) -> Outcome:
    entry: treaty.Entry = {
        "path": item.public_path,
        "integrity": fingerprint.integrity(item.digest),
        "size": item.size,
        "type": media_type(item.public_path),
    }
    if packed:
        entry["variants"] = {variant.coding: variant.packed.size for variant in packed}
    if linked.outputs[path].group:
        entry["group"] = "sha256-" + linked.outputs[path].group
    if path in linked.missing:
        entry["missing"] = list(linked.missing[path])
    files = [File(item.public_path, item.digest, item.size)]
    files += [File(v.public_path, v.packed.digest, v.packed.size, v.tool) for v in packed]
    chains = [job.chain for job in linked.parts[path]]
    kinds = [name for job in linked.parts[path] for name in (job.source.path, job.logical_path)]
    sources = [(job.source.key, linked.compiled[job.key].source) for job in linked.parts[path] if job.text is None]
    asset = Asset(files, sources, linked.wanted[path])
    return Outcome(asset, entries.entry(path, entry), linked.told.get(path, ()), reads.of(chains, kinds))


def _head(summary: Mapping[str, Any], order: Order) -> dict[str, object]:
    """The manifest but for its assets."""
    head: dict[str, object] = {
        "version": treaty.VERSION,
        "mode": order.config.mode,
        "digest": summary["digest"],
        "base_url": order.config.base_url,
        "previous": summary["previous"],
        **(order.keys or {}),
    }
    if order.config.source_date_epoch is not None:
        head["date"] = order.config.source_date_epoch
    if summary["packers"]:
        head["compressors"] = list(summary["packers"])
    return head


def _looked_at(config: Config, items: Iterable[publish.Item]) -> dict[str, str]:
    """How these files of the artifact look now."""
    when = time.time_ns()
    looks = {item.public_path: _look_of(f"{config.output}/{item.public_path}") for item in items}
    return {path: settled(how, when) if how else UNSETTLED for path, how in looks.items()}


def _look_of(file: str) -> str:
    """How a file looks that was written a moment ago; "" where somebody has removed it since: the next build finds that out."""
    try:
        return look(os.lstat(file))
    except OSError:
        return ""


def _reads(linked: Linked, seen: sources.Glance, exclude: Sequence[Pattern], rest: _Rest | None, when: int) -> dict[str, str]:
    """How the files look that filters read besides those below the roots, and the folders that are not looked into there."""
    ours = set(map(seen.file, seen.looks)) if linked.read else set()
    ours |= {path for path in linked.read if path.endswith("/") and sources.is_read(path[:-1], seen.roots, exclude)}
    looks = {path: changes.look_at(path) for path in {*(rest.known.surface.reads if rest else ()), *(linked.read - ours)}}
    return {path: settled(how, when) if how not in ("", changes.ABSENT) else how for path, how in sorted(looks.items())}


def _key(order: Order, filters: Iterable[tuple[str, str]]) -> str:
    try:
        return changes.environment(order.config, order.tools, filters)
    except FilterError:
        return ""
