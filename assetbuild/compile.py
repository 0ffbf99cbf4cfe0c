"""The build, told in order: sources, compiled one by one; references, resolved all at once; names, taken from final bytes;
files, then the manifest. This room alone knows the order."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assetbuild import fingerprint, plan, pool, publish, sources
from assetbuild.config import Config
from assetbuild.errors import BuildError, Problem
from assetbuild.link import MISSING, Linker, Output, Text, resolve
from assetbuild.media_types import media_type
from assetbuild.missing import Missing, Report, severity
from assetbuild.runtime import manifest as treaty
from assetbuild.spool import Spool
from assetbuild.unit import PIECE, Compiled, Job, Tools, compile_unit, places

#: progress(stage, done, total); the stages are "compile", "link" and "publish".
Progress = Callable[[str, int, int], None]


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


@dataclass(frozen=True, slots=True)
class Result:
    """What a build did. written: files written; removed: files that nothing named any more; unchanged: nothing was touched;
    bytes: of all files of the artifact; seconds: on the wall."""

    output: Path
    manifest: treaty.Manifest
    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: bool
    bytes: int
    warnings: tuple[Problem, ...]
    seconds: float


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


def compile(config: Config, *, jobs: int | None = None, progress: Progress = _silent) -> Result:  # noqa: A001 (the word for it)
    """Build the artifact. jobs: worker processes at most; default, the cores.

    Raises ConfigError and BuildError; the artifact is then as it was.
    """
    started = time.monotonic()
    display = plan.shown(config, str(config.output))
    publish.owned(config.output, display)  # Refused before the work, not after it.
    with link(config, jobs=jobs, progress=progress) as linked:
        entries = {path: _entry(linked, path) for path in sorted(linked.outputs)}
        files = [(output.digest, output.public_path) for output in linked.outputs.values()]
        manifest: treaty.Manifest = {
            "version": treaty.VERSION,
            "mode": "production",
            "digest": treaty.digest(files),
            "base_url": config.base_url,
            "assets": entries,
            "previous": [],
        }
        items = [_item(linked, output) for output in linked.outputs.values()]
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
        sum(item.size for item in items),
        linked.warnings,
        time.monotonic() - started,
    )


@contextlib.contextmanager
def link(config: Config, *, jobs: int | None = None, progress: Progress = _silent) -> Iterator[Linked]:
    """Compile and link everything; nothing is written but to a temporary file, which lives as long as the context."""
    tree = sources.scan(
        config.sources,
        exclude=config.exclude,
        keep_names=config.keep_names,
        follow_symlinks=config.follow_symlinks,
        display=functools.partial(plan.shown, config),
    )
    tools = plan.tools(config)
    work = plan.jobs(tree.sources, config)
    with Spool() as spool:
        compiled = _compile(list(work.values()), tools, spool, jobs, progress)
        texts = {path: _text(work[path], unit, compiled, config) for path, unit in compiled.items()}
        passed, problems = _missing(work, compiled, texts, config, tree.excluded)
        problems = [*(p for unit in compiled.values() for p in unit.problems), *problems]
        if any(problem.severity == "error" for problem in problems):
            raise BuildError(problems)
        linker = Linker(texts, functools.partial(_read, work, compiled, spool))
        outputs = linker.link(lambda done: progress("link", done, len(texts)))
        plan.distinct(outputs.values(), work)
        yield Linked(work, compiled, texts, outputs, passed, tuple(sorted(problems)), linker)


def _compile(work: list[Job], tools: Tools, spool: Spool, jobs: int | None, progress: Progress) -> dict[str, Compiled]:
    results: dict[str, Compiled] = {}
    weights = [job.source.size for job in work]
    runs = pool.run(functools.partial(compile_unit, tools=tools), work, weights=weights, jobs=jobs, time_limit=tools.time_limit)
    with contextlib.closing(runs):  # The workers end here, whatever ends the loop.
        for number, unit in runs:
            job = work[number]
            if isinstance(unit, pool.Lost):
                unit = Compiled(job.logical_path, None, "", 0, (), (plan.lost(job, unit, tools),))
            elif unit.text is not None:
                spool.put(job.logical_path, unit.text)
                unit = replace(unit, text=b"")  # In the spool; here only the fact that it is not the source's.
            results[job.logical_path] = unit
            progress("compile", len(results), len(work))
    return {job.logical_path: results[job.logical_path] for job in work}


def _text(job: Job, unit: Compiled, tree: Collection[str], config: Config) -> Text:
    targets = tuple(resolve(unit.logical_path, r, tree, config.base_url) for r in unit.references)
    return Text(unit.logical_path, unit.digest, unit.size, unit.references, targets, job.source.kept)


def _missing(
    work: Mapping[str, Job],
    compiled: Mapping[str, Compiled],
    texts: Mapping[str, Text],
    config: Config,
    excluded: Collection[str],
) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """What may stay missing, by the file that refers; and the messages for what is reported."""
    passed: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    report: Report | None = None
    for path, text in texts.items():
        absent = [i for i, target in enumerate(text.targets) if target == MISSING]
        if not absent:
            continue
        report = report or Report(texts.keys(), excluded)
        references = text.references
        # A missing source map's comment goes, so nothing is left that refers to it.
        stays = {references[i].path for i in absent if references[i].kind != "sourcemap"}
        if stays:
            passed[path] = tuple(sorted(stays))
        at = places(work[path], compiled[path])
        for i in absent:
            weight = severity(work[path].source.path, references[i], config.missing)
            if weight is not None:
                problems.append(report.problem(Missing(path, work[path].shown, *at[i], references[i]), weight))
    return passed, problems


def _read(work: Mapping[str, Job], compiled: Mapping[str, Compiled], spool: Spool, path: str) -> bytes:
    if compiled[path].text is not None:
        return spool.get(path)
    try:
        data = Path(work[path].source.file).read_bytes()
    except OSError as error:
        raise BuildError(Problem(work[path].shown, 0, 0, "this file disappeared during the build")) from error
    if hashlib.sha256(data).hexdigest() != compiled[path].digest:
        raise BuildError(Problem(work[path].shown, 0, 0, "this file changed during the build", "run it again"))
    return data


def _item(linked: Linked, output: Output) -> publish.Item:
    path = output.logical_path
    if output.linked or linked.compiled[path].text is not None:
        pieces: Callable[[], Iterable[bytes]] = lambda: (linked.linker.render(path),)  # noqa: E731
    else:
        pieces = functools.partial(_pieces, linked.jobs[path].source.file)
    return publish.Item(output.public_path, output.digest, output.size, pieces)


def _pieces(file: str) -> Iterator[bytes]:
    with open(file, "rb", buffering=0) as source:
        while piece := source.read(PIECE):
            yield piece


def _entry(linked: Linked, path: str) -> treaty.Entry:
    output = linked.outputs[path]
    entry: treaty.Entry = {
        "path": output.public_path,
        "integrity": fingerprint.integrity(output.digest),
        "size": output.size,
        "type": media_type(output.public_path),
    }
    if output.group:
        entry["group"] = "sha256-" + output.group
    if path in linked.missing:
        entry["missing"] = list(linked.missing[path])
    return entry
