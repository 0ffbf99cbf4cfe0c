"""The build, told in order: sources, compiled one by one; references, resolved all at once; names, taken from final bytes;
variants; files, then the manifest. This room alone knows the order."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from assetbuild import compressors, fingerprint, plan, pool, publish, sources, variants
from assetbuild.adopt import adopt
from assetbuild.assemble import Assembled, Assembler, levels
from assetbuild.bundles import Assembly
from assetbuild.cache import Cache, opened, own_version
from assetbuild.config import Config
from assetbuild.errors import BuildError, Problem
from assetbuild.link import MISSING, Linker, Output, Text, resolve
from assetbuild.media_types import media_type
from assetbuild.missing import Missing, Report, severity
from assetbuild.recall import Packs, Recalled, recall
from assetbuild.references import Reference
from assetbuild.runtime import manifest as treaty
from assetbuild.spool import Spool, workspace
from assetbuild.unit import PIECE, Compiled, Job, places

#: progress(stage, done, total); the stages are "compile", "link", "compress" and "publish".
Progress = Callable[[str, int, int], None]


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


@dataclass(frozen=True, slots=True)
class CacheUse:
    """known: sources, bundles and variants that the cache had; made: those that were compiled or packed; refused: why the
    cache could not be used, or ""."""

    known: int
    made: int
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a build did. written: files written; removed: files that nothing named any more; unchanged: nothing was touched;
    bytes: of all files of the artifact but its variants; seconds: on the wall; use: what the cache was good for."""

    output: Path
    manifest: treaty.Manifest
    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: bool
    bytes: int
    warnings: tuple[Problem, ...]
    seconds: float
    use: CacheUse


@dataclass(frozen=True, slots=True)
class Linked:
    """Everything about a build that is known before a byte of it is written; all by logical path."""

    jobs: Mapping[str, Job]
    compiled: Mapping[str, Compiled]
    texts: Mapping[str, Text]
    outputs: Mapping[str, Output]
    missing: Mapping[str, tuple[str, ...]]
    warnings: tuple[Problem, ...]
    linker: Linker
    assembled: Mapping[str, Assembled]
    work: plan.Work
    use: CacheUse
    cache: Cache | None


def compile(config: Config, *, jobs: int | None = None, progress: Progress = _silent) -> Result:  # noqa: A001 (the word for it)
    """Build the artifact. jobs: worker processes, or threads, at most; default, the cores.

    Raises ConfigError and BuildError; the artifact is then as it was.
    """
    started = time.monotonic()
    display = plan.shown(config, str(config.output))
    publish.owned(config.output, display)  # Refused before the work, not after it.
    tools = compressors.tools(config.compress)
    with (
        link(config, jobs=jobs, progress=progress) as linked,
        Spool() as spool,
    ):
        packs = Packs(linked.cache)
        plain = [_item(linked, output) for output in linked.outputs.values()]
        packed = variants.pack(
            [_plain(item) for item in plain],
            tools,
            spool,
            found=packs.found,
            keep=packs.keep,
            jobs=jobs,
            progress=functools.partial(progress, "compress"),
        )
        items = [*plain, *(_variant_item(variant) for of_one in packed.values() for variant in of_one)]
        manifest: treaty.Manifest = {
            "version": treaty.VERSION,
            "mode": "production",
            "digest": treaty.digest((item.digest, item.public_path) for item in items),
            "base_url": config.base_url,
            "assets": {path: _entry(linked, path, packed) for path in sorted(linked.outputs)},
            "previous": [],
        }
        if packed:
            manifest["compressors"] = sorted({variant.tool for of_one in packed.values() for variant in of_one})
        with publish.locked(config.output, display):
            published = publish.publish(
                config.output,
                items,
                manifest,
                display=display,
                epoch=config.source_date_epoch,
                progress=functools.partial(progress, "publish"),
            )
    return Result(
        config.output,
        manifest,
        published.written,
        published.removed,
        not (published.written or published.removed or published.manifest),
        sum(item.size for item in plain),
        linked.warnings,
        time.monotonic() - started,
        replace(linked.use, known=linked.use.known + packs.known, made=linked.use.made + packs.made),
    )


@contextlib.contextmanager
def link(config: Config, *, jobs: int | None = None, progress: Progress = _silent, keep: bool = True) -> Iterator[Linked]:
    """Compile and link everything; nothing is written but to a temporary file, which lives as long as the context, and to the
    cache. keep: whether that is used."""
    adopted = adopt(config)
    config = adopted.config
    tree = sources.scan(
        config.sources,
        exclude=config.exclude,
        keep_names=config.keep_names,
        follow_symlinks=config.follow_symlinks,
        ours=(config.output, config.cache_dir),
        display=functools.partial(plan.shown, config),
    )
    with Spool() as spool, workspace() as folder:
        cache = opened(str(config.cache_dir)) if keep else ""
        build = _Build(config, plan.work(tree, config), tree.excluded, spool, folder, cache, jobs, progress)
        build.problems += adopted.warnings
        yield build.linked()


