"""What is to be done: which source goes through which filters and becomes what, alone or in a bundle. Everything that names or
the configuration could get wrong is said here, before any work."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from assetbuild.config import Bundle, Config
from assetbuild.errors import BuildError, ConfigError, Problem
from assetbuild.filters import FilterError, FilterUnavailableError, Hooks
from assetbuild.filters.chains import MINIFIERS, Chain, built_in, chain_for, compiled_path, language, load, without_minifiers
from assetbuild.link import Output
from assetbuild.names import folded, folders_of
from assetbuild.pool import Lost
from assetbuild.runtime import manifest as treaty
from assetbuild.sources import Source, Tree
from assetbuild.unit import Job, Tools

if TYPE_CHECKING:
    from assetbuild.bundles import Assembly


class Work(NamedTuple):
    """Everything that a build has to do.

    jobs: the sources that become assets, by logical path, sorted. sources: every source, by the path it has once compiled, as
    a part of a bundle. assemblies: the bundles, each behind those that it is made of. bundles: what each bundle becomes, by
    name; its text is not there yet. parts: the bundle that each source is a part of which is not published on its own, by
    the path it has once compiled. warnings: what is odd.
    """

    jobs: Mapping[str, Job]
    sources: Mapping[str, Job]
    assemblies: tuple[Assembly, ...]
    bundles: Mapping[str, Job]
    parts: Mapping[str, str]
    warnings: tuple[Problem, ...]


def _shown(config: Config, source: Source) -> str:
    """The same for a source, which is no folder: that of its folder is worked out once."""
    folder, _, name = source.file.rpartition("/")
    shown_folder = _shown_folder(folder or "/", str(config.working_folder))
    return name if shown_folder == "." else f"{shown_folder}/{name}"


@functools.lru_cache(maxsize=4096)
def _shown_folder(folder: str, working_folder: str) -> str:
    return os.path.relpath(folder, working_folder)


def config_file(config: Config) -> str:
    """The configuration file as one would type it, or "" without one."""
    return config.shown(config.file) if config.file else ""


def tools(config: Config, workspace: str = "") -> Tools:
    """What every source of this build is compiled with."""
    roots = tuple(str(root) for root in config.sources)
    search = (str(config.folder),)
    return Tools(str(config.working_folder), roots, config.webassets, search, config.filter_timeout, workspace, config.prefixes)


def work(tree: Tree, config: Config) -> Work:
    """What becomes of each source and bundle.

    Raises ConfigError for filters that are not to be had and bundles that cannot be, BuildError for sources that become one
    file and for bundles whose parts are not there.
    """
    loaded = _Loaded(tools(config))
    problems: list[Problem] = []
    chosen: list[tuple[str, Source, Chain]] = []
    # What webassets' bundles compile needs no chain of its own, nor what their filters read beside it.
    adopted = any(bundle.part_filters is not None for bundle in config.bundles)
    unread: list[Source] = []
    for source in tree.sources:
        try:
            chain = _as_built(chain_for(source.path, config.filters), config)
        except FilterUnavailableError as error:
            if adopted:
                unread.append(source)
                continue
            problems.append(Problem(_shown(config, source), 0, 0, error.message))
            continue
        problems += loaded.problems(chain, _shown(config, source))
        if source.kept and (source.path == treaty.NAME or source.path.startswith(".assetbuild-")):
            problems.append(Problem(_shown(config, source), 0, 0, "keep_names keeps a name that the artifact needs itself"))
        chosen.append((compiled_path(source.path, chain), source, chain))
    for bundle in config.bundles:
        parts, whole = _chains(bundle, config)
        problems += loaded.problems(parts, _bundle(bundle.name))
        problems += loaded.problems(whole, _bundle(bundle.name))
    if problems:
        raise ConfigError(problems)
    jobs = _by_logical_path(chosen, config)
    if not config.bundles:
        return Work(jobs, {}, (), {}, {}, ())
    return _with_bundles(jobs, unread, tree.excluded, config)


class _Loaded:
    """Tries each filter once."""

    def __init__(self, given: Tools) -> None:
        self.given = given
        self.known: set[tuple[str, Hooks]] = set()

    def problems(self, chain: Chain, where: str) -> Iterable[Problem]:
        """One message for a filter, however many files want it, at the first of them."""
        for name in chain.filters:
            if (name, chain.hooks) in self.known:
                continue
            self.known.add((name, chain.hooks))
            try:
                load(name, self.given.settings, self.given.search, self.given.time_limit, chain.hooks)
            except FilterError as error:
                yield Problem(where, 0, 0, f"{name}: {error.message}")


def _as_built(chain: Chain, config: Config) -> Chain:
    return without_minifiers(chain) if config.mode == "development" else chain


def _chains(bundle: Bundle, config: Config) -> tuple[Chain, Chain]:
    """What the parts go through in place of their own chains, and what the whole goes through."""
    if bundle.part_filters is None:
        whole = built_in(bundle.name) if bundle.filters is None else Chain(bundle.filters)
        return Chain(), _as_built(replace(whole, depends=bundle.depends), config)
    whole = _as_built(Chain(bundle.filters or (), hooks="whole", depends=bundle.depends), config)
    return Chain(bundle.part_filters, hooks="parts", depends=bundle.depends), whole


def _bundle(name: str) -> str:
    return f'bundle "{name}"'


def _with_bundles(jobs: dict[str, Job], unread: Iterable[Source], excluded: Collection[str], config: Config) -> Work:
    from assetbuild.bundles import ContentsError, assemblies  # Not for projects that have none.

    inputs = {source.path: Job(source, Chain(), source.path, _shown(config, source)) for source in unread}
    sources = {job.source.path: path for path, job in {**inputs, **jobs}.items()}
    try:
        made, odd = assemblies(config.bundles, sources, excluded, MINIFIERS)
    except ContentsError as error:
        raise BuildError([Problem(_bundle(name), 0, 0, what, hint) for name, what, hint in error.faults]) from error
    published = {p for one in made if one.bundle.publish_parts for p in one.parts}
    parts = {sources[p]: one.bundle.name for one in reversed(made) for p in one.parts if p in sources and p not in published}
    bundles = {}
    for one in made:
        name = one.bundle.name
        kept = any(pattern.matches(name) for pattern in config.keep_names)
        bundles[name] = Job(Source(name, "", -1, 0, kept), _chains(one.bundle, config)[1], name, _bundle(name), text="")
    as_parts = {
        path: Job(job.source, without_minifiers(job.chain), path, job.shown, part=True)
        for path, job in {**inputs, **jobs}.items()
    }
    _one_language(made, as_parts, sources)
    alone = {path: job for path, job in jobs.items() if path not in parts}
    # A part may become what the bundle is called (site.scss in site.css), but not be called so.
    _bundles_apart({**{job.source.path: job for job in jobs.values()}, **alone}, config)
    return Work(
        alone,
        as_parts,
        tuple(made),
        bundles,
        parts,
        tuple(Problem(_bundle(name), 0, 0, what, "", "warning") for name, what in odd),
    )


def _bundles_apart(jobs: Mapping[str, Job], config: Config) -> None:
    """Raises BuildError where a bundle is called like a source or another bundle."""
    taken = {folded(path): job.shown for path, job in jobs.items()}
    problems = []
    for bundle in config.bundles:
        other = taken.setdefault(folded(bundle.name), _bundle(bundle.name))
        if other != _bundle(bundle.name):
            problems.append(Problem(_bundle(bundle.name), 0, 0, f"{other} has this logical path too", "rename one of the two"))
    if problems:
        raise BuildError(problems)


def _one_language(made: Iterable[Assembly], parts: Mapping[str, Job], compiled: Mapping[str, str]) -> None:
    """Raises BuildError where a part is of another language than its bundle; in webassets' own bundles, whose filters may
    make anything of anything, that is nobody's business."""
    problems = []
    for one in made:
        name = one.bundle.name
        for path in one.parts if one.bundle.part_filters is None else ():
            logical_path = compiled.get(path, path)
            if language(logical_path) != language(name):
                where = parts[logical_path].shown if logical_path in parts else _bundle(path)
                what = f'this cannot be a part of the bundle "{name}": the two are of different languages'
                problems.append(Problem(where, 0, 0, what, "name the bundle by what its parts are, or take the part out"))
    if problems:
        raise BuildError(problems)


