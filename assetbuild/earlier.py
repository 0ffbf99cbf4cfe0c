"""Artifacts of earlier builds: found, read, and each file held against its manifest before it is used again."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path

from assetbuild import publish
from assetbuild.config import Config
from assetbuild.errors import ConfigError, Problem
from assetbuild.fingerprint import integrity
from assetbuild.runtime import manifest as treaty
from assetbuild.unpack import UnpackError, unpacker

#: What no published path holds, besides what would lead out of the folder.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")


class UnsoundError(Exception):
    """A file is not what its manifest says; the message says how."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier artifact. own: whether it is what the output folder holds. files: what its manifest says of a public path, of
    its own assets and of what it had carried along."""

    folder: Path
    manifest: treaty.Manifest
    own: bool
    files: Mapping[str, list[treaty.Carried]]

    @classmethod
    def of(cls, folder: Path, manifest: treaty.Manifest, own: bool) -> Earlier:
        files: dict[str, list[treaty.Carried]] = {}
        for asset in manifest["assets"].values():
            files.setdefault(asset["path"], []).append(carried(asset))
        for release in manifest["previous"]:
            for path, entry in release["files"].items():
                files.setdefault(path, []).append(carried(entry))
        return cls(folder, manifest, own, files)

    def has(self, path: str, entry: treaty.Carried) -> bool:
        return any(agree(one, entry) for one in self.files.get(path, ()))


def carried(entry: treaty.Entry | treaty.Carried) -> treaty.Carried:
    """What the manifest says of a file that goes along."""
    made: treaty.Carried = {"integrity": entry["integrity"], "size": entry["size"]}
    if variants := entry.get("variants"):
        made["variants"] = dict(variants)
    return made


def agree(one: treaty.Carried, other: treaty.Carried) -> bool:
    """Whether two entries are of the same bytes, whatever variants they have."""
    return (one["integrity"], one["size"]) == (other["integrity"], other["size"])


def named(config: Config) -> list[Earlier]:
    """The artifacts that the configuration names, in their order, and what the output folder holds, where that counts.

    Raises ConfigError for all that cannot be used.
    """
    artifacts: list[Earlier] = []
    problems = []
    for place in config.previous:
        file = _manifest_file(place)
        try:
            manifest = treaty.load(file)
        except treaty.ManifestError as error:
            problems.append(_unusable(config, file, error))
            continue
        if manifest["mode"] != config.mode:
            what = "--previous: this artifact was written by `assetbuild watch`, for development"
            problems.append(Problem(config.shown(file), 0, 0, what, "name one that `assetbuild compile` wrote"))
        real = Path(os.path.realpath(file.parent))
        if any(real.is_relative_to(os.path.realpath(root)) for root in config.sources):
            what = "--previous: this artifact lies in a source root, so its files are sources too"
            problems.append(Problem(config.shown(file), 0, 0, what, "move it elsewhere"))
        own = real == Path(os.path.realpath(config.output))
        artifacts.append(Earlier.of(file.parent, manifest, own))
    if problems:
        raise ConfigError(problems)
    if (config.keep or config.keep_days) and not any(one.own for one in artifacts):
        try:
            manifest = treaty.load(config.output / treaty.NAME)
        except treaty.ManifestError:
            return artifacts  # There is none yet; of one that cannot be read, the publication tells.
        if manifest["mode"] == config.mode:
            artifacts.append(Earlier.of(config.output, manifest, own=True))
    return artifacts


def manifests(config: Config) -> list[str]:
    """The SHA-256 of the manifest of each artifact that the configuration names. Raises ConfigError."""
    digests = []
    for file in map(_manifest_file, config.previous):
        try:
            digests.append(hashlib.sha256(treaty.read(str(file))).hexdigest())
        except treaty.ManifestError as error:
            raise ConfigError(_unusable(config, file, error)) from error
    return digests


def _manifest_file(place: Path) -> Path:
    return place if place.is_file() else place / treaty.NAME


def _unusable(config: Config, file: Path, error: treaty.ManifestError) -> Problem:
    return Problem(config.shown(file), 0, 0, f"--previous: {error.message}", "name the folder of an earlier artifact")


# ---- is a file what its manifest says?


@dataclass(frozen=True, slots=True)
class Sound:
    """A file that is. entry: with the variants that are, too. items: all of them. unread: codings of which nobody can tell
    here."""

    entry: treaty.Carried
    items: tuple[publish.Item, ...]
    unread: tuple[str, ...]


def sound(config: Config, artifact: Earlier, path: str, entry: treaty.Carried) -> Sound:
    """Hold a file and its variants against the manifest. Raises UnsoundError."""
    if not publish.plain(path) or _FORBIDDEN.search(path) or path == treaty.JOURNAL:
        raise UnsoundError("is no path of an artifact")
    file = artifact.folder / path
    digest, size = _hashed(_known(file))
    if (integrity(digest), size) != (entry["integrity"], entry["size"]):
        raise UnsoundError("has other bytes than its manifest says")
    items = [_item(config, artifact, path, digest, size)]
    made: treaty.Carried = {"integrity": entry["integrity"], "size": size}
    variants: dict[treaty.Coding, int] = {}
    unread = []
    for coding, recorded in sorted(entry.get("variants", {}).items()):
        unpack = unpacker(coding) if coding in treaty.SUFFIXES else None
        if unpack is None:
            unread.append(str(coding))
            continue
        name = path + treaty.SUFFIXES[coding]
        packed, packed_size = _hashed(_known(artifact.folder / name))
        try:
            same = packed_size == recorded and _hashed(unpack(_known(artifact.folder / name)), size) == (digest, size)
        except UnpackError:
            same = False
        if not same:
            raise UnsoundError(f"has a variant ({coding}) that is another file's")
        variants[coding] = packed_size
        items.append(_item(config, artifact, name, packed, packed_size))
    if variants:
        made["variants"] = variants
    return Sound(made, tuple(items), tuple(unread))


def _item(config: Config, artifact: Earlier, path: str, digest: str, size: int) -> publish.Item:
    file = artifact.folder / path
    return publish.Item(path, digest, size, partial(_pieces, file), config.shown(file))


def _hashed(pieces: Iterator[bytes], most: int | None = None) -> tuple[str, int]:
    """SHA-256 and size; of no more than a little beyond `most` bytes, since a few can unpack to gigabytes."""
    sha, size = hashlib.sha256(), 0
    for piece in pieces:
        sha.update(piece)
        size += len(piece)
        if most is not None and size > most:
            break
    return sha.hexdigest(), size


def _known(file: Path) -> Iterator[bytes]:
    try:
        yield from _pieces(file)
    except (FileNotFoundError, NotADirectoryError):
        raise UnsoundError("is missing, or a variant of it is") from None
    except OSError as error:
        raise UnsoundError(f"cannot be read: {error.strerror}") from None


def _pieces(file: Path) -> Iterator[bytes]:
    # A FIFO is not waited for, and a link is not followed.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
    with FileIO(file, opener=lambda name, _: os.open(name, flags)) as data:
        if not stat.S_ISREG(os.fstat(data.fileno()).st_mode):
            raise OSError(0, "it is no file", str(file))
        while piece := data.read(publish.PIECE):
            yield piece
