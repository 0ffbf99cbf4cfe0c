"""Several roots seen as one tree of logical paths: which files are sources, and which of them wins a path. One walk a root,
nothing is read but the folders."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from assetbuild.errors import BuildError, Problem
from assetbuild.looks import different, look
from assetbuild.names import folded
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
    """The sources by path, in sorted order, and what was passed over on purpose, so that a message can say so."""

    sources: tuple[Source, ...]
    excluded: frozenset[str]


@dataclass(frozen=True, slots=True)
class Root:
    """A source root: its absolute path, and what the logical paths below it begin with, "" or with a `/` at its end."""

    path: str
    prefix: str

    def file(self, logical_path: str) -> str:
        return f"{self.path}/{logical_path[len(self.prefix) :]}"


@dataclass(frozen=True, slots=True)
class Glance:
    """What there is below the roots, as the system tells it.

    looks: of every file, by `Source.key`: sources, those that a root before has, and those that were passed over and that
    filters may read all the same. passed_over: the keys of the latter. excluded: the logical paths of files and folders that
    were passed over on purpose. linked: whether there is a symbolic link. asked: the keys of the only files that may look other
    than to the last build; None: any may.
    """

    roots: tuple[Root, ...]
    keep_names: Sequence[Pattern]
    display: Callable[[str], str]
    looks: Mapping[str, str]
    passed_over: Collection[str]
    excluded: Collection[str]
    linked: bool
    asked: frozenset[str] | None = None

    def again(self, paths: Iterable[str]) -> Glance | None:
        """The same after something happened to these absolute, real paths; None where that is not as simple as that known files
        were written, and others that are nobody's business came or went."""
        if self.linked:
            return None  # What a link leads to has several keys.
        looks = dict(self.looks)
        asked = set[str]()
        real = [(f"{number}/{root.prefix}", f"{_real(root.path)}/") for number, root in enumerate(self.roots)]
        for path in paths:
            keys = [key + path.removeprefix(root) for key, root in real if path.startswith(root)]
            known = [key for key in keys if key in looks]
            if not known:
                backup = _is_backup(path.rpartition("/")[2]) and not self.keep_names
                if keys and (backup or not os.path.lexists(path)):
                    continue
                return None
            if known != keys:
                return None
            try:
                status = os.lstat(path)
            except OSError:
                return None
            if not stat.S_ISREG(status.st_mode):
                return None
            looks.update(dict.fromkeys(keys, look(status)))
            asked.update(keys)
        return replace(self, looks=looks, asked=None if self.asked is None else self.asked | asked)

    def built(self) -> Glance:
        """The same, once a build has gone by it."""
        return replace(self, asked=frozenset())

    def differing(self, looks: Mapping[str, str]) -> list[str]:
        """The keys of files that are there now or were there, and looked otherwise to the last build."""
        if self.asked is None:
            return different(looks, self.looks)
        return [key for key in self.asked if looks.get(key) != self.looks.get(key)]

    def source(self, key: str) -> Source:
        """The file with this key."""
        number, _, path = key.partition("/")
        seen = self.looks[key]
        kept = bool(self.keep_names) and any(pattern.matches(path) for pattern in self.keep_names)
        return Source(path, self.file(key), int(number), int(seen[: seen.index(" ")]), kept, seen)

    def file(self, key: str) -> str:
        """The absolute path of the file with this key, there or not."""
        number, _, path = key.partition("/")
        return self.roots[int(number)].file(path)

    def tree(self) -> Tree:
        """The sources: the first root that has a path wins. Raises BuildError where two names are one on other systems."""
        found: dict[str, str] = {}
        for key in self.looks:  # In the order of the roots.
            if key not in self.passed_over:
                found.setdefault(key[key.index("/") + 1 :], key)
        problems = list(_same_but_for_case(found, lambda path: self.display(self.file(found[path]))))
        if problems:
            raise BuildError(problems)
        return Tree(tuple(self.source(found[path]) for path in sorted(found)), frozenset(self.excluded) - found.keys())

    def part(self, keys: Iterable[str]) -> Tree:
        """No more than these sources, where nothing is new or gone."""
        part = sorted(map(self.source, keys), key=lambda source: source.path)
        return Tree(tuple(part), frozenset(self.excluded))


