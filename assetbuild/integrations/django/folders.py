"""The folders of a project's static files, as its finders have them: the source roots of the build."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders

from assetbuild.integrations.django.finders import ArtifactFinder

#: What neither Django nor a build takes for a static file.
_NOTHING = ("CVS", "__pycache__")


@dataclass(frozen=True, slots=True)
class Folders:
    """roots: prefix and folder, in the order in which a name is looked for. faults: sentences about finders whose files no
    folders tell."""

    roots: tuple[tuple[str, Path], ...]
    faults: tuple[str, ...]


def find() -> Folders:
    """Ask every finder of STATICFILES_FINDERS."""
    roots: dict[tuple[str, Path], None] = {}
    faults: list[str] = []
    for finder in finders.get_finders():
        try:
            places = _places(finder)
        except _UnclearError as error:
            faults.append(f"the finder {type(finder).__module__}.{type(finder).__qualname__} {error}")
            continue
        roots.update(dict.fromkeys(place for place in places if place[1].is_dir()))
    return Folders(tuple(roots), tuple(faults))


class _UnclearError(Exception):
    """Why a finder's files are not those of folders, as the rest of a sentence."""


def _places(finder: Any) -> list[tuple[str, Path]]:
    """Raises _UnclearError."""
    if isinstance(finder, ArtifactFinder):
        return []
    # A class that lists files in its own way is asked for them, whatever it is derived from.
    listing = getattr(type(finder), "list", None)
    if listing is finders.FileSystemFinder.list:
        return [(prefix or "", Path(os.path.abspath(root))) for prefix, root in finder.locations]
    if listing is finders.AppDirectoriesFinder.list:
        return [_place(storage) for storage in finder.storages.values()]
    if listing is finders.BaseStorageFinder.list:
        return [_place(finder.storage)]
    return list(_listed(finder))


def _place(storage: Any) -> tuple[str, Path]:
    location = getattr(storage, "location", None)
    if not isinstance(location, str | os.PathLike) or not location:
        raise _UnclearError("takes files from a storage that is no folder: put what the site needs of it into one")
    return getattr(storage, "prefix", None) or "", Path(os.path.abspath(location))


def _listed(finder: Any) -> Iterator[tuple[str, Path]]:
    """The folders of which a finder lists all files; those of which it lists some are no source roots."""
    found: dict[tuple[str, Path], set[str]] = defaultdict(set)
    try:
        for path, storage in finder.list([]):
            found[_place(storage)].add(path.replace(os.sep, "/"))
    except (_UnclearError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise _UnclearError(f"cannot list its files: {type(error).__name__}: {error}".splitlines()[0]) from error
    for (prefix, folder), names in found.items():
        missing = next((name for name in _files(folder) if name not in names), None)
        if missing is not None:
            raise _UnclearError(
                f'gives some files of "{folder}" and not all, "{missing}" for one: '
                "name folders with just those files in `sources` of assetbuild.toml"
            )
        yield prefix, folder


def _files(folder: Path) -> Iterator[str]:
    for text, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NOTHING)
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith("~"):
                yield Path(text, name).relative_to(folder).as_posix()
