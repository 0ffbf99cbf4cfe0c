"""Sass by libsass, inside the source roots: what a sheet imports is looked for in the logical tree and nowhere else, every
file that went into the result is reported, and an error points at the user's own line."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass

from assetbuild.filters import Filtered, FilterError, FilterUnavailableError, Hooks, Idle, Settings, Unit
from assetbuild.filters.process import sentence
from assetbuild.filters.sheets import Tree, folders, names, option, refuse_nul
from assetbuild.references import Note

try:
    import sass
except ImportError:  # pragma: no cover
    sass = None

_INCLUDES = "LIBSASS_INCLUDES"
_STYLES = ("nested", "expanded", "compact", "compressed")
#: In the order in which a name without a suffix is completed.
_SUFFIXES = (".scss", ".sass", ".css")
#: Where libsass says that an error is; only the first such line is the error's own place, the others lead there.
_PLACE = re.compile(r"^\s+on line (\d+):(\d+) of (.+?)(?:, in .*)?$", re.MULTILINE)
#: What libsass calls the text that it was given.
_ENTRY = "stdin"


@dataclass(frozen=True, slots=True)
class LibSass:
    """The filter `libsass`, with webassets' options: LIBSASS_STYLE (nested, expanded, compact, compressed) and
    LIBSASS_INCLUDES (folders inside the source roots, a list, or a text with a colon between them)."""

    name: str
    style: str
    includes: tuple[str, ...]
    search: tuple[str, ...]
    keeps_meaning: bool = False
    pure: bool = False

    def identity(self) -> tuple[str, ...]:
        assert sass is not None
        options = (f"includes={list(self.includes)}", f"style={self.style}")
        return (self.name, sass.__version__, sass.libsass_version, __name__, *options)

    def apply(self, text: str, unit: Unit) -> Filtered:
        assert sass is not None
        if not text:
            return Filtered(text)  # libsass takes an empty text for a mistake of its caller's.
        refuse_nul(text)
        tree = Tree(unit.roots, unit.prefixes)
        importer = _Importer(tree, unit.logical_path, folders(_INCLUDES, self.includes, self.search, tree))
        said: list[object] = []
        heard = {sass.SassFunction(at, ("$message",), said.append) for at in ("@warn", "@debug")}
        try:
            css = sass.compile(
                string=text,
                indented=unit.logical_path.lower().endswith(".sass"),
                output_style=self.style,
                importers=((0, importer),),
                custom_functions=heard,
            )
        except sass.CompileError as error:
            raise importer.explain(str(error)) from None
        notes = tuple(Note(0, sentence(f"Sass says: {_spoken(message)}")) for message in said)
        return Filtered(css, tuple(sorted(importer.read)), notes, sought=tuple(sorted(tree.sought)))


def load(name: str, settings: Settings, search: tuple[str, ...] = (), hooks: Hooks = "all") -> LibSass | Idle:
    """The filter with its options from the settings, else the environment.

    search: folders from which relative LIBSASS_INCLUDES are taken. hooks: it works on the parts of a bundle, or where the
    settings have LIBSASS_AS_OUTPUT on the whole. Raises FilterUnavailableError.
    """
    if sass is None:
        raise FilterUnavailableError("the Python package libsass is not installed: pip install libsass")
    if (hooks == "parts" and as_output(settings)) or (hooks == "whole" and not as_output(settings)):
        return Idle(name)
    style = option(settings, "LIBSASS_STYLE") or "nested"
    if style not in _STYLES:
        raise FilterUnavailableError(f"LIBSASS_STYLE is {style!r}; it must be one of {', '.join(_STYLES)}")
    includes = names(settings, _INCLUDES, os.pathsep, "folders")
    return LibSass(name, str(style), includes, search)


def as_output(settings: Settings) -> bool:
    """Whether the settings want a bundle's parts joined before they are compiled."""
    return bool(option(settings, "LIBSASS_AS_OUTPUT"))


def _spoken(value: object) -> str:
    """A value of Sass as Sass would print it."""
    if sass is not None and isinstance(value, sass.SassNumber):
        return f"{value.value:g}{value.unit}"
    return str(value)


def _sheet(tree: Tree, path: str) -> str | None:
    """The logical path that an import of this path means: partials and index files are found by their short name."""
    folder, name = posixpath.split(path)
    given = name.endswith(_SUFFIXES)
    for suffix in ("",) if given else _SUFFIXES:
        both = [posixpath.join(folder, f"{prefix}{name}{suffix}") for prefix in ("_", "")]
        found = [candidate for candidate in both if tree.file(candidate)]
        if len(found) > 1:
            raise FilterError(f'it is not clear which is meant, "{found[0]}" or "{found[1]}"')
        if found:
            return found[0]
    return None


def _look_up(tree: Tree, path: str) -> str | None:
    """As `_sheet`, and a folder means the index in it."""
    return _sheet(tree, path) or _sheet(tree, posixpath.join(path, "index"))


class _Importer:
    """What libsass asks for each @import. It never looks for a file itself: the answer is a text, or an error."""

    def __init__(self, tree: Tree, entry: str, folders: tuple[str, ...]) -> None:
        self.tree = tree
        self.folders = folders
        self.read: set[str] = set()
        self.error: FilterError | None = None
        self.entry = entry
        self.logical_paths = {_ENTRY: entry}
        self.files: dict[str, str] = {}

    def __call__(self, path: str, importing: str) -> list[tuple[str, ...]]:
        if path.endswith(".css") or path.startswith(("//", "http://", "https://")):
            # Sass leaves these to the browser (https://sass-lang.com/documentation/at-rules/import/#plain-css-imports). An
            # answer of None would have libsass look for a file `//path`.
            quoted = re.sub(r'(["\\]|#(?=\{))', r"\\\1", path)
            return [(path, f'@import url("{quoted}");')]
        try:
            logical_path = self.find(path, self.logical_paths[importing])
            return [self.load(logical_path)]
        except FilterError as error:
            # libsass makes a text of the exception and adds the place; only that is taken from it.
            self.error = error
            raise

    def find(self, path: str, importing: str) -> str:
        if path.startswith("/"):
            raise FilterError(f'"{path}" is an absolute path: imports stay inside the source roots')
        outside = False
        for folder in (posixpath.dirname(importing), "", *self.folders):
            candidate = posixpath.normpath(posixpath.join(folder, path))
            if candidate.startswith("../") or candidate in ("..", "."):
                outside = True
            elif found := _look_up(self.tree, candidate):
                return found
        if outside:
            raise FilterError(f'"{path}" leads out of the source roots')
        raise FilterError(f'"{path}" is in no source root')

    def load(self, logical_path: str) -> tuple[str, ...]:
        file, text = self.tree.read(logical_path)
        self.read.add(file)
        # Only a file that libsass reads itself can be in the indented syntax.
        name = file if logical_path.endswith(".sass") else logical_path
        self.logical_paths[name] = logical_path
        self.files[os.path.abspath(name)] = file
        return (name,) if name == file else (name, text)

    def explain(self, message: str) -> FilterError:
        """libsass' message, which goes on with the sheet's text, as an error with its place in the user's source."""
        place = _PLACE.search(message)
        what = message[: place.start()] if place else message.splitlines()[0]
        what = sentence(what.strip().removeprefix("Error: ")).replace(f"{_ENTRY} imports", f"{self.entry} imports")
        if self.error:
            what = self.error.message
            if self.error.line:
                return self.error
        if not place:
            return FilterError(what)
        file = "" if place[3] == _ENTRY else self.files.get(os.path.abspath(place[3]), "")
        return FilterError(what, int(place[1]), int(place[2]), file)
