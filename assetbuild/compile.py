"""The build, told in order: the sources looked at; what has changed since the last time; that made; and what there is to know
of it kept for the next time. This room alone knows the order."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from assetbuild import changes, compressors, earlier, publish, releases, sources
from assetbuild.adopt import Adopted, adopt
from assetbuild.beside import beside
from assetbuild.cache import Cache, CacheUse, opened
from assetbuild.changes import Changes
from assetbuild.config import Config
from assetbuild.index import Index
from assetbuild.looks import settled
from assetbuild.result import Built, Order, Progress, Result, alone, silent


def compile(config: Config, *, jobs: int | None = None, progress: Progress = silent) -> Result:  # noqa: A001 (the word for it)
    """Build the artifact. jobs: worker processes, or threads, at most; default, the cores.

    Raises ConfigError and BuildError; the artifact is then as it was.
    """
    return project(adopt(config), jobs=jobs, progress=progress).result


def project(
    adopted: Adopted,
    *,
    jobs: int | None = None,
    progress: Progress = silent,
    waiting: Callable[[], object] = alone,
    whole: bool = False,
) -> Built:
    """The same for a configuration whose bundles are adopted, with what is known of the artifact. waiting: as Order has it.
    whole: all that is known, even where nothing has changed."""
    started = time.monotonic()
    found = opened(str(adopted.config.cache_dir))
    cache = found if isinstance(found, Cache) else None
    tools = compressors.tools(adopted.config.compress)
    order = Order(adopted.config, cache, tools, adopted.warnings, jobs, progress, waiting=waiting)
    known = changes.last(cache, adopted.config, tools) if cache else None
    if known and whole and known.depth() is None:
        known = None
    built = build(order, known)
    if cache and built.index is not known:
        built.index.keep(cache, changes.name_for(adopted.config))
    use = replace(built.result.use, refused=found if isinstance(found, str) else "")
    return replace(built, result=replace(built.result, use=use, seconds=time.monotonic() - started))


def build(order: Order, known: Index | None, seen: sources.Glance | None = None, *, sound: bool = False) -> Built:
    """Bring the artifact up to date.

    known: what was known after the last build; it decides how much there is to do, and nothing else. seen: the sources as
    they look, where that is known already; sound: whether the artifact is known to be as it was written. Raises ConfigError
    and BuildError; the artifact is then as it was.
    """
    when = time.time_ns()
    display = order.config.shown(order.config.output)
    found = None
    if known is None or not order.config.output.is_dir() or releases.due(order.config, known.surface.summary):
        now = seen or glance(order.config)
    else:
        with publish.locked(order.config.output, display, order.waiting):
            now, damaged = (seen, frozenset[str]()) if seen and sound else _looked(order.config, known, seen)
            if damaged is not None:
                found = changes.since(known, now, damaged, order.config, when)
    if known is not None and found is not None and not found:
        return _unchanged(order, known, found)
    from assetbuild import make  # To see that nothing has changed takes less time than to import what else it would take.

    if known is not None and found is not None and (built := make.what_changed(order, now, known, found)):
        return built
    publish.owned(order.config.output, display)  # Refused before the work, not after it.
    if order.config.previous:
        earlier.named(order.config)
    return make.all_of_it(order, now, {key: settled(look, when) for key, look in now.looks.items()})


def _looked(config: Config, known: Index, seen: sources.Glance | None) -> tuple[sources.Glance, frozenset[str] | None]:
    """The sources, and what is damaged of the artifact, both at once."""
    surface = known.surface
    look = partial(publish.standing, config.output, surface.files, surface.manifest, config.source_date_epoch)
    with beside(look) as damaged:
        return seen or glance(config), damaged()


def glance(config: Config) -> sources.Glance:
    """What there is below the roots now. Raises BuildError."""
    return sources.glance(
        config.sources,
        prefixes=config.prefixes,
        exclude=config.exclude,
        keep_names=config.keep_names,
        follow_symlinks=config.follow_symlinks,
        ours=(config.output, config.cache_dir),
        display=config.shown,
    )


def _unchanged(order: Order, known: Index, found: Changes) -> Built:
    surface = known.surface
    nothing = publish.Published((), (), False)
    result = Result.of(order, surface.summary, surface.warnings, CacheUse(known=surface.summary["files"]), nothing)
    same = found.looks == surface.looks and found.files == surface.files
    return Built(result, known if same else known.seen(found.looks, found.files))