class _Build:
    """A build on its way: what is compiled so far, and the problems of all of it."""

    def __init__(
        self,
        config: Config,
        work: plan.Work,
        excluded: Collection[str],
        spool: Spool,
        folder: str,
        cache: Cache | str,
        workers: int | None,
        progress: Progress,
    ) -> None:
        self.config = config
        self.work = work
        self.excluded = excluded
        self.spool = spool
        self.cache = None if isinstance(cache, str) else cache
        self.refused = cache if isinstance(cache, str) else ""
        self.version = own_version(str(Path(__file__).parent)) if self.cache else ""
        self.known = self.done = 0
        self.workers = workers
        self.progress = progress
        self.tools = plan.tools(config, folder)
        #: Everything that becomes an asset; bundles join when their text is there.
        self.jobs = dict(work.jobs)
        self.compiled: dict[str, Compiled] = {}
        self.assembled: dict[str, Assembled] = {}
        #: Every path that a reference can name.
        self.published = work.jobs.keys() | work.bundles.keys()
        self.problems: list[Problem] = list(work.warnings)

    def linked(self) -> Linked:
        """Compile and link. Raises BuildError with all that is wrong."""
        assembler = Assembler(self.work, self.config.base_url, self.read)
        self.compile([*self.work.jobs.values(), *assembler.parts()])
        while imported := assembler.imported(self.compiled):
            # A chain of imports has as many levels as sheets, and to start workers for each takes longer than the work.
            small = sum(job.source.size for job in imported) < pool.WORTH_A_WORKER
            self.compile(imported, here=small and not any(job.chain.filters for job in imported))
        if not self.failed():  # A part that is broken would only make its bundle say so again.
            for level in levels(self.work.assemblies):
                self.bundle(assembler, level)
        texts = {path: self.text(job) for path, job in sorted(self.jobs.items())}
        missing = self.missing(texts)
        if self.failed():
            raise BuildError(self.problems)
        linker = Linker(texts, lambda path: self.read(self.jobs[path]))
        outputs = linker.link(lambda done: self.progress("link", done, len(texts)))
        plan.distinct(outputs.values(), self.jobs)
        warnings = tuple(sorted(set(self.problems)))
        assembled = {name: one for name, one in self.assembled.items() if name in self.jobs}
        use = CacheUse(self.known, self.done, self.refused)
        return Linked(
            self.jobs,
            self.compiled,
            texts,
            outputs,
            missing,
            warnings,
            linker,
            assembled,
            self.work,
            use,
            self.cache,
        )

    def failed(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def compile(self, work: list[Job], here: bool = False) -> None:
        """here: in this process, where no filter can hang or crash it."""
        weights = [job.source.size for job in work]
        # The workspace is a worker's folder for temporary files, and would become this process's.
        tools = replace(self.tools, workspace="") if here else self.tools
        run = functools.partial(recall, tools=tools, cache=self.cache, version=self.version)
        # What is only read and copied takes as long as it is large.
        limits = [self.tools.time_limit if job.chain.filters else None for job in work]
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
                    unit = Compiled(job.logical_path, None, "", 0, (), (plan.lost(job, result, self.tools),))
                else:
                    unit = result.unit
                    self.known += result.known
                    self.done += not result.known
                if unit.text is not None:
                    self.spool.put(job.key, unit.text)
                    unit = replace(unit, text=b"")  # In the spool; here only the fact that it is not the source's.
                self.compiled[job.key] = unit
                self.problems += unit.problems if job.text is None else ()
                done += 1
                self.progress("compile", done, len(work))

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
            self.problems += one.warnings
            self.problems += (assembler.located(p, one, self.compiled) for p in self.compiled[name].problems)
            self.assembled[name] = one
            if one.published:
                self.jobs[name] = one.job

    def text(self, job: Job) -> Text:
        unit = self.compiled[job.key]
        targets = tuple(resolve(unit.logical_path, r, self.published, self.config.base_url) for r in unit.references)
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
            report = report or Report(texts.keys(), self.excluded, self.work.parts)
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
                self.problems.append(report.problem(missing, weight))
        return passed

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
            data = Path(job.source.file).read_bytes()
        except OSError as error:
            raise BuildError(Problem(job.shown, 0, 0, "this file disappeared during the build")) from error
        if hashlib.sha256(data).hexdigest() != unit.digest:
            raise BuildError(Problem(job.shown, 0, 0, "this file changed during the build", "run it again"))
        return data


def _item(linked: Linked, output: Output) -> publish.Item:
    path = output.logical_path
    if output.linked or linked.compiled[path].text is not None:
        pieces: Callable[[], Iterable[bytes]] = lambda: (linked.linker.render(path),)  # noqa: E731
    else:
        pieces = functools.partial(_pieces, linked.jobs[path].source.file)
    return publish.Item(output.public_path, output.digest, output.size, pieces, linked.jobs[path].shown)


def _plain(item: publish.Item) -> variants.Plain:
    return variants.Plain(item.public_path, item.digest, item.size, functools.partial(publish.from_source, item))


def _variant_item(variant: variants.Variant) -> publish.Item:
    return publish.Item(variant.public_path, variant.packed.digest, variant.packed.size, variant.packed.pieces)


def _pieces(file: str) -> Iterator[bytes]:
    with open(file, "rb", buffering=0) as source:
        while piece := source.read(PIECE):
            yield piece


def _entry(linked: Linked, path: str, packed: Mapping[str, Sequence[variants.Variant]]) -> treaty.Entry:
    output = linked.outputs[path]
    entry: treaty.Entry = {
        "path": output.public_path,
        "integrity": fingerprint.integrity(output.digest),
        "size": output.size,
        "type": media_type(output.public_path),
    }
    if output.public_path in packed:
        entry["variants"] = {variant.coding: variant.packed.size for variant in packed[output.public_path]}
    if output.group:
        entry["group"] = "sha256-" + output.group
    if path in linked.missing:
        entry["missing"] = list(linked.missing[path])
    return entry
