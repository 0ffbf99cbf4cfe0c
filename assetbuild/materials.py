"""All that was read for an artifact: its sources, what their filters may have read besides, and the configuration."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assetbuild import changes, patterns
from assetbuild.config import Config
from assetbuild.errors import BuildError, Problem
from assetbuild.index import Depth, Index
from assetbuild.reading import opened


@dataclass(frozen=True, slots=True)
class Material:
    """A file that was read. name: what it is called on every machine. digest: its SHA-256 in hex digits. file: where it is."""

    name: str
    digest: str
    file: str


def known_as(config: Config, path: str | os.PathLike[str]) -> str:
    """What a path is called on every machine: in an installed package `package:` and its place there; else its path from the
    configuration's folder on."""
    inside = re.split(r"/(?:site|dist)-packages/", Path(path).as_posix())[1:]
    return f"package:{inside[-1]}" if inside else Path(os.path.relpath(path, config.folder)).as_posix()


def materials(config: Config, index: Index, others: Iterable[str] = ()) -> list[Material]:
    """Sorted by name. index: of an artifact that was just built. others: absolute paths of files that were read besides. Raises
    BuildError where a file can no longer be read."""
    depth = index.depth()
    assert depth is not None
    files = _below_the_roots(config, index, depth)
    read = [path for path in index.surface.reads if not path.endswith("/")]
    for file in (*read, *others, *([str(config.file)] if config.file else [])):
        files[known_as(config, file)] = Material(known_as(config, file), _digest(config, file), file)
    return [files[one] for one in sorted(files)]


def _below_the_roots(config: Config, index: Index, depth: Depth) -> dict[str, Material]:
    roots = [known_as(config, root) for root in config.sources]
    digests = {key: digest for one in depth.records.assets(depth.records.names).values() for key, digest in one.sources}
    globs = {glob for one in depth.impure.values() for glob in one if glob != changes.ANYTHING}
    readable = [patterns.compile(glob) for glob in globs]
    found = {}
    for key in index.surface.looks.keys() | digests.keys():
        number, _, path = key.partition("/")
        inside = path[len(config.prefix(int(number))) :]
        called, file = f"{roots[int(number)]}/{inside}", f"{config.sources[int(number)]}/{inside}"
        if key in digests:
            found[called] = Material(called, digests[key], file)
        elif any(pattern.matches(path) for pattern in readable):
            found[called] = Material(called, _digest(config, file), file)
    return found


def _digest(config: Config, file: str) -> str:
    try:
        with opened(file) as data:
            return hashlib.file_digest(data, "sha256").hexdigest()
    except OSError as error:
        what = f"this file could not be read again after the build: {error.strerror}"
        raise BuildError(Problem(config.shown(file), 0, 0, what, "run it again")) from error
