"""Several roots seen as one tree of logical paths: which files are sources, and which of them wins a path. One walk a root,
nothing is read but the folders."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from assetbuild.errors import BuildError, Problem
from assetbuild.looks import look
from assetbuild.patterns import Pattern

#: What no one means to publish: editors' backups, by file name. Names that begin with a dot and Sass partials are tested apart.
BACKUPS = ("~", ".bak", ".swp", ".orig")
FOLDERS = ("node_modules", "__pycache__")

#: The longest name most file systems take, in bytes (NAME_MAX), less ".", the fingerprint and a variant's suffix.
LONGEST_NAME = 255 - 13 - 4


@dataclass(frozen=True, slots=True)
class Source:
    """A file below a source root.

    path: its path in the tree, with `/`: `theme/site.scss`.
    file: its absolute path on disk.
    root: the root's place in the configuration, from 0.
    size: bytes, when it was looked at.
    kept: whether it is published under its own name.
    look: what the system says of the file; as long as that stays, the bytes do.
    """

    path: str
    file: str
    root: int
    size: int
    kept: bool = False
    look: str = ""

    def __reduce__(self) -> tuple[type[Source], tuple[object, ...]]:
        return Source, (self.path, self.file, self.root, self.size, self.kept, self.look)  # As `Reference` does.

    @property
    def key(self) -> str:
        """What tells it from a file of the same path below another root."""
        return f"{self.root}/{self.path}"


@dataclass(frozen=True, slots=True)
class Tree:
    """The sources by path, in sorted order; what was passed over on purpose, so that a message can say so; and the files
    among that, and those that a root before has, which are no sources and which filters may read all the same."""

    sources: tuple[Source, ...]
    excluded: frozenset[str]
    others: tuple[Source, ...] = ()


def scan(
    roots: Sequence[Path],
    *,
    prefixes: Sequence[str] = (),
    exclude: Sequence[Pattern] = (),
    keep_names: Sequence[Pattern] = (),
    follow_symlinks: bool = False,
    ours: Sequence[Path] = (),
    display: Callable[[str], str] = str,
) -> Tree:
    """Walk the roots. prefixes: what the logical paths below each root begin with, "" or with a `/` at its end.
    ours: folders that the build itself writes to, in which nothing can be a source.

    Raises BuildError with everything that is wrong with the names and kinds of files in them.
    """
    walk = _Walk(list(map(_real, roots)), exclude, keep_names, follow_symlinks, list(map(_real, ours)), display)
    found: dict[str, Source] = {}
    for number, (root, prefix) in enumerate(zip_longest(roots, prefixes, fillvalue="")):
        for source in walk.root(number, str(root), prefix):
            if found.setdefault(source.path, source) is not source:
                walk.others.append(source)
    walk.problems.extend(_same_but_for_case(found.values(), display))
    if walk.problems:
        raise BuildError(walk.problems)
    others = tuple(sorted(walk.others, key=lambda other: (other.path, other.root)))
    return Tree(tuple(found[path] for path in sorted(found)), frozenset(walk.excluded - found.keys()), others)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to be read. path: on disk. prefix: its logical path, with `/`. real: without symbolic links. above: the real
    paths of the folders with the links on the way to it, by which a loop is recognised. link: the real place of the link
    that leads to it."""

    path: str
    prefix: str
    real: Path
    above: tuple[Path, ...] = ()
    link: Path | None = None


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))