def _by_logical_path(chosen: Iterable[tuple[str, Source, Chain]], config: Config) -> dict[str, Job]:
    result: dict[str, Job] = {}
    by_case: dict[str, str] = {}
    problems = []
    # The first root wins; within one the order of names, so that the message is the same everywhere.
    for path, source, chain in sorted(chosen, key=lambda entry: (entry[1].root, entry[1].path)):
        if folded(path).startswith(treaty.NAME + "/"):
            what = f'the artifact has its manifest where the folder "{path[: len(treaty.NAME)]}" would be'
            problems.append(Problem(_shown(config, source), 0, 0, what, "rename the folder"))
            continue
        other = result.get(path) or result.get(by_case.setdefault(folded(path), path))
        if other is None:
            result[path] = Job(source, chain, path, _shown(config, source))
        elif other.source.root == source.root or other.logical_path != path:
            what = f'{other.shown} becomes "{other.logical_path}" too'
            if other.logical_path != path:
                what = f'{other.shown} becomes "{other.logical_path}", which differs from "{path}" in letter case only'
            problems.append(Problem(_shown(config, source), 0, 0, what, "rename or exclude one of the two"))
    if problems:
        raise BuildError(problems)
    return {path: result[path] for path in sorted(result)}


def narrowed(work: Work, paths: Collection[str]) -> Work:
    """The part of the work that makes these assets, and the bundles that are joined into them."""
    needed = set(paths)
    for one in reversed(work.assemblies):
        if one.bundle.name in needed:
            needed.update(part for part in one.parts if part in work.bundles)
    jobs = {path: job for path, job in work.jobs.items() if path in needed}
    return work._replace(jobs=jobs, assemblies=tuple(one for one in work.assemblies if one.bundle.name in needed))


