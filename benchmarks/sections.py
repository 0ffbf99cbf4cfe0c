"""What is asked of whom. Contenders run in turn, A B C A B C, so that a slow spell of the machine falls on all of them."""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks import contenders, corpora, measure
from benchmarks.contenders import Bench, Contender, Job
from benchmarks.corpora import Corpus
from benchmarks.measure import ContenderError, Sample

#: With --quick, who takes longer than this for one round, in seconds, runs once; and a peer that takes half of it for a cold
#: build does not build again after that.
LONG = 12.0


@dataclass
class Row:
    """What was measured of one contender in one step. size, work: bytes of all files, and of the style sheets and scripts that
    the contender reads. values: by what was measured, a number for each run. absent: why there are none."""

    section: str
    step: str
    contender: str
    files: int = 0
    size: int = 0
    work: int = 0
    values: dict[str, list[float]] = field(default_factory=dict)
    absent: str = ""

    def add(self, sample: Sample) -> None:
        for name, value in asdict(sample).items():
            self.values.setdefault(name, []).append(value)


def middle(row: Row | None, name: str) -> float | None:
    """The median, or None where nothing was measured."""
    return statistics.median(row.values[name]) if row and row.values.get(name) else None


@dataclass(frozen=True)
class Plan:
    """How much is run. files: of the largest corpus of real files. growth: numbers of files. runs: of each contender. offline:
    without all that comes from the network."""

    files: int
    growth: tuple[int, ...]
    runs: int
    quick: bool
    offline: bool


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


# ---- builds


def corpus(bench: Bench, name: str, count: int, *, real: bool = True, size: int | None = None) -> Corpus:
    return corpora.make(name, count, bench.folder / "corpora", bench.modules if real else None, size)


def clean(job: Job) -> None:
    """Puts aside what a cold build starts without. Nothing is deleted before the end of all: for up to six minutes ext4 steps
    over the inodes of deleted files, which takes longer than to make a file (recently_deleted() in fs/ext4/ialloc.c)."""
    left = job.folder / "left"
    left.mkdir(exist_ok=True)
    for path in filter(os.path.lexists, job.clean):
        path.rename(left / str(len(os.listdir(left))))


def cold(job: Job, *, watched: bool = False) -> Sample:
    """A build that starts with neither output nor cache. Raises ContenderError where it did not do all its work."""
    clean(job)
    sample = measure.run(job.command, job.folder, watched=watched)
    count = job.count()
    if count != job.expected:
        raise ContenderError(f"{count} of {job.expected} files in the output")
    return sample


def unchanged(job: Job) -> Sample:
    """The same build again at once; counts the files that it wrote all the same."""
    before, state = _files(job.output), _state(job)
    sample = measure.run(job.command, job.folder)
    if _state(job) != state:
        raise ContenderError("nothing had changed, and it made another manifest")
    written = sum(before.get(path) != stamp for path, stamp in _files(job.output).items())
    return Sample(sample.wall, sample.processor, sample.peak, written=written)


def changed(job: Job, source: Corpus) -> Sample:
    """A build after one file has changed, which is restored."""
    before, state = _files(job.output), _state(job)
    with edited(source.folder / source.touched) as edit:
        edit(1)
        sample = measure.run(job.command, job.folder)
    if job.manifest.exists() and _state(job) == state:
        raise ContenderError("a file had changed, and it made the same manifest")
    written = sum(before.get(path) != stamp for path, stamp in _files(job.output).items())
    return Sample(sample.wall, sample.processor, sample.peak, written=written)


@contextlib.contextmanager
def edited(path: Path) -> Iterator[Callable[[int], object]]:
    """A function that changes a style sheet in a way that no minifier takes out; at the end the file is as it was."""
    text = path.read_text("utf-8")
    try:
        yield lambda number: path.write_text(text + f"\n.changed {{ order: {number} }}\n")
    finally:
        path.write_text(text)
        os.utime(path, (corpora.MODIFIED, corpora.MODIFIED))


def _state(job: Job) -> bytes:
    return job.manifest.read_bytes() if job.manifest.exists() else b""


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            status = path.stat()
            found[str(path)] = (status.st_ino, status.st_mtime_ns)
    return found


STEPS = ("cold", "unchanged", "one file changed")