def glance(
    roots: Sequence[Path],
    *,
    prefixes: Sequence[str] = (),
    exclude: Sequence[Pattern] = (),
    keep_names: Sequence[Pattern] = (),
    follow_symlinks: bool = False,
    ours: Sequence[Path] = (),
    display: Callable[[str], str] = str,
) -> Glance:
    """Walk the roots. prefixes: what the logical paths below each root begin with, "" or with a `/` at its end. ours: folders
    that the build itself writes to, in which nothing can be a source.

    Raises BuildError with everything that is wrong with the names and kinds of files in them.
    """
    walk = _Walk(list(map(_real, roots)), exclude, keep_names, follow_symlinks, list(map(_real, ours)), display)
    places = [Root(str(root), prefix) for root, prefix in zip_longest(roots, prefixes, fillvalue="")]
    for number, place in enumerate(places):
        walk.root(number, place)
    if walk.problems:
        raise BuildError(walk.problems)
    return Glance(
        tuple(places),
        keep_names,
        display,
        walk.looks,
        walk.passed,
        walk.excluded,
        walk.linked,
    )


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
        self.whole_folders = _of_folders(exclude)
        self.keep_names = keep_names
        self.keep_prefixes = [_literal_prefix(pattern.text) for pattern in keep_names if "/" in pattern.text]
        self.follow_symlinks = follow_symlinks
        self.ours = ours
        self.display = display
        self.problems: list[Problem] = []
        self.excluded: set[str] = set()
        self.looks: dict[str, str] = {}
        self.passed: set[str] = set()
        self.linked = False
        #: How much of a logical path is not below the root that is walked.
        self.above = 0

    def root(self, number: int, root: Root) -> None:
        self.above = len(root.prefix)
        folders = [_Folder(root.path, root.prefix, _real(root.path))]
        # Links to folders come after all that is found without them, and those that are behind links after these: each is
        # followed where it really is, if it is there, and followed once; else few links could make a tree without end.
        links: list[_Folder] = []
        followed: set[Path] = set()
        plain = not self.exclude and not self.keep_names
        looks = self.looks
        while folders or links:
            if not folders:
                folders, links = sorted(links, key=lambda one: one.prefix, reverse=True), []
            at = folders.pop()
            if at.link:
                if at.link in followed:
                    continue
                followed.add(at.link)
            folder, prefix = at.path, at.prefix
            key = f"{number}/{prefix}"
            try:
                with os.scandir(folder) as entries:
                    listing = list(entries)
            except OSError as error:
                self.problem(folder, f"this folder cannot be read: {error.strerror}")
                continue
            for entry in listing:
                name = entry.name
                # Most files are of this kind, of which nothing has to be asked.
                if plain and _PLAIN(name) and entry.is_file(follow_symlinks=False):
                    try:
                        looks[key + name] = look(entry.stat(follow_symlinks=False))
                    except OSError:
                        self.look(entry)  # Which says what is wrong.
                    continue
                path = prefix + name
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
                    looks[key + name] = look(seen)
                elif mode:
                    self.problem(entry.path, f"this is {_kind(mode)}, not a file", "remove it or exclude it")

    def other(self, path: str, entry: os.DirEntry[str], number: int) -> None:
        """What is passed over: if it is a file, and its name is text, a filter may read it."""
        with contextlib.suppress(OSError):
            self.linked = self.linked or entry.is_symlink()
            status = entry.stat()
            if stat.S_ISREG(status.st_mode) and path.isprintable():
                self.looks[f"{number}/{path}"] = look(status)
                self.passed.add(f"{number}/{path}")

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
            self.linked = True
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


def is_read(folder: str, roots: Iterable[Root], exclude: Iterable[Pattern]) -> bool:
    """Whether a walk of the roots sees what is in this folder below one of them, by its absolute path, as soon as it is there.
    `keep_names` may lead it to more."""
    whole = _of_folders(exclude)
    for root in roots:
        if not f"{folder}/".startswith(f"{root.path}/"):
            continue
        names = [name for name in folder[len(root.path) :].split("/") if name]
        inside = f"{root.prefix}{'/'.join((*names, 'x'))}"  # What means all of a folder means this in any folder of it.
        if not any(map(_of_no_interest, names)) and not any(pattern.matches(inside) for pattern in whole):
            return True
    return False


def _of_folders(exclude: Iterable[Pattern]) -> list[Pattern]:
    """The patterns that mean all that is in a folder."""
    return [pattern for pattern in exclude if pattern.text == "**" or pattern.text.endswith("/**")]


def _is_backup(name: str) -> bool:
    """Whether an editor made it for itself."""
    return name.endswith(BACKUPS) or name.startswith(".#") or (name.startswith("#") and name.endswith("#"))


def _of_no_interest(name: str) -> bool:
    return (
        name.startswith(".")
        or _is_backup(name)
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


def _same_but_for_case(paths: Collection[str], shown: Callable[[str], str]) -> Iterable[Problem]:
    text = "\n".join(paths)
    if len(set(folded(text).split("\n"))) == len(paths):  # No name holds a line end.
        return
    first: dict[str, str] = {}
    for path in sorted(paths):
        other = first.setdefault(folded(path), path)
        if other != path:
            yield Problem(
                shown(path),
                0,
                0,
                f"{shown(other)} has the same name but for letter case or Unicode form",
                "rename one: on other file systems the two are one file",
            )