class _Walk:
    def __init__(
        self,
        real_roots: list[Path],
        exclude: Sequence[Pattern],
        keep_names: Sequence[Pattern],
        follow_symlinks: bool,
        ours: list[Path],
        display: Callable[[str], str],
    ) -> None:
        self.real_roots = real_roots
        self.exclude = exclude
        self.whole_folders = [pattern for pattern in exclude if pattern.text == "**" or pattern.text.endswith("/**")]
        self.keep_names = keep_names
        self.keep_prefixes = [_literal_prefix(pattern.text) for pattern in keep_names if "/" in pattern.text]
        self.follow_symlinks = follow_symlinks
        self.ours = ours
        self.display = display
        self.problems: list[Problem] = []
        self.excluded: set[str] = set()
        self.others: list[Source] = []
        #: How much of a logical path is not below the root that is walked.
        self.above = 0

    def root(self, number: int, root: str, prefix: str) -> Iterable[Source]:
        self.above = len(prefix)
        folders = [_Folder(root, prefix, _real(root))]
        # Links to folders come after all that is found without them, and those that are behind links after these: each is
        # followed where it really is, if it is there, and followed once; else few links could make a tree without end.
        links: list[_Folder] = []
        followed: set[Path] = set()
        plain = not self.exclude and not self.keep_names
        while folders or links:
            if not folders:
                folders, links = sorted(links, key=lambda one: one.prefix, reverse=True), []
            at = folders.pop()
            if at.link:
                if at.link in followed:
                    continue
                followed.add(at.link)
            folder, prefix = at.path, at.prefix
            try:
                with os.scandir(folder) as entries:
                    listing = list(entries)
            except OSError as error:
                self.problem(folder, f"this folder cannot be read: {error.strerror}")
                continue
            for entry in listing:
                path = prefix + entry.name
                # Most files are of this kind, of which nothing has to be asked.
                if plain and _PLAIN(entry.name) and entry.is_file(follow_symlinks=False):
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except OSError:
                        self.look(entry)  # Which says what is wrong.
                        continue
                    yield Source(path, entry.path, number, status.st_size, False, look(status))
                    continue
                if self.passed_over(path, entry):
                    self.excluded.add(path)
                    self.other(path, entry, number)
                    continue
                if not self.well_named(entry):
                    continue
                seen, link = self.look(entry)
                mode = seen.st_mode if seen else 0
                if stat.S_ISDIR(mode):
                    if not link:
                        folders.append(_Folder(entry.path, path + "/", at.real / entry.name, at.above))
                        continue
                    real, above = _real(entry.path), (*at.above, at.real)
                    if any(one.is_relative_to(real) for one in above):
                        file = str(at.real / entry.name) if at.above else entry.path
                        self.problem(file, "this symbolic link leads to a folder that it is in: a loop", "remove it")
                    else:
                        links.append(_Folder(entry.path, path + "/", real, above, at.real / entry.name))
                elif seen and stat.S_ISREG(mode):
                    kept = any(pattern.matches(path) for pattern in self.keep_names) if self.keep_names else False
                    self.short_enough(entry, kept)
                    yield Source(path, entry.path, number, seen.st_size, kept, look(seen))
                elif mode:
                    self.problem(entry.path, f"this is {_kind(mode)}, not a file", "remove it or exclude it")

    def other(self, path: str, entry: os.DirEntry[str], number: int) -> None:
        """What is passed over: if it is a file, and its name is text, a filter may read it."""
        with contextlib.suppress(OSError):
            status = entry.stat()
            if stat.S_ISREG(status.st_mode) and path.isprintable():
                self.others.append(Source(path, entry.path, number, status.st_size, look=look(status)))

    def problem(self, file: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.display(file), 0, 0, message, hint))

    def passed_over(self, path: str, entry: os.DirEntry[str]) -> bool:
        if self.exclude and self.is_excluded(path, entry):
            return True
        if not _of_no_interest(entry.name):
            # What is inside such a folder stays passed over, unless a pattern of keep_names asks for this very path.
            return self.inside_passed_over(path) and not self.kept_or_above_kept(path, entry)
        return not self.kept_or_above_kept(path, entry)

    def is_excluded(self, path: str, entry: os.DirEntry[str]) -> bool:
        """Patterns are about files. A folder is passed over, unread, where one means everything that is below it; a link to
        a folder, and what is neither file nor folder, by its own name too."""
        folder = entry.is_dir(follow_symlinks=False)
        if not folder and any(pattern.matches(path) for pattern in self.exclude):
            return True
        inside = path + "/x"
        return any(pattern.matches(inside) for pattern in self.whole_folders) and (folder or _leads_to_folder(entry))

    def inside_passed_over(self, path: str) -> bool:
        if not self.keep_prefixes:
            return False  # Then no such folder was entered.
        return any(part.startswith(".") or part in FOLDERS for part in path[self.above :].split("/")[:-1])

    def kept_or_above_kept(self, path: str, entry: os.DirEntry[str]) -> bool:
        """Built-in excludes give way to keep_names: to a file that it names, and to the folders on the way there."""
        if any(pattern.matches(path) for pattern in self.keep_names):
            return True
        if not _leads_to_folder(entry):
            return False
        folder = path + "/"
        # A link is followed on the way to a file that is named, not for what a wildcard might find behind it.
        link = entry.is_symlink()
        return any(prefix.startswith(folder) or (folder.startswith(prefix) and not link) for prefix in self.keep_prefixes)

    def well_named(self, entry: os.DirEntry[str]) -> bool:
        name = entry.name
        # Python gives the bytes of a name that is not UTF-8 as lone surrogates, which no string method calls printable.
        if name.isprintable() and "\\" not in name:
            return True
        try:
            name.encode()
        except UnicodeEncodeError:
            self.problem(os.fsencode(entry.path).decode("utf-8", "backslashreplace"), "this name is not UTF-8", "rename it")
            return False
        if "\\" in name:
            self.problem(entry.path, "this name holds a backslash, which URLs take for a slash", "rename it")
            return False
        if any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in name):
            self.problem(entry.path, "this name holds control characters", "rename it")
            return False
        return True

    def short_enough(self, entry: os.DirEntry[str], kept: bool) -> None:
        if not kept and len(entry.name) * 4 > LONGEST_NAME and len(os.fsencode(entry.name)) > LONGEST_NAME:
            self.problem(
                entry.path,
                f"this name leaves no room for a fingerprint: it may have {LONGEST_NAME} bytes",
                "shorten it or put it into keep_names",
            )

    def look(self, entry: os.DirEntry[str]) -> tuple[os.stat_result | None, bool]:
        """What it is, or what it leads to, and whether it is a symbolic link; None where a problem was noted."""
        try:
            if not entry.is_symlink():
                return entry.stat(follow_symlinks=False), False
            status = entry.stat()
        except FileNotFoundError:
            if entry.is_symlink():
                self.problem(entry.path, "this symbolic link leads nowhere", "remove it or exclude it")
            else:
                self.problem(entry.path, "this file disappeared during the build", "run it again")
            return None, False
        except OSError as error:
            loop = error.errno == 40  # ELOOP
            message = "this symbolic link is a loop" if loop else f"this file cannot be looked at: {error.strerror}"
            self.problem(entry.path, message, "remove it or exclude it")
            return None, False
        real = _real(entry.path)
        if not self.follow_symlinks and not any(real.is_relative_to(root) for root in self.real_roots):
            self.problem(
                entry.path,
                "this symbolic link leads out of the source roots",
                "set follow_symlinks = true if that is meant, or exclude it",
            )
            return None, False
        # Else the build would read what it wrote.
        if any(real.is_relative_to(one) or one.is_relative_to(real) for one in self.ours):
            self.problem(entry.path, "this symbolic link leads to where the build writes", "remove it or exclude it")
            return None, False
        return status, True


