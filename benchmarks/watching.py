"""How long it takes from a saved file to the new manifest, or to the new output of a tool that writes none."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import contenders, corpora, measure
from benchmarks.contenders import Bench, Contender, Job
from benchmarks.corpora import Corpus
from benchmarks.measure import ContenderError
from benchmarks.sections import Plan, Row, clean, corpus, edited, say


def watch(bench: Bench, plan: Plan) -> list[Row]:
    """From a saved file to the new manifest, or the new output file of a tool that writes none."""
    source = corpus(bench, "main", plan.files)
    rows = []
    for one in (contenders.PLAIN, contenders.FILTERED, contenders.TRANSFORM, contenders.BUNDLE, contenders.VITE):
        job = None if plan.offline and one.needs else one.job(bench, source)
        row = Row(
            "watch", "milliseconds from save to manifest", one.name, len(source.files), source.size, job.work if job else 0
        )
        rows.append(row)
        if job is None:
            row.absent = "needs the network"
            continue
        try:
            row.values["milliseconds"] = _latencies(job, source, one, 10 if plan.quick else 20)
        except ContenderError as error:
            printed = (job.folder / "watch.txt").read_text("utf-8", "replace").strip().rpartition("\n")[2]
            row.absent = f"{error}: {printed}".replace(str(bench.folder), "")[:200]
        say(f"watch: {one.name}: {row.absent or statistics.median(row.values['milliseconds'])}")
        clean(job)
    return rows


def _latencies(job: Job, source: Corpus, contender: Contender, times: int) -> list[float]:
    bundled = job.work != source.code_size
    touched = source.folder / (corpora.SHEETS[0] if bundled else source.touched)
    # esbuild's list of outputs is written at its end only; its names have no hashes here.
    seen = job.manifest if job.manifest.suffix == ".json" and "esbuild" not in contender.name else None
    seen = seen or job.output / touched.relative_to(source.folder)
    clean(job)
    with (job.folder / "watch.txt").open("wb") as printed, edited(touched) as edit:
        process = subprocess.Popen(
            job.watch,
            cwd=job.folder,
            env=measure.environment(),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
        try:
            _settled(process, seen)
            return [_latency(process, seen, edit, number) for number in range(1, times + 1)]
        finally:
            measure.end(process)


def _latency(process: subprocess.Popen[bytes], seen: Path, edit: Callable[[int], object], number: int) -> float:
    # Uneven, so that no period of the watcher's falls together with it.
    time.sleep(0.7 + 0.137 * number % 0.5)
    # Some empty their output while they build: what is not there yet is waited for.
    while not (stamp := _stamp(seen)):
        time.sleep(0.01)
    before = seen.read_bytes()
    begin = time.monotonic()
    edit(number)
    while time.monotonic() < begin + 60:
        now = _stamp(seen)
        if now and now != stamp:
            taken = (time.monotonic() - begin) * 1000
            with contextlib.suppress(FileNotFoundError):
                if seen.read_bytes() not in (before, b""):
                    return taken
        if process.poll() is not None:
            raise ContenderError(f"it ended by itself, with status {process.returncode}")
        time.sleep(0.001)
    raise ContenderError("no new output within a minute")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _settled(process: subprocess.Popen[bytes], seen: Path) -> None:
    """Waits until the first output is there and has been left alone for two seconds."""
    stamp, since, begin = None, time.monotonic(), time.monotonic()
    while time.monotonic() < begin + 300:
        if process.poll() is not None:
            raise ContenderError(f"it ended with status {process.returncode}")
        now = _stamp(seen)
        if now != stamp:
            stamp, since = now, time.monotonic()
        if stamp and time.monotonic() > since + 2:
            return
        time.sleep(0.05)
    raise ContenderError("no output within five minutes")
