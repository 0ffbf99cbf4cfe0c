"""Files of earlier releases that go along, so that a page which an old process rendered finds its own on a new one: which they
are, and for how long."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from assetbuild import earlier, publish, sums
from assetbuild.config import Config
from assetbuild.earlier import Earlier, Sound, UnsoundError
from assetbuild.errors import AssetbuildError, BuildError, Problem
from assetbuild.fingerprint import integrity
from assetbuild.names import crowded
from assetbuild.records import Asset, File
from assetbuild.runtime import manifest as treaty

Release: TypeAlias = treaty.Release

_DAY = 86_400  # Seconds.


class Along(NamedTuple):
    """What goes along. releases: as the manifest lists them. files: SHA-256 and size of each file, variants too, by its public
    path. items: those of them that may have to be written. warnings: of what had to stay behind."""

    releases: list[Release]
    files: Mapping[str, tuple[str, int]]
    items: Sequence[publish.Item] = ()
    warnings: tuple[Problem, ...] = ()

    def noted(self, summary: Mapping[str, Any], config: Config, own: bytes) -> dict[str, Any]:
        """The summary of an artifact, with its digest and what the next build needs to know of this. own: the sums of the
        files that do not go along."""
        all_of_it = sums.changed(own, (), [sums.line(digest, path) for path, (digest, _) in self.files.items()])
        digest = sums.digest(all_of_it)
        return {**summary, "digest": digest, "previous": self.releases, "carried": self.files, "asked": _asked(config)}


def due(config: Config, summary: Mapping[str, Any]) -> bool:
    """Whether an artifact with this summary wants a build though no source has changed: a release has expired, or has no date
    by which it could, or others are to go along than those that did."""
    releases = summary["previous"]
    if config.keep_days is not None and not all("date" in release for release in releases):
        return True
    try:
        return bool(_asked(config) != summary["asked"] or _limited(config, releases) != releases)
    except AssetbuildError:
        return True  # The build itself says what is wrong.


def _asked(config: Config) -> list[Any] | None:
    return [config.keep, config.keep_days, earlier.manifests(config)] if config.previous else None


# ---- which of them


def _limited(config: Config, releases: Sequence[Release]) -> list[Release]:
    """Those that are kept, newest first: the first of them, by number, and those that are young enough."""
    keep, days = config.keep, config.keep_days
    if keep is None and days is None:
        keep = len(config.previous)
    if all("date" in release for release in releases):
        releases = sorted(releases, key=lambda release: -release["date"])
    now = time.time() if config.source_date_epoch is None else config.source_date_epoch
    oldest = now - days * _DAY if days else float("inf")  # No days are no age at all, at whatever time.
    young = [release.get("date", float("-inf")) >= oldest for release in releases]
    return [release for number, release in enumerate(releases) if number < (keep or 0) or young[number]]


def _release(config: Config, digest: str, files: Mapping[str, Any], date: int | None, folder: Path) -> Release:
    """date: the release's own; where it has none and an age is asked for, its manifest's time is taken."""
    if date is None and config.keep_days is not None:
        try:
            date = int((folder / treaty.NAME).stat().st_mtime)
        except OSError:
            date = None
    release: Release = {"digest": digest, "files": dict(files)}
    if date is not None:
        release["date"] = date
    return release


def _only(release: Release, files: Mapping[str, treaty.Carried]) -> Release:
    return {**release, "files": dict(files)}


def _names(path: str, entry: treaty.Carried) -> list[str]:
    """A file's public path and its variants'."""
    return [path, *(path + treaty.SUFFIXES[coding] for coding in entry.get("variants", ()) if coding in treaty.SUFFIXES)]


# ---- after a build of a part


def continued(config: Config, summary: Mapping[str, Any], dropped: Mapping[str, Asset], made: Iterable[Asset]) -> Along | None:
    """What goes along with an artifact of which the rest stays as it is; None where this is not enough to tell.

    summary: of the artifact that was. dropped: assets of it that are gone or made anew. made: those that came.
    """
    new = {file.path: file for asset in made for file in asset.files}
    old = {file.path: file for asset in dropped.values() for file in asset.files}
    releases: list[Release] = list(summary["previous"])
    if new != old:
        lost = {asset.files[0].path: _carried(asset.files) for asset in dropped.values()}
        releases.insert(0, _release(config, summary["digest"], lost, config.source_date_epoch, config.output))
    releases = [_only(one, {path: entry for path, entry in one["files"].items() if path not in new}) for one in releases]
    releases = _limited(config, releases)
    groups: dict[str, set[str]] = {}
    for path, entry in (pair for release in releases for pair in release["files"].items()):
        groups.setdefault(path, set()).update(_names(path, entry))
    if crowded(map(sorted, groups.values()), new.keys()):
        return None
    names = set[str]().union(*groups.values())
    known = {path: (digest, size) for path, (digest, size) in summary["carried"].items()}
    known |= {path: (file.digest, file.size) for path, file in old.items()}
    return Along(releases, {name: known[name] for name in sorted(names)})


def _carried(files: Sequence[File]) -> treaty.Carried:
    plain, *variants = files
    entry: treaty.Carried = {"integrity": integrity(plain.digest), "size": plain.size}
    if variants:
        codings = {suffix: coding for coding, suffix in treaty.SUFFIXES.items()}
        entry["variants"] = {codings[file.path.removeprefix(plain.path)]: file.size for file in variants}
    return entry


# ---- after a build of everything


def found(config: Config, made: Collection[Asset]) -> Along:
    """What goes along with an artifact of these assets: from the artifacts that are named, and from the output folder.

    Raises ConfigError where no artifact is where one was named, BuildError where a file of it is not what its manifest says.
    """
    artifacts = earlier.named(config)
    if not artifacts:
        return Along([], {})
    current = {asset.files[0].path: integrity(asset.files[0].digest) for asset in made}
    releases = _limited(config, _releases(config, artifacts, current))
    wanted: dict[str, treaty.Carried] = {}
    for release in releases:  # Where two have one name, or names that cannot be beside each other, the newer counts.
        wanted |= {path: entry for path, entry in sorted(release["files"].items()) if path not in wanted}
    # What is no path of an artifact is told of where the file is asked for.
    groups = [_names(path, entry) for path, entry in wanted.items() if publish.plain(path)]
    in_use = crowded(groups, {file.path for asset in made for file in asset.files})
    warnings = []
    for path in in_use:
        del wanted[path]
        what = "this file of an earlier release does not go along, since its name is in use"
        warnings.append(Problem(path, 0, 0, what, "", "warning"))
    taken, more = _taken(config, artifacts, wanted)
    items = [item for one in taken.values() for item in one.items]
    files = {item.public_path: (item.digest, item.size) for item in sorted(items, key=lambda item: item.public_path)}
    listed = []
    for one in releases:
        same = {path: taken[path].entry for path, entry in one["files"].items() if path in taken}
        listed.append(_only(one, {path: entry for path, entry in same.items() if earlier.agree(entry, one["files"][path])}))
    return Along(listed, files, items, tuple(sorted([*warnings, *more])))


def _releases(config: Config, artifacts: Sequence[Earlier], current: Mapping[str, str]) -> list[Release]:
    """Each artifact as a release, where it is another than the current one; then what they had carried along themselves, the
    output folder's first, so that a build upon its own result keeps what it kept. Of files that the current one has, nothing is
    said."""
    found: list[tuple[str, int, Release]] = []
    chains: list[Counter[str]] = []
    for one in artifacts:
        chains.append(Counter())
        assets = {entry["path"]: entry for entry in one.manifest["assets"].values()}
        if {path: entry["integrity"] for path, entry in assets.items()} != current:
            digest = one.manifest["digest"]
            chains[-1][digest] += 1
            found.append((digest, 0, _release(config, digest, assets, one.manifest.get("date"), one.folder)))
    for one, chain in sorted(zip(artifacts, chains, strict=True), key=lambda pair: not pair[0].own):
        for release in one.manifest["previous"]:
            digest = release["digest"]
            found.append((digest, chain[digest], _release(config, digest, release["files"], release.get("date"), one.folder)))
            chain[digest] += 1
    # A release that several artifacts tell of is one; but two may have the same files and so one digest, in turn.
    releases: dict[tuple[str, int], Release] = {}
    for digest, number, release in found:
        files = {path: earlier.carried(entry) for path, entry in release["files"].items() if path not in current}
        known = releases.setdefault((digest, number), release)
        releases[digest, number] = _only(known, files if known is release else {**files, **known["files"]})
    return list(releases.values())


def _taken(
    config: Config, artifacts: Sequence[Earlier], wanted: Mapping[str, treaty.Carried]
) -> tuple[dict[str, Sound], list[Problem]]:
    """The files that are what their manifest says, and warnings of those in the output folder that are not. Raises BuildError
    for those of artifacts that were named."""
    taken: dict[str, Sound] = {}
    warnings, problems = [], []
    unread: dict[str, int] = {}
    for path, entry in sorted(wanted.items()):
        faults = []
        for one in artifacts:
            if path in taken or not one.has(path, entry):
                continue
            try:
                taken[path] = earlier.sound(config, one, path, entry)
            except UnsoundError as error:
                faults.append((one, str(error)))
        if path in taken:
            for coding in taken[path].unread:
                unread[coding] = unread.get(coding, 0) + 1
            continue
        for one, fault in faults:
            shown = config.shown(one.folder / path)
            if one.own:  # Nobody can make it anew.
                what = f"this file of an earlier release is given up: it {fault}"
                warnings.append(Problem(shown, 0, 0, what, "", "warning"))
            else:
                hint = f"run `assetbuild verify {config.shown(one.folder)}`"
                problems.append(Problem(shown, 0, 0, f"this file of an earlier release {fault}", hint))
    if problems:
        raise BuildError(problems)
    for coding, number in sorted(unread.items()):
        what = "1 variant stays" if number == 1 else f"{number:,} variants stay"
        what += f" behind, since this Python has no module that reads {coding}"
        warnings.append(Problem("", 0, 0, what, "", "warning"))
    return taken, warnings
