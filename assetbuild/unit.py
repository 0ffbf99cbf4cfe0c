"""One source compiled on its own, in a worker process: its bytes read, its text filtered, its references found. Nothing
here knows another source."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from assetbuild.errors import Lines, Problem, line_and_column
from assetbuild.filters import FilterError, Settings, Unit
from assetbuild.filters.chains import Chain, language, load
from assetbuild.reading import content, pieces
from assetbuild.references import Note, Reference, Scan, substitute
from assetbuild.references import css as css_references
from assetbuild.references import js as js_references
from assetbuild.references import svg as svg_references
from assetbuild.references import webmanifest as webmanifest_references
from assetbuild.sources import Source
from assetbuild.syntax import LexError, expression
from assetbuild.syntax import css as css_syntax
from assetbuild.syntax import js as js_syntax
from assetbuild.syntax.js.spans import Lexed

#: Files that are only copied are read in pieces of this size, in bytes, whatever their length.
PIECE = 1 << 20


class Tools(NamedTuple):
    """What is the same for every source of a build.

    working_folder: what files in messages are relative to. roots: the source roots, absolute. settings: options of
    webassets' filters. search: folders for filters given by import path. time_limit: seconds that a tool may take for a file.
    workspace: a folder for temporary files, which goes with the build; "": the system's. prefixes: as in `Config`.
    """

    working_folder: str
    roots: tuple[str, ...]
    settings: Settings
    search: tuple[str, ...]
    time_limit: float
    workspace: str = ""
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A source and what is to be done to it.

    shown: its file as one would type it from the working folder. part: whether this is for bundles only. text: of what has
    no file: a bundle's, joined.
    """

    source: Source
    chain: Chain
    logical_path: str
    shown: str
    part: bool = False
    text: str | None = None

    def __reduce__(self) -> tuple[type[Job], tuple[object, ...]]:
        return Job, (self.source, self.chain, self.logical_path, self.shown, self.part, self.text)  # As `Reference` does.

    @property
    def key(self) -> str:
        """What tells this job's result from others of the same source; an asset's is its logical path."""
        return "\0".join(("", self.source.path, *self.chain.filters)) if self.part else self.logical_path


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of a source.

    text: the bytes that filters made; None where they are the source's own, which then stay on disk.
    digest, size: of those bytes (SHA-256 in hex digits), before any reference is linked.
    references: in those bytes' text, by their place.
    problems: errors, and warnings. read: absolute paths of further files that went into it; with a `/` at its end, of a folder
    in which one was looked for in vain.
    source: the SHA-256 of the source's own bytes, "" where they could not be read. bare: what names files in that text without
    being a reference.
    """

    logical_path: str
    text: bytes | None
    digest: str
    size: int
    references: tuple[Reference, ...] = ()
    problems: tuple[Problem, ...] = ()
    read: tuple[str, ...] = ()
    source: str = ""
    bare: tuple[Reference, ...] = ()

    def __reduce__(self) -> tuple[type[Compiled], tuple[object, ...]]:  # As `Reference` does.
        made = (self.logical_path, self.text, self.digest, self.size)
        return Compiled, (*made, self.references, self.problems, self.read, self.source, self.bare)


def scanner(path: str) -> Callable[[str], Scan] | None:
    """What finds the references in a file with this path; None for files in which there are none."""
    suffix = path[path.rfind(".") + 1 :].lower() if "." in path else ""
    if suffix == "css":
        return css_references.find
    if suffix in ("js", "mjs", "cjs"):
        return lambda text: js_references.find(text, js_syntax.goal(path))
    if suffix == "svg":
        return svg_references.find
    if suffix == "webmanifest":
        return webmanifest_references.find
    return None


def compile_unit(job: Job, tools: Tools, data: bytes | None = None) -> Compiled:
    """Compile one source. What is wrong with it is in the result's problems, never an exception. data: its bytes, where they
    have been read."""
    if tools.workspace:
        # A worker that is killed cannot tidy up; whatever it and the libraries in it leave is removed with this folder.
        import tempfile  # Slow to import, and only a worker comes here.

        tempfile.tempdir = tools.workspace
    find = scanner(job.logical_path)
    try:
        if find is None and not job.chain.filters and job.text is None and not job.part:
            return _opaque(job)
        if data is None:
            data = content(job.source.file) if job.text is None else job.text.encode()
    except OSError as error:
        return _failed(job, [Problem(job.shown, 0, 0, _unreadable(error))])
    try:
        source = data.decode()
    except UnicodeDecodeError as error:
        if find is None and not job.chain.filters and language(job.logical_path) == "other":
            return _opaque(job)
        before = data[: error.start].decode()
        place = line_and_column(before, len(before))
        what = f"byte 0x{data[error.start]:02x} at position {error.start} is not UTF-8"
        if job.chain.filters or language(job.logical_path) != "other":
            return _failed(job, [Problem(job.shown, *place, what, "save the file as UTF-8")])
        # An SVG or a web manifest in another encoding: nothing is found in it, nothing is changed.
        what += ": published untouched, its references are not linked"
        return replace(_opaque(job), problems=(Problem(job.shown, *place, what, "save the file as UTF-8", "warning"),))
    return _text(job, tools, data, source, find)


_MEND_PART = "mend it: in a bundle it would take the other parts down with it"


def _unreadable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "this file disappeared during the build"
    return f"this file cannot be read: {error.strerror}"


def _failed(job: Job, problems: list[Problem]) -> Compiled:
    return Compiled(job.logical_path, None, "", 0, (), tuple(problems))


def _opaque(job: Job) -> Compiled:
    sha = hashlib.sha256()
    size = 0
    for piece in pieces(job.source.file, PIECE):
        sha.update(piece)
        size += len(piece)
    return Compiled(job.logical_path, None, sha.hexdigest(), size, source=sha.hexdigest())


def _text(job: Job, tools: Tools, data: bytes, source: str, find: Callable[[str], Scan] | None) -> Compiled:
    problems: list[Problem] = []
    lines = Lines(source)

    def warn(notes: tuple[Note, ...], text: str) -> None:
        for note in notes:
            # An offset in what an earlier filter made is no place in the user's file.
            place = lines.place(note.offset) if text is source else (0, 0)
            problems.append(Problem(job.shown, *place, note.message, "", "warning"))

    try:
        if language(job.source.path) == "css":
            css_syntax.check(source)
        text, read, lexed = _filtered(job, tools, source, warn)
    except LexError as error:
        return _failed(job, [Problem(job.shown, *lines.place(error.offset), error.message)])
    except FilterError as error:
        file = os.path.relpath(error.file, tools.working_folder) if error.file else job.shown
        return _failed(job, [Problem(file, error.line, error.column, error.message)])

    scan = Scan(())
    if find is not None:
        try:
            if text != source and language(job.logical_path) == "css":
                css_syntax.check(text)
            scan = js_references.find_in(lexed) if lexed and _reads_as(job, lexed) else find(text)
        except LexError as error:
            if text != source:
                made = " and ".join(job.chain.filters)
                what = f"what {made} made of this file is broken: {error.message}"
                return _failed(job, [*problems, Problem(job.shown, 0, 0, what)])
            place = lines.place(error.offset)
            if job.part:
                return _failed(job, [*problems, Problem(job.shown, *place, error.message, _MEND_PART)])
            problems = [p for p in problems if (p.line, p.column) != place]
            what = f"{error.message}: published untouched, its references are not linked"
            problems.append(Problem(job.shown, *place, what, "", "warning"))
    if job.part:
        scan = replace(scan, notes=())  # They are the bundle's to tell, as far as they still hold there.
    if text == source and job.text is None:
        warn(scan.notes, source)
        digest = hashlib.sha256(data).hexdigest()
        return Compiled(job.logical_path, None, digest, len(data), scan.references, tuple(problems), read, digest, scan.bare)
    if text != source and scan.map_comment:
        # A map of the text as it was written is wrong for what a filter made of it; one that a tool put in may hold the names
        # of its temporary files, which differ from build to build.
        text = substitute(text, [(*scan.map_comment, scan.map_instead)])
        assert find is not None
        scan = find(text)
    if scan.notes and find is not None and language(job.source.path) == language(job.logical_path):
        # The same language before and after: the user's own text has the same to say, and a place for it.
        warn(find(source).notes, source)
    else:
        warn(scan.notes, text)
    result = text.encode()
    digest = hashlib.sha256(result).hexdigest()
    made_of = hashlib.sha256(data).hexdigest()
    return Compiled(job.logical_path, result, digest, len(result), scan.references, tuple(problems), read, made_of, scan.bare)


def _reads_as(job: Job, lexed: Lexed) -> bool:
    """Whether what a filter has read is what would be read here."""
    return language(job.logical_path) == "js" and js_syntax.goal(job.logical_path) in (None, lexed.module)


_HALF = re.compile("[\ud800-\udfff]")


def _filtered(
    job: Job, tools: Tools, source: str, warn: Callable[[tuple[Note, ...], str], None]
) -> tuple[str, tuple[str, ...], Lexed | None]:
    text, read, lexed = source, list[str](), None
    path = job.source.path
    for name in job.chain.filters:
        unit = Unit(path, job.source.file, tools.roots, language(path), tools.prefixes)
        try:
            tool = load(name, tools.settings, tools.search, tools.time_limit, job.chain.hooks)
            filtered = tool.apply(text, unit)
        except FilterError as error:
            raise FilterError(f"{name}: {error.message}", error.line, error.column, error.file) from error
        if not filtered.text.isascii() and _HALF.search(filtered.text):
            raise FilterError(f"{name}: it wrote half a surrogate pair, which is no text")
        warn(filtered.notes, text)
        read += (*filtered.read, *(folder + "/" for folder in filtered.sought))
        text, lexed = filtered.text, filtered.lexed
        if not tool.keeps_meaning:
            path = job.logical_path
    return text, tuple(read), lexed


def places(job: Job, compiled: Compiled, bare: bool = False) -> list[tuple[int, int]]:
    """Line and column, in the source as written, of each reference of the compiled text; (0, 0) where a filter made it up.
    bare: of what is no reference instead.

    Only messages need this, so it is worked out when one is written: the source is read again.
    """
    wanted = compiled.bare if bare else compiled.references
    try:
        source = content(job.source.file).decode() if job.text is None else ""
    except (OSError, UnicodeDecodeError):
        return [(0, 0)] * len(wanted)
    find = scanner(job.source.path)
    written: tuple[Reference, ...] = ()
    if find is not None:
        try:
            scan = find(source)
            own = scan.bare if bare else scan.references
            written = tuple(r for r in own if compiled.text is None or r.kind != "sourcemap")
        except LexError:
            written = ()
    lines = Lines(source)
    if [r.path for r in written] == [r.path for r in wanted]:
        return [lines.place(reference.start) for reference in written]
    # Another language: the path itself is looked for, the n-th time it stands there for the n-th reference to it, and the last
    # time for those of which there are more, as in a loop.
    standing = _standing(source)
    result, met = [], Counter[str]()
    for reference in wanted:
        found = standing.get(reference.path)
        result.append(lines.place(found[min(met[reference.path], len(found) - 1)]) if found else (0, 0))
        met[reference.path] += 1
    return result


# What the languages that become CSS or JavaScript have in common: comments, url() and strings.
_WRITTEN = expression(
    r"//[^\n\r]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)"
    r"|\b[uU][rR][lL]\([ \t]*+(?:(?P<url>[^\"'()\s]++)|(?P<quoted>)(?=[\"']))"
    r"|\"(?P<double>(?:[^\"\\\n\r]++|\\[\s\S])*+)\"?+|'(?P<single>(?:[^'\\\n\r]++|\\[\s\S])*+)'?+"
    r"|`(?P<back>(?:[^`\\]++|\\[\s\S])*+)`?+"
)


def _standing(source: str) -> dict[str, list[int]]:
    """Where paths stand in a text, outside of its comments: those in url() first, then those in other strings."""
    urls: dict[str, list[int]] = defaultdict(list)
    strings: dict[str, list[int]] = defaultdict(list)
    in_url = False
    for match in _WRITTEN.finditer(source):
        kind = match.lastgroup
        if kind and kind != "quoted":
            text = match[kind]
            path = re.split(r"[?#]", text.strip(), maxsplit=1)[0]
            at = match.start(kind) + len(text) - len(text.lstrip())
            (urls if in_url or kind == "url" else strings)[path].append(at)
        in_url = kind == "quoted"
    for path, found in strings.items():
        urls[path] += found
    return urls
