"""What in the output folder is ours, by the manifest that is there and the journal of a build that came to no end."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from assetbuild.errors import ConfigError, Problem
from assetbuild.names import folders_of
from assetbuild.runtime import manifest as treaty

#: The longest name (NAME_MAX) and path (PATH_MAX) of Linux, in bytes: what is longer names no file.
LONGEST, LONGEST_PATH = 255, 4096
JOURNAL_HEAD = "assetbuild-journal 1"
#: What is said where this user may not write, whatever the system calls it: no right, not the owner, read-only.
DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


def owned(output: Path, display: str) -> tuple[dict[str, str], frozenset[str]]:
    """What is ours in the folder: path → integrity by its manifest ("" for a variant), and what an unfinished build's
    journal names. Raises ConfigError where the folder is not empty and says nothing of us, or cannot be read."""
    try:
        entries = os.listdir(output)
        journal = _read_journal(output, display)
        if journal is None and treaty.NAME not in entries:
            # A first build beside this one may just have come to its end: its manifest appears before its journal goes.
            entries = os.listdir(output)
    except FileNotFoundError:
        return {}, frozenset()
    except OSError as error:
        raise unusable(display, error) from error
    if treaty.NAME in entries:
        try:
            return _named(treaty.load(output / treaty.NAME)), frozenset(journal or ())
        except treaty.ManifestError as error:
            what = f"its {treaty.NAME} cannot be used ({error.message}), so nothing in the folder is touched"
            raise ConfigError(Problem(display, 0, 0, what, f"choose another output, or {error.hint}")) from error
    if any(_strangers(output, journal or ())):
        what = "the output folder is not empty and holds no manifest of assetbuild's, so nothing in it is touched"
        raise ConfigError(Problem(display, 0, 0, what, "choose another output, or empty the folder"))
    return {}, frozenset(journal or ())


def _strangers(output: Path, names: Iterable[str]) -> Iterator[str]:
    """What is in the folder and not among these, nor a folder of one of these. Names with a dot are others' business."""
    named = set(names)
    named |= {folder for name in named for folder in folders_of(name)}
    for where, folders, files in os.walk(output):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *files):
            path = os.path.relpath(os.path.join(where, name), output)
            if not name.startswith(".") and path not in named:
                yield path


def _named(manifest: treaty.Manifest) -> dict[str, str]:
    """Every file that a manifest names, with its integrity; "" for a variant, which has none of its own."""
    named: dict[str, str] = {}
    files: list[tuple[str, treaty.Entry | treaty.Carried]] = [(e["path"], e) for e in manifest["assets"].values()]
    for release in manifest["previous"]:
        files.extend(release["files"].items())
    for path, entry in files:
        named[path] = entry["integrity"]
        for coding in entry.get("variants", {}).keys() & treaty.SUFFIXES.keys():
            named[path + treaty.SUFFIXES[coding]] = ""
    return {path: integrity for path, integrity in named.items() if plain(path)}


def _read_journal(output: Path, display: str) -> list[str] | None:
    journal = output / treaty.JOURNAL
    try:
        if not stat.S_ISREG(journal.lstat().st_mode):  # A pipe would be waited for.
            raise in_the_way(display, treaty.JOURNAL)
        lines = journal.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except FileNotFoundError:
        return None
    if lines[0] != JOURNAL_HEAD:
        return None
    # A last line without its end may be half a name.
    return [line for line in lines[1:-1] if plain(line)]


def plain(path: str) -> bool:
    """Whether a path read from disk names something below the folder and nothing else."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > LONGEST for part in parts):
        return False
    return path != treaty.NAME and len(os.fsencode(path)) < LONGEST_PATH


def in_the_way(display: str, names: str) -> ConfigError:
    return ConfigError(Problem(display, 0, 0, f"not assetbuild's, and in the way: {names}", "move it elsewhere"))


def changed_kind(display: str, names: str) -> ConfigError:
    # The old artifact stays whole until the new one is, and one name cannot be both at a time.
    what = f"a file of the last build has the name of a folder of this one, or the reverse, and both cannot be there: {names}"
    return ConfigError(Problem(display, 0, 0, what, "remove it from there, or build into another folder"))


def unusable(display: str, error: OSError) -> ConfigError:
    hint = "make it writable for this user, or choose another --output" if error.errno in DENIED else "choose another --output"
    return ConfigError(Problem(display, 0, 0, f"the output folder cannot be used: {error.strerror}", hint))
