"""Names of files in folders: which are one on some file systems, and which are in each other's way."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def folded(path: str) -> str:
    """The form under which two names are one on file systems that do not tell letter case or normal forms apart. Of many names
    at once, a line each, it is that of each."""
    if path.isascii():
        return path.lower()
    import unicodedata  # Only for names that need it.

    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def folders_of(path: str) -> list[str]:
    """`a/b/c.css` → `a`, `a/b`."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def all_folders(paths: Iterable[str]) -> set[str]:
    """All folders that these files are in, at any depth."""
    folders = {path.rpartition("/")[0] for path in paths}
    return {above for folder in folders for above in folders_of(folder + "/x")} - {""}


def taken(paths: Collection[str]) -> set[str]:
    """What these files, and the folders that they are in, are called, folded."""
    files = _files(paths)
    return files | all_folders(files)


def obstructed(paths: Iterable[str], others: Collection[str]) -> set[str]:
    """Those of the files that cannot be beside the others: called like one, like a folder of one, or in a folder that is called
    like one."""
    files = _files(others)
    names = files | all_folders(files)
    return {path for path in paths if (own := folded(path)) in names or not files.isdisjoint(folders_of(own))}


def _files(paths: Collection[str]) -> set[str]:
    return set(folded("\n".join(paths)).split("\n")) if paths else set()  # At once: one by one takes longer than all the rest.
