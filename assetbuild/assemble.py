"""Bundles put together: their parts' references made to mean from the bundle's place what they meant from the part's, and
the texts joined, ready to be compiled like a source's."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from assetbuild.bundles import Assembly, Builder, Fault, Joined
from assetbuild.bundles import css as css_bundle
from assetbuild.bundles import js as js_bundle
from assetbuild.errors import BuildError, Problem, line_and_column
from assetbuild.filters.chains import Chain, language
from assetbuild.link import MISSING, relative, resolve
from assetbuild.plan import Work
from assetbuild.references import Reference
from assetbuild.unit import Compiled, Job


@dataclass(frozen=True, slots=True)
class Assembled:
    """A bundle, joined.

    job: its own, with the text in it. published: whether it becomes an asset. joined: the text with the origin of each place.
    parts: the jobs of what is in it, by path. absent: what its parts refer to and nothing answers, as it stands in the bundle.
    """

    job: Job
    published: bool
    joined: Joined
    parts: Mapping[str, Job]
    absent: frozenset[str]
    warnings: tuple[Problem, ...]


class Assembler:
    """Knows what each bundle takes. read: the compiled bytes of a job, by its key."""

    def __init__(self, work: Work, base_url: str, read: Callable[[Job], bytes]) -> None:
        self.work = work
        self.base_url = base_url
        self.read = read
        self.by_source = {job.source.path: job for job in work.sources.values()}
        #: Every path that a reference can mean, whether it is published or only a part.
        self.tree = work.sources.keys() | work.bundles.keys() | work.jobs.keys()
        # Sheets whose imports are still to be looked at, and all that were met.
        self.unread = [self.part(path, one) for one in work.assemblies for path in one.parts]
        self.met = {job.key for job in self.unread}

    def part(self, path: str, assembly: Assembly) -> Job:
        """The job of a part: by the source's own chain without minifiers, or as the bundle has it."""
        if path in self.work.bundles:
            return self.work.bundles[path]
        job = self.by_source[path]
        filters = assembly.bundle.part_filters
        if filters is None:
            return job
        # What no filter compiles before it is joined is still what its name says.
        suffix = posixpath.splitext(assembly.bundle.name if filters else path)[1]
        made = posixpath.splitext(path)[0] + suffix
        return replace(job, chain=Chain(filters, hooks="parts"), logical_path=made)

    def parts(self) -> list[Job]:
        """Every source that stands in a bundle, each with a chain once."""
        jobs = (self.part(path, one) for one in self.work.assemblies for path in one.parts)
        return list({job.key: job for job in jobs if job.part}.values())

    def imported(self, compiled: Mapping[str, Compiled]) -> list[Job]:
        """The sheets that those in bundles import from the tree, and that are not compiled yet."""
        found: list[Job] = []
        while self.unread:
            job = self.unread.pop()
            if job.key in compiled and language(job.logical_path) == "css":
                for target in self.imports(job, compiled[job.key]).values():
                    if (sheet := self.work.sources.get(target)) and sheet.key not in self.met:
                        self.met.add(sheet.key)
                        (self.unread if sheet.key in compiled else found).append(sheet)
        self.unread = list(found)
        return found

    def imports(self, job: Job, unit: Compiled) -> dict[int, str]:
        """What a bundle takes in at each `@import` of a sheet: the path it has once compiled, by the rule's start."""
        found = {}
        for reference in unit.references:
            if reference.kind == "import":
                target = resolve(job.logical_path, reference, self.tree, self.base_url)
                if target and target not in self.work.bundles and language(self.work.sources[target].logical_path) == "css":
                    found[reference.whole[0]] = target
        return found

    def jobs(self, assembly: Assembly, compiled: Mapping[str, Compiled]) -> dict[str, Job]:
        """The parts of a bundle and all sheets that they import, as far as they are compiled, by their source's path."""
        found = {path: self.part(path, assembly) for path in assembly.parts}
        waiting = list(found.values())
        while waiting:
            job = waiting.pop()
            if job.key not in compiled or language(job.logical_path) != "css":
                continue
            for target in self.imports(job, compiled[job.key]).values():
                sheet = self.work.sources[target]
                if sheet.source.path not in found:
                    found[sheet.source.path] = sheet
                    waiting.append(sheet)
        return found

    def assemble(self, assembly: Assembly, compiled: Mapping[str, Compiled]) -> Assembled:
        """Join a bundle whose parts are compiled. Raises BuildError."""
        name = assembly.bundle.name
        jobs = self.jobs(assembly, compiled)
        texts = self.texts(jobs)
        absent: set[str] = set()
        edits = {path: tuple(self.edits(name, job, compiled[job.key], absent)) for path, job in jobs.items()}
        kind = language(name)
        if any(language(job.logical_path) != kind for job in jobs.values()):
            joined = _plain(assembly.parts, texts)  # Of webassets' bundles, some are compiled when they are joined.
        elif kind == "css":
            joined = css_bundle.join(assembly.parts, dict(self.sheets(name, jobs, compiled, texts, edits)))
        elif kind == "js":
            modules = {path for path, job in jobs.items() if job.logical_path.lower().endswith(".mjs")}
            joined = js_bundle.join([js_bundle.Script(p, texts[p], edits[p], p in modules) for p in assembly.parts])
        else:
            joined = _plain(assembly.parts, texts)
        problems = [self.problem(fault, jobs, compiled, texts) for fault in joined.faults]
        if any(problem.severity == "error" for problem in problems):
            raise BuildError(problems)
        job = self.work.bundles[name]
        size = len(joined.text.encode())
        job = replace(job, text=joined.text, source=replace(job.source, size=size))
        return Assembled(job, assembly.bundle.published, joined, jobs, frozenset(absent), tuple(problems))

    def texts(self, jobs: Mapping[str, Job]) -> dict[str, str]:
        texts: dict[str, str] = {}
        problems: list[Problem] = []
        for path, job in jobs.items():
            data = self.read(job)
            try:
                texts[path] = data.decode()
            except UnicodeDecodeError as error:
                message = f"this is no text (byte 0x{data[error.start]:02x} at position {error.start}): it cannot be joined"
                problems.append(Problem(job.shown, 0, 0, message))
        if problems:
            raise BuildError(problems)
        return texts

    def sheets(
        self,
        name: str,
        jobs: Mapping[str, Job],
        compiled: Mapping[str, Compiled],
        texts: Mapping[str, str],
        edits: Mapping[str, tuple[tuple[int, int, str], ...]],
    ) -> Iterator[tuple[str, css_bundle.Sheet]]:
        for path, job in jobs.items():
            unit = compiled[job.key]
            imports = {at: self.work.sources[to].source.path for at, to in self.imports(job, unit).items()}
            # A bundle that imports itself is not imported again, as browsers have it.
            imports |= {r.whole[0]: "" for r in unit.references if r.kind == "import" and self.target(job, r) == name}
            yield path, css_bundle.Sheet(path, texts[path], edits[path], imports)

    def target(self, job: Job, reference: Reference) -> str | None:
        return resolve(job.logical_path, reference, self.tree, self.base_url)

    def edits(self, name: str, job: Job, unit: Compiled, absent: set[str]) -> Iterator[tuple[int, int, str]]:
        """New text for the references of a part: what they mean, seen from the bundle. `absent` fills with what is missing."""
        for reference in unit.references:
            target = self.target(job, reference)
            if reference.kind == "sourcemap":
                yield (*reference.whole, reference.instead)
            elif target == MISSING:
                text = _rebased(job.logical_path, reference, name)
                absent.add(unquote(text))
                yield reference.start, reference.end, text
            elif target is not None:
                if target in self.work.parts and target not in self.work.jobs:
                    absent.add(unquote(relative(name, target, reference.kind)))
                yield reference.start, reference.end, relative(name, target, reference.kind)

    def problem(
        self, fault: Fault, jobs: Mapping[str, Job], compiled: Mapping[str, Compiled], texts: Mapping[str, str]
    ) -> Problem:
        """A fault with its place in the user's own file."""
        place = self.place(jobs[fault.part], compiled, texts[fault.part], fault.offset)
        return Problem(*place, fault.message, fault.hint, fault.severity)

    @staticmethod
    def place(job: Job, compiled: Mapping[str, Compiled], text: str, offset: int) -> tuple[str, int, int]:
        """File, line and column of an offset in a part; no line where a filter made its text."""
        written = compiled[job.key].text is None
        return (job.shown, *(line_and_column(text, offset) if written and offset >= 0 else (0, 0)))

    def located(self, problem: Problem, made: Assembled, compiled: Mapping[str, Compiled]) -> Problem:
        """What compiling a bundle complained of, at its place in the part."""
        if problem.file != made.job.shown or not problem.line:
            return problem
        part, offset = made.joined.origin(_offset(made.joined.text, problem.line, problem.column))
        if not part:
            return replace(problem, line=0, column=0)
        job = made.parts[part]
        file, line, column = self.place(job, compiled, self.read(job).decode(), offset)
        message = f"in the {made.job.shown}: {problem.message}"
        return replace(problem, file=file, line=line, column=column, message=message)