def filters(work: Work) -> frozenset[tuple[str, Hooks]]:
    """All filters that the work may need, each with the hooks of it that are called."""
    chains = {job.chain for jobs in (work.jobs, work.sources, work.bundles) for job in jobs.values()}
    used = {(name, chain.hooks) for chain in chains for name in chain.filters}
    for one in work.assemblies:
        used.update((name, "parts") for name in one.bundle.part_filters or ())
    return frozenset(used)


def lost(job: Job, what: Lost, given: Tools) -> Problem:
    """The message for a source whose worker had to be stopped."""
    names = ", ".join(job.chain.filters) or "reading it"
    if what.reason == "timeout":
        message = f"{names}: took longer than {given.time_limit:g} s and was stopped"
        return Problem(job.shown, 0, 0, message, "set filter_timeout higher, or leave the filter out for this file")
    return Problem(job.shown, 0, 0, f"{names}: crashed ({what.detail})", "leave the filter out for this file")


def distinct(outputs: Iterable[Output], work: Mapping[str, Job]) -> None:
    """Raises BuildError where two sources have one public path, or one's path is a folder of another's."""
    owners: dict[str, Output] = {}
    problems = []
    for output in sorted(outputs, key=lambda output: output.public_path):
        other = owners.setdefault(folded(output.public_path), output)
        if other is not output:
            problems.append((output, f'{work[other.logical_path].shown} has the public path "{other.public_path}" too'))
    for output in owners.values():
        for folder in folders_of(output.public_path):
            if taken := owners.get(folded(folder)):
                shown = work[taken.logical_path].shown
                problems.append((output, f'{shown} is published as "{taken.public_path}", a folder here'))
    if problems:
        raise BuildError([Problem(work[o.logical_path].shown, 0, 0, what, "rename one of the two") for o, what in problems])