def race(
    bench: Bench, plan: Plan, section: str, who: Sequence[Contender], source: Corpus, steps: Collection[str] = STEPS
) -> list[Row]:
    """Rows of all contenders that can run, in the order of the steps; those that cannot say why."""
    rows = {(one.name, step): Row(section, step, one.name, len(source.files), source.size) for one in who for step in steps}
    running, jobs = {}, []
    for one in who:
        job = None if plan.offline and one.needs else one.job(bench, source)
        if job is None:
            reason = "needs the network" if plan.offline and one.needs else "nothing to do on these files"
        else:
            reason = _warm(bench, one)
        for step in steps:
            rows[one.name, step].work = job.work if job else 0
            rows[one.name, step].absent = reason or ("" if one.remembers or step == "cold" else "it always does all of it")
        if job and not reason:
            running[one.name] = (one, job)
            jobs.append(job)
    for number in range(plan.runs):
        for name, (one, job) in list(running.items()):
            begin = time.monotonic()
            try:
                _round(one, job, source, {step: rows[name, step] for step in steps}, quick=plan.quick)
            except ContenderError as error:
                say(f"{section}: {name}: {error}")
                for step in steps:
                    rows[name, step].absent = str(error).replace(str(bench.folder), "")[-200:]
                del running[name]
                continue
            took = time.monotonic() - begin
            say(f"{section}: {name}, round {number + 1}: {took:.1f} s")
            if plan.quick and took > LONG:
                del running[name]
    for job in jobs:
        clean(job)
    return list(rows.values())


def _warm(bench: Bench, contender: Contender) -> str:
    """One build of a few files: its code is compiled and in the file cache. Why it cannot, or ""."""
    job = contender.job(bench, corpus(bench, "warm", 30, real=False))
    try:
        if job is not None:
            measure.run(job.command, job.folder)
    except ContenderError as error:
        return str(error)[:200]
    return ""


def _round(contender: Contender, job: Job, source: Corpus, rows: dict[str, Row], *, quick: bool) -> None:
    first = cold(job)
    rows["cold"].add(first)
    if not contender.remembers or len(rows) == 1:
        return
    if quick and first.wall > LONG / 2 and not contender.name.startswith("assetbuild"):
        for step in STEPS[1:]:
            rows[step].absent = "left out by --quick"
        return
    rows["unchanged"].add(unchanged(job))
    if contender.whole_seconds:
        time.sleep(1.1)
    rows["one file changed"].add(changed(job, source))


# ---- what is built


def plain(bench: Bench, plan: Plan) -> list[Row]:
    who = (contenders.LOOP, contenders.PLAIN, contenders.DJANGO)
    return race(bench, plan, "plain", who, corpus(bench, "main", plan.files))


def minified(bench: Bench, plan: Plan) -> list[Row]:
    who = (contenders.FILTERED, contenders.TRANSFORM, contenders.WEBASSETS, contenders.BUNDLE, contenders.VITE)
    return race(bench, plan, "minified", who, corpus(bench, "main", plan.files))


def compressed(bench: Bench, plan: Plan) -> list[Row]:
    """On a tenth of the files: brotli at its best takes seconds for a megabyte."""
    who = (contenders.COMPRESSED, contenders.WHITENOISE, contenders.COMPRESSORS, contenders.COMPRESSORS_TOGETHER)
    source = corpus(bench, "tenth", plan.files // 10)
    return race(bench, plan, "compressed", who, source)


def memory(bench: Bench, plan: Plan) -> list[Row]:
    """Runs of their own, since looking takes time. The last two differ in one file, of 4 and of 400 MB."""
    main = corpus(bench, "main", plan.files)
    who = [contenders.LOOP, contenders.PLAIN, contenders.FILTERED, contenders.TRANSFORM]
    who += [] if plan.quick else [contenders.DJANGO, contenders.WEBASSETS, contenders.VITE]
    asked = [(f"{len(main.files):,} files", one, main) for one in who]
    for megabytes in (4, 400):
        source = corpus(bench, f"one of {megabytes} MB", 40, real=False, size=megabytes * 1_000_000)
        asked.append((f"{len(source.files)} files, {megabytes} MB", contenders.PLAIN, source))
    rows = []
    for step, one, source in asked:
        row = Row("memory", step, one.name, len(source.files), source.size)
        job = None if plan.offline and one.needs else one.job(bench, source)
        try:
            if job is None:
                raise ContenderError("needs the network" if plan.offline else "nothing to do on these files")
            row.add(cold(job, watched=True))
            clean(job)
        except ContenderError as error:
            row.absent = str(error)[:200]
        rows.append(row)
    return rows


def growth(bench: Bench, plan: Plan) -> list[Row]:
    """Generated files only, so that the mixture is the same at each size."""
    rows = []
    for count in plan.growth:
        source = corpus(bench, f"generated {count}", count, real=False)
        less = Plan(plan.files, plan.growth, 1 if count > 10_000 else plan.runs, plan.quick, plan.offline)
        who = (contenders.LOOP, contenders.PLAIN, contenders.FILTERED)
        rows += race(bench, less, "growth", who, source, ("cold",))
    return rows
