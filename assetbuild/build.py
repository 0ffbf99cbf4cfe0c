"""Sources, compiled one by one; references, resolved all at once; names, taken from final bytes. Nothing is written here but
temporary files and the cache; what is to be built may be a part of the whole, and the rest is known by its names."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from assetbuild import plan, pool, reading, sources
from assetbuild.cache import Cache, CacheUse, own_version
from assetbuild.config import Config
from assetbuild.errors import BuildError, Problem
from assetbuild.link import MISSING, Linker, Output, Text, aim, resolve
from assetbuild.missing import Missing, Report, severity, unlinked
from assetbuild.reading import content
from assetbuild.recall import Recalled, recall
from assetbuild.references import Reference
from assetbuild.result import Progress, silent
from assetbuild.spool import Spool, workspace
from assetbuild.unit import PIECE, Compiled, Job, places

if TYPE_CHECKING:
    from assetbuild.assemble import Assembled, Assembler
    from assetbuild.bundles import Assembly

#: Filters that need no process of their own while a text is SHORT, in bytes: they are quadratic at worst (`/*!` or `=/[`
#: repeated), which takes them two tenths of a second there.
SWIFT, SHORT = frozenset(("rcssmin", "rjsmin")), 32_000


class Linked(NamedTuple):
    """Everything about a build that is known before a byte of it is written; all by logical path.

    wanted: the paths that an asset's references mean, there or not. told: what there is to tell of an asset. parts: the jobs of
    an asset and of all that is in it. read: further files that filters read, absolute. spool: the final bytes of what is not as
    it is on disk.
    """

    jobs: Mapping[str, Job]
    compiled: Mapping[str, Compiled]
    texts: Mapping[str, Text]
    outputs: Mapping[str, Output]
    missing: Mapping[str, tuple[str, ...]]
    warnings: tuple[Problem, ...]
    spool: Spool
    assembled: Mapping[str, Assembled]
    work: plan.Work
    use: CacheUse
    wanted: Mapping[str, tuple[str, ...]]
    told: Mapping[str, tuple[Problem, ...]]
    parts: Mapping[str, tuple[Job, ...]]
    read: frozenset[str]


class Scope(NamedTuple):
    """What is to be built: all of a project, or a part of it.

    published: every path that a reference can mean. names: the public paths of what is published and not in `work`; nothing
    in `work` is referred to by it.
    """

    work: plan.Work
    published: Collection[str]
    names: Mapping[str, str]


def everything(tree: sources.Tree, config: Config) -> Scope:
    """The whole project. Raises ConfigError and BuildError."""
    work = plan.work(tree, config)
    return Scope(work, work.jobs.keys() | work.bundles.keys(), {})


@contextlib.contextmanager
def link(
    config: Config,
    excluded: Collection[str],
    scope: Scope,
    cache: Cache | None,
    *,
    jobs: int | None = None,
    progress: Progress = silent,
) -> Iterator[Linked]:
    """Compile and link; nothing is written but to temporary files, which live as long as the context, and to the cache.

    config: with its bundles adopted. excluded: what is no source on purpose. jobs: worker processes at most;
    default, the cores. Raises BuildError.
    """
    with Spool() as spool, contextlib.ExitStack() as stack:
        yield _Build(config, scope, excluded, spool, stack, cache, jobs, progress).linked()


class _Build:
    """A build on its way: what is compiled so far, and the problems of all of it."""

    def __init__(
        self,
        config: Config,
        scope: Scope,
        excluded: Collection[str],
        spool: Spool,
        stack: contextlib.ExitStack,
        cache: Cache | None,
        workers: int | None,
        progress: Progress,
    ) -> None:
        self.config = config
        self.scope = scope
        self.work = work = scope.work
        self.excluded = excluded
        self.spool = spool
        self.cache = cache
        self.version = own_version(str(Path(__file__).parent)) if cache else ""
        self.known = self.done = self.rejected = 0
        self.workers = workers
        self.progress = progress
        self.stack = stack
        #: Everything that becomes an asset; bundles join when their text is there.
        self.jobs = dict(work.jobs)
        self.compiled: dict[str, Compiled] = {}
        self.assembled: dict[str, Assembled] = {}
        self.problems: list[Problem] = list(work.warnings)
        #: The same by the job that they are about.
        self.told: dict[str, list[Problem]] = defaultdict(list)

    @functools.cached_property
    def workspace(self) -> str:
        return self.stack.enter_context(workspace())

    def tell(self, about: str, problems: Iterable[Problem]) -> None:
        problems = list(problems)
        self.problems += problems
        if problems:
            self.told[about] += problems

    def linked(self) -> Linked:
        """Compile and link. Raises BuildError with all that is wrong."""
        if self.work.assemblies:
            self.compile_bundles()
        else:
            self.compile([*self.work.jobs.values()])
        texts = {path: self.text(job) for path, job in sorted(self.jobs.items())}
        missing = self.missing(texts)
        if self.failed():
            raise BuildError(self.problems)
        linker = Linker(texts, lambda path: self.read(self.jobs[path]), self.spool.put, self.scope.names)
        outputs = linker.link(lambda done: self.progress("link", done, len(texts)))
        self.tell_unlinked(linker.names)
        plan.distinct(outputs.values(), self.jobs)
        warnings = tuple(sorted(set(self.problems)))
        assembled = {name: one for name, one in self.assembled.items() if name in self.jobs}
        parts = {path: self.parts(path) for path in self.jobs}
        return Linked(
            self.jobs,
            self.compiled,
            texts,
            outputs,
            missing,
            warnings,
            self.spool,
            assembled,
            self.work,
            CacheUse(self.known, self.done, self.rejected),
            {path: tuple(sorted({aim for job in jobs for aim in self.aims(job)})) for path, jobs in parts.items()},
            {path: found for path, jobs in parts.items() if (found := self.said(jobs))},
            parts,
            frozenset(file for unit in self.compiled.values() for file in unit.read),
        )

    def parts(self, path: str) -> tuple[Job, ...]:
        """The job of an asset, and of all that is in it."""
        one = self.assembled.get(path)
        found = {path: self.jobs[path]} if one is None else {path: one.job}
        for job in one.parts.values() if one else ():
            inner = self.parts(job.logical_path) if job.text is not None else (job,)
            found |= {job.key: job for job in inner}
        return tuple(found.values())

    def aims(self, job: Job) -> Iterable[str]:
        base_url, unit = self.config.base_url, self.compiled[job.key]
        return filter(None, (aim(job.logical_path, r, base_url) for r in (*unit.references, *unit.bare)))

    def said(self, jobs: Iterable[Job]) -> tuple[Problem, ...]:
        keys = [job.key for job in jobs if job.key in self.told]
        return tuple(sorted({problem for key in keys for problem in self.told[key]}))

    def failed(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def compile(self, work: list[Job]) -> None:
        weights = [job.source.size if job.text is None else len(job.text) for job in work]
        # To start workers takes longer than a little work, of which there may be much: a chain of imports has a level a sheet.
        here = sum(weights) < (SHORT if any(job.chain.filters for job in work) else pool.WORTH_A_WORKER)
        here = here and all(SWIFT.issuperset(job.chain.filters) for job in work)
        # The workspace is a worker's folder for temporary files, and would become this process's.
        tools = plan.tools(self.config, "" if here else self.workspace)
        run = functools.partial(recall, tools=tools, cache=self.cache, version=self.version)
        # What is only read and copied takes as long as it is large.
        limits = [tools.time_limit if job.chain.filters else None for job in work]
        runs: Generator[tuple[int, Recalled | pool.Lost], None, None]
        if here:
            runs = (one for one in enumerate(map(run, work)))
        else:
            runs = pool.run(run, work, weights=weights, jobs=self.workers, time_limits=limits)
        done = 0
        with contextlib.closing(runs):  # The workers end here, whatever ends the loop.
            for number, result in runs:
                job = work[number]
                if isinstance(result, pool.Lost):
                    unit = Compiled(job.logical_path, None, "", 0, (), (plan.lost(job, result, tools),))
                else:
                    unit = result.unit
                    self.known += result.known
                    self.done += not result.known
                    self.rejected += result.rejected
                if unit.text is not None:
                    self.spool.put(job.key, unit.text)
                    unit = replace(unit, text=b"")  # In the spool; here only the fact that it is not the source's.
                self.compiled[job.key] = unit
                if job.text is None:
                    self.tell(job.key, unit.problems)
                done += 1
                self.progress("compile", done, len(work))

    def compile_bundles(self) -> None:
        """Everything, where there are bundles to be joined."""
        from assetbuild.assemble import Assembler, levels  # Not for projects that have none.

        assembler = Assembler(self.work, self.config.base_url, self.read)
        self.compile([*self.work.jobs.values(), *assembler.parts()])
        while imported := assembler.imported(self.compiled):
            self.compile(imported)
        if not self.failed():  # A part that is broken would only make its bundle say so again.
            for level in levels(self.work.assemblies):
                self.bundle(assembler, level)

    def bundle(self, assembler: Assembler, level: list[Assembly]) -> None:
        """Join and compile bundles whose parts are compiled."""
        made: list[Assembled] = []
        for assembly in level:
            if all(part in self.compiled for part in assembly.parts if part in self.work.bundles):
                try:
                    made.append(assembler.assemble(assembly, self.compiled))
                except BuildError as error:
                    self.problems += error.problems
        self.compile([one.job for one in made])
        for one in made:
            name = one.job.logical_path
            self.tell(name, one.warnings)
            self.tell(name, (assembler.located(p, one, self.compiled) for p in self.compiled[name].problems))
            self.assembled[name] = one
            if one.published:
                self.jobs[name] = one.job

    def text(self, job: Job) -> Text:
        unit = self.compiled[job.key]
        targets = tuple(resolve(unit.logical_path, r, self.scope.published, self.config.base_url) for r in unit.references)
        return Text(unit.logical_path, unit.digest, unit.size, unit.references, targets, job.source.kept)

    def missing(self, texts: Mapping[str, Text]) -> dict[str, tuple[str, ...]]:
        """What may stay missing, by the file that refers; what may not becomes a problem."""
        passed: dict[str, tuple[str, ...]] = {}
        report: Report | None = None
        parts = {job.key: job for one in self.assembled.values() for job in one.parts.values() if job.part}
        for job in (*self.jobs.values(), *parts.values()):
            text = self.text(job) if job.part else texts[job.logical_path]
            absent = [i for i, target in enumerate(text.targets) if target == MISSING]
            if not absent:
                continue
            report = report or Report(self.scope.published, self.excluded, self.work.parts, self.config.base_url)
            references = text.references
            # A missing source map's comment goes, so nothing is left that refers to it.
            stays = {references[i].path for i in absent if references[i].kind != "sourcemap"}
            known: Collection[str] = ()
            if job.text is not None:
                known = self.assembled[job.logical_path].absent  # Told of where they stand, in the parts.
            elif job.part:
                known = self.taken_in(job, references)
            if stays and not job.part:
                passed[job.logical_path] = tuple(sorted(stays))
            weights = {i: severity(job.source.path, references[i], self.config.missing) for i in absent}
            told = {i: weight for i, weight in weights.items() if weight and unquote(references[i].path) not in known}
            at = places(job, self.compiled[job.key]) if told else []
            for i, weight in told.items():
                missing = Missing(job.logical_path, job.shown, *at[i], references[i])
                self.tell(job.key, [report.problem(missing, weight)])
        return passed

    def tell_unlinked(self, names: Mapping[str, str]) -> None:
        """Of what names a published file and is no reference. names: the public paths of what was linked here."""
        for job in self.jobs.values():
            unit = self.compiled[job.key]
            if not unit.bare:
                continue
            aims = [aim(job.logical_path, reference, self.config.base_url) or "" for reference in unit.bare]
            told = [i for i, path in enumerate(aims) if (names.get(path) or self.scope.names.get(path, path)) != path]
            at = places(job, unit, bare=True) if told else []
            found = (Missing(job.logical_path, job.shown, *at[i], unit.bare[i]) for i in told)
            self.tell(job.key, map(unlinked, found))

    def taken_in(self, job: Job, references: Sequence[Reference]) -> set[str]:
        """The imports of a part that need no published file, since the bundle holds what they mean."""
        paths = self.work.sources.keys()
        imports = [r for r in references if r.kind == "import"]
        return {unquote(r.path) for r in imports if resolve(job.logical_path, r, paths, self.config.base_url)}

    def read(self, job: Job) -> bytes:
        """The compiled bytes of a job."""
        unit = self.compiled[job.key]
        if unit.text is not None:
            return self.spool.get(job.key)
        try:
            data = content(job.source.file)
        except OSError as error:
            what = "this file disappeared, or became something else, during the build"
            raise BuildError(Problem(job.shown, 0, 0, what, "run it again")) from error
        if hashlib.sha256(data).hexdigest() != unit.digest:
            raise BuildError(Problem(job.shown, 0, 0, "this file changed during the build", "run it again"))
        return data


def pieces(linked: Linked, path: str) -> Callable[[], Iterable[bytes]]:
    """The final bytes of an asset, at each call again."""
    if linked.outputs[path].linked or linked.compiled[path].text is not None:
        return lambda: (linked.spool.get(path),)
    return functools.partial(reading.pieces, linked.jobs[path].source.file, PIECE)
