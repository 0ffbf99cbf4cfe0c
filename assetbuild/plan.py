"""What is to be done: which source goes through which filters and becomes what. Everything that names or the configuration
could get wrong is said here, before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from assetbuild import publish
from assetbuild.config import Config
from assetbuild.errors import BuildError, ConfigError, Problem
from assetbuild.filters import FilterError, FilterUnavailableError
from assetbuild.filters.chains import Chain, chain_for, compiled_path, load
from assetbuild.link import Output
from assetbuild.pool import Lost
from assetbuild.runtime import manifest as treaty
from assetbuild.sources import Source, folded
from assetbuild.unit import Job, Tools


def shown(config: Config, file: str) -> str:
    """A file as one would type it from the working folder."""
    return os.path.relpath(file, config.working_folder)


def config_file(config: Config) -> str:
    """The configuration file as one would type it, or "" without one."""
    return shown(config, str(config.file)) if config.file else ""


def tools(config: Config) -> Tools:
    """What every source of this build is compiled with."""
    roots = tuple(str(root) for root in config.sources)
    return Tools(str(config.working_folder), roots, config.webassets, (str(config.folder),), config.filter_timeout)


def jobs(sources: Iterable[Source], config: Config) -> dict[str, Job]:
    """Each source with its chain, by the logical path of what it becomes, sorted.

    Raises ConfigError for filters that are not to be had, BuildError for sources that become one file.
    """
    if config.bundles or config.bundles_from:
        # Building the rest and leaving these out would be an artifact that looks whole and is not.
        raise ConfigError(Problem(config_file(config), 0, 0, "bundles are not built by this version yet", "take them out"))
    given = tools(config)
    unavailable: dict[str, str] = {}
    known: set[str] = set()
    problems: list[Problem] = []
    chosen: list[tuple[str, Source, Chain]] = []
    for source in sources:
        try:
            chain = chain_for(source.path, config.filters)
        except FilterUnavailableError as error:
            problems.append(Problem(shown(config, source.file), 0, 0, error.message))
            continue
        for name in chain.filters:
            if name not in known:
                known.add(name)
                try:
                    load(name, given.settings, given.search, given.time_limit, chain.hooks)
                except FilterError as error:
                    unavailable[name] = error.message
            if name in unavailable:
                # One message for a filter, however many files want it, at the first of them.
                message = unavailable[name]
                if message:
                    problems.append(Problem(shown(config, source.file), 0, 0, f"{name}: {message}"))
                    unavailable[name] = ""
        if source.kept and (source.path == treaty.NAME or source.path.startswith(".assetbuild-")):
            problems.append(Problem(shown(config, source.file), 0, 0, "keep_names keeps a name that the artifact needs itself"))
        chosen.append((compiled_path(source.path, chain), source, chain))
    if problems:
        raise ConfigError(problems)
    return _by_logical_path(chosen, config)


def _by_logical_path(chosen: Iterable[tuple[str, Source, Chain]], config: Config) -> dict[str, Job]:
    result: dict[str, Job] = {}
    by_case: dict[str, str] = {}
    problems = []
    # The first root wins; within one the order of names, so that the message is the same everywhere.
    for path, source, chain in sorted(chosen, key=lambda entry: (entry[1].root, entry[1].path)):
        if folded(path).startswith(treaty.NAME + "/"):
            what = f'the artifact has its manifest where the folder "{path[: len(treaty.NAME)]}" would be'
            problems.append(Problem(shown(config, source.file), 0, 0, what, "rename the folder"))
            continue
        other = result.get(path) or result.get(by_case.setdefault(folded(path), path))
        if other is None:
            result[path] = Job(source, chain, path, shown(config, source.file))
        elif other.source.root == source.root or other.logical_path != path:
            what = f'{other.shown} becomes "{other.logical_path}" too'
            if other.logical_path != path:
                what = f'{other.shown} becomes "{other.logical_path}", which differs from "{path}" in letter case only'
            problems.append(Problem(shown(config, source.file), 0, 0, what, "rename or exclude one of the two"))
    if problems:
        raise BuildError(problems)
    return {path: result[path] for path in sorted(result)}


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
        for folder in publish.folders_of(output.public_path):
            if taken := owners.get(folded(folder)):
                shown = work[taken.logical_path].shown
                problems.append((output, f'{shown} is published as "{taken.public_path}", a folder here'))
    if problems:
        raise BuildError([Problem(work[o.logical_path].shown, 0, 0, what, "rename one of the two") for o, what in problems])
