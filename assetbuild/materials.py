"""All that was read for an artifact: its sources, what their filters may have read besides, and the configuration."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from assetbuild import changes, patterns
from assetbuild.config import Config
from assetbuild.errors import BuildError, Problem
from assetbuild.index import Depth, Index
from assetbuild.reading import opened


@dataclass(frozen=True, slots=True)
class Material:
    """A file that was read. name: its path from the configuration's folder on. digest: its SHA-256 in hex digits. file: where
    it is."""

    name: str
    digest: str
    file: str


def materials(config: Config, index: Index) -> list[Material]:
    """Sorted by name. index: of an artifact that was just built. Raises BuildError where a file can no longer be read."""
    depth = index.depth()
    assert depth is not None
    files = _below_the_roots(config, index, depth)
    for file in (*index.surface.reads, *([str(config.file)] if config.file else [])):
        name = Path(os.path.relpath(file, config.folder)).as_posix()
        files[name] = Material(name, _digest(config, file), file)
    return [files[name] for name in sorted(files)]


def _below_the_roots(config: Config, index: Index, depth: Depth) -> dict[str, Material]:
    roots = [Path(os.path.relpath(root, config.folder)).as_posix() for root in config.sources]
    digests = {key: digest for one in depth.records.assets(depth.records.names).values() for key, digest in one.sources}
    globs = {glob for one in depth.impure.values() for glob in one if glob != changes.ANYTHING}
    readable = [patterns.compile(glob) for glob in globs]
    found = {}
    for key in index.surface.looks.keys() | digests.keys():
        number, _, path = key.partition("/")
        inside = path[len(config.prefix(int(number))) :]
        name, file = f"{roots[int(number)]}/{inside}", f"{config.sources[int(number)]}/{inside}"
        if key in digests:
            found[name] = Material(name, digests[key], file)
        elif any(pattern.matches(path) for pattern in readable):
            found[name] = Material(name, _digest(config, file), file)
    return found


def _digest(config: Config, file: str) -> str:
    try:
        with opened(file) as data:
            return hashlib.file_digest(data, "sha256").hexdigest()
    except OSError as error:
        what = f"this file could not be read again after the build: {error.strerror}"
        raise BuildError(Problem(config.shown(file), 0, 0, what, "run it again")) from error