#: An ordinary name: short, and neither hidden nor a partial nor a backup.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.\-]{,50}\.(?:css|m?js|svg|png|jpe?g|gif|webp|woff2?|json|map|html|txt)").fullmatch


def passed_over(path: str) -> bool:
    """Whether a file with this logical path is no source unless `keep_names` asks for it."""
    *folders, name = path.split("/")
    return _of_no_interest(name) or any(part.startswith(".") or part in FOLDERS for part in folders)


def _of_no_interest(name: str) -> bool:
    return (
        name.startswith(".")
        or name.endswith(BACKUPS)
        or (name.startswith("#") and name.endswith("#"))
        or (name.startswith("_") and name.endswith((".scss", ".sass")))
        or name in FOLDERS
    )


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link that is a loop, or leads to where this user may not look.
        return False


def _literal_prefix(pattern: str) -> str:
    """What stands before the first wildcard of a pattern."""
    return pattern[: min((i for c in "*?[" if (i := pattern.find(c)) >= 0), default=len(pattern))]


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a block device"),
        (stat.S_ISCHR, "a character device"),
    ):
        if test(mode):
            return name
    return "something else"


def folded(path: str) -> str:
    """The form under which two names are one on file systems that do not tell letter case or normal forms apart."""
    if path.isascii():
        return path.lower()
    import unicodedata  # Only for names that need it.

    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _same_but_for_case(sources: Iterable[Source], display: Callable[[str], str]) -> Iterable[Problem]:
    sources = tuple(sources)
    if len({folded(source.path) for source in sources}) == len(sources):
        return
    first: dict[str, Source] = {}
    for source in sorted(sources, key=lambda source: source.path):
        other = first.setdefault(folded(source.path), source)
        if other is not source:
            yield Problem(
                display(source.file),
                0,
                0,
                f"{display(other.file)} has the same name but for letter case or Unicode form",
                "rename one: on other file systems the two are one file",
            )
