"""Where Sass compilers find what a sheet asks for: in the source roots, seen as one tree of logical paths, and nowhere else.
How a short name is completed is each compiler's own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import zip_longest

from assetbuild.errors import line_and_column
from assetbuild.filters import FilterError, FilterUnavailableError, Settings
from assetbuild.reading import content


def option(settings: Settings, key: str) -> object:
    """A setting, whatever its letter case; else the environment's variable of that name; else None."""
    found = next((value for name, value in settings.items() if name.upper() == key), None)
    return os.environ.get(key) if found is None else found


def names(settings: Settings, key: str, separator: str, what: str) -> tuple[str, ...]:
    """A setting that is a list of `what`, or a text with separators. Raises FilterUnavailableError for anything else."""
    value = option(settings, key) or ()
    if isinstance(value, str):
        value = [part.strip() for part in value.split(separator)]
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise FilterUnavailableError(f"{key} must be a list of {what}")
    return tuple(part for part in value if part)


def below(place: str, roots: tuple[str, ...]) -> str | None:
    """The path of a place below the root that holds it, links followed, or None."""
    real = os.path.realpath(place)
    for root in map(os.path.realpath, roots):
        if os.path.commonpath((real, root)) == root:
            return os.path.relpath(real, root).replace(os.sep, "/")
    return None


def folders(key: str, given: tuple[str, ...], search: tuple[str, ...], tree: Tree) -> tuple[str, ...]:
    """The folders that the setting `key` gives, as folders of the logical tree.

    search: folders from which relative ones are taken, before the working folder and the roots.
    Raises FilterUnavailableError for one that is in no root.
    """
    found = []
    for folder in given:
        places = [os.path.join(base, folder) for base in (*search, os.getcwd(), *tree.roots)]
        inside = (tree.path(place) for place in places if os.path.isdir(place))
        path = next((path for path in inside if path is not None), None)
        if path is None:
            raise FilterUnavailableError(f'{key} names "{folder}", which is no folder inside a source root; add it to sources')
        found.append(path)
    return tuple(found)


def refuse_nul(text: str, file: str = "") -> None:
    """Raises FilterError at the first NUL: to a compiler in C it is the text's end, and CSS has no use for it."""
    if "\0" in text:
        raise FilterError("this text holds a NUL character", *line_and_column(text, text.index("\0")), file)


@dataclass(frozen=True, slots=True)
class Tree:
    """The source roots as one tree of logical paths. prefixes: as in `Unit`. sought: fills with the absolute paths of folders,
    there or not, in which a file was looked for in vain."""

    roots: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    sought: set[str] = field(default_factory=set, compare=False)

    def path(self, place: str) -> str | None:
        """The logical path of a place in the first root that holds it, links followed; None where it is in none."""
        for root, prefix in zip_longest(self.roots, self.prefixes, fillvalue=""):
            if (inside := below(place, (root,))) is not None:
                return prefix.rstrip("/") if inside == "." else prefix + inside
        return None

    def file(self, logical_path: str) -> str | None:
        """The file with this path in the first root that has it. Raises FilterError for a link that leads outside."""
        for root, prefix in zip_longest(self.roots, self.prefixes, fillvalue=""):
            if not logical_path.startswith(prefix):
                continue
            file = os.path.join(root, logical_path[len(prefix) :])
            if os.path.isfile(file):
                if below(file, self.roots) is None:
                    raise FilterError(f'"{logical_path}" is a link that leads out of the source roots')
                return file
            self.sought.add(os.path.dirname(file))
        return None

    def read(self, logical_path: str) -> tuple[str, str]:
        """The file with this path, and its text. Raises FilterError."""
        file = self.file(logical_path)
        if file is None:
            raise FilterError(f'"{logical_path}" disappeared during the build')
        try:
            # A byte order mark in the middle of a sheet would become part of a selector.
            text = content(file).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise FilterError(f'"{logical_path}" is not UTF-8: byte 0x{byte:02x} at position {error.start}') from None
        except OSError as error:
            raise FilterError(f'"{logical_path}" cannot be read: {error.strerror}') from None
        refuse_nul(text, file)
        return file, text
