"""Names of files in folders: which are one on some file systems, and which are in each other's way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

#: To look for so many names in a text takes less time than to make sets of all.
_FEW = 5


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


def obstructed(paths: Collection[str], others: Collection[str]) -> set[str]:
    """Those of the files that cannot be beside the others: called like one, like a folder of one, or in a folder that is called
    like one."""
    forms = {path: folded(path) for path in paths}
    if len(forms) <= _FEW:
        text = folded("\n".join(("", *others, "")))
        bad = {folder for folder in all_folders(forms.values()) if f"\n{folder}\n" in text}
        return {path for path, own in forms.items() if _stands(own, text) or not bad.isdisjoint(folders_of(own))}
    files = _files(others)
    names = files | all_folders(files)
    return {path for path, own in forms.items() if own in names or not files.isdisjoint(folders_of(own))}


def _stands(name: str, lines: str) -> bool:
    """Whether a line is this name, or a path below it. A line end stands before the first too."""
    line = f"\n{name}"
    at = lines.find(line)
    while at >= 0 and lines[at + len(line)] not in "\n/":
        at = lines.find(line, at + 1)
    return at >= 0


def crowded(groups: Iterable[Sequence[str]], others: Collection[str]) -> set[str]:
    """The first names of those groups of files that cannot be beside the others, nor beside the groups before their own."""
    files = _files(others)
    folders = all_folders(files)
    found = set()
    for group in groups:
        own = [folded(path) for path in group]
        if any(one in files or one in folders or not files.isdisjoint(folders_of(one)) for one in own):
            found.add(group[0])
            continue
        files.update(own)
        folders.update(folder for one in own for folder in folders_of(one))
    return found


def _files(paths: Collection[str]) -> set[str]:
    return set(folded("\n".join(paths)).split("\n")) if paths else set()  # At once: one by one takes longer than all the rest.