def _offset(text: str, line: int, column: int) -> int:
    """The offset of a line and column as `line_and_column` counts them."""
    starts = re.compile(r"\r\n|\n|\r").finditer(text)
    start = 0
    for _ in range(line - 1):
        start = next(starts).end()
    return start + column - 1


def _rebased(logical_path: str, reference: Reference, name: str) -> str:
    """The text of a reference that leads nowhere, leading to the same nowhere from the bundle."""
    path = unquote(re.sub(r"[\t\r\n]", "", reference.path).replace("\\", "/"))
    if path.startswith("/"):
        return reference.path
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(logical_path), path))
    text = quote(posixpath.relpath("/top/" + wanted, posixpath.join("/top", posixpath.dirname(name))), safe="/@+,=!$~")
    return "./" + text if reference.kind == "module" and not text.startswith("../") else text


def _plain(parts: Iterable[str], texts: Mapping[str, str]) -> Joined:
    """Texts of any language, each beginning a line."""
    builder = Builder()
    for path in parts:
        if not builder.ends_line():
            builder.write("\n")
        builder.copy(path, texts[path], int(texts[path].startswith("\ufeff")), len(texts[path]))
    return builder.joined()


def levels(assemblies: Iterable[Assembly]) -> list[list[Assembly]]:
    """Bundles that can be compiled at once: each behind those that are joined into it."""
    depth: dict[str, int] = {}
    result: list[list[Assembly]] = []
    for one in assemblies:
        level = max((depth[path] + 1 for path in one.parts if path in depth), default=0)
        depth[one.bundle.name] = level
        while len(result) <= level:
            result.append([])
        result[level].append(one)
    return result
