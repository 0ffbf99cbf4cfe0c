"""What happened: for people as lines on standard error, for machines as plain values. Nothing here decides anything, and no
control character of a file's name or content reaches the terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Final, Literal, TextIO

from assetbuild.errors import Problem, printable

if TYPE_CHECKING:
    from assetbuild.cache import Pruned
    from assetbuild.explain import Explanation
    from assetbuild.result import Result
    from assetbuild.runtime.manifest import Entry, Manifest

Style = Literal["error", "warning", "good", "faint", "bold"]

# SGR parameters (ECMA-48, 8.3.117).
_CODES: Final[Mapping[Style, str]] = {"error": "31;1", "warning": "33;1", "good": "32", "faint": "2", "bold": "1"}


def is_terminal(stream: TextIO) -> bool:
    """Whether a person is looking at this stream as it is written."""
    try:
        return stream.isatty()
    except ValueError:  # It is closed.
        return False


def is_coloured(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether to write colours: on a terminal, unless NO_COLOR is set (https://no-color.org); elsewhere if FORCE_COLOR is.

    A variable that is empty counts as not set.
    """
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (is_terminal(stream) and environ.get("TERM") != "dumb")


class Reporter:
    """Writes lines for people to a stream; quiet: errors only; verbose: also what only the curious want to know.

    A stream that nobody reads any more is no reason to fail: what is written to it is lost.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        quiet: bool = False,
        verbose: bool = False,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.quiet = quiet
        self.verbose = verbose
        self.coloured = is_coloured(self.stream, environ)
        self._bar = False
        self._deaf = False

    def line(self, text: str) -> None:
        """One line, whatever the text holds."""
        self._write(printable(text) + "\n")

    def text(self, text: str) -> None:
        """Several lines, as they are but for control characters."""
        self._write("\n".join(map(printable, text.splitlines())) + "\n")

    def problems(self, problems: Iterable[Problem]) -> None:
        """One line each, errors before warnings, sorted; then how many, where there are several."""
        problems = in_order(problems)
        shown = [problem for problem in problems if problem.severity == "error" or not self.quiet]
        for problem in shown:
            text = str(problem)
            word = "warning: " if problem.severity == "warning" else ""
            self._write(self._style(word, "warning") + self._pointed(problem, text) + "\n")
        if len(shown) > 1:
            self._write(self._style(count(shown), "bold") + "\n")

    def summary(self, result: Result, shown_output: str) -> None:
        """A few lines: what was built, how much of it, how long it took, the largest; with verbose each file as well."""
        if self.quiet:
            return
        if self.verbose:
            for path in result.written:
                self.line(f"written {path}")
            for path in result.removed:
                self.line(f"removed {path}")
            if not result.use.refused:
                self.line(f"the cache knew {result.use.known} of {result.use.known + result.use.made} results")
        if result.use.refused:
            self.line(f"the cache is not used: {result.use.refused}; ASSETBUILD_CACHE_DIR names another folder")
        if result.use.rejected:
            self.line(f"{_entries(result.use.rejected)} of the cache could not be believed, and the work was done anew")
        numbers = f"{amount(result.files, 'file')}, {size(result.bytes)}, {duration(result.seconds)}"
        if result.unchanged:
            done = "nothing changed"
        else:
            done = f"{len(result.written)} written" + (f", {len(result.removed)} removed" if result.removed else "")
        self._write(self._style(printable(shown_output), "good") + f": {numbers}; {done}\n")
        if result.files > 1 and not result.unchanged:
            self.line("largest: " + ", ".join(f"{path} {size(number)}" for path, number in result.largest))
        if result.carried:
            self.line(f"of earlier releases: {amount(result.carried, 'file')}")
        if not result.unchanged and result.compressed:
            totals = ", ".join(f"{coding} {size(number)}" for coding, number in result.compressed.items())
            self.line(f"compressed: {size(result.compressible)} to {totals}")

    def bar(self, text: str) -> None:
        """Text that stays on the terminal's last line until anything else is written, or `clear`."""
        self._write(text)
        self._bar = True

    def clear(self) -> None:
        """Takes the bar away."""
        if self._bar:
            self._write("")

    def _style(self, text: str, style: Style) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.coloured and text else text

    def _pointed(self, problem: Problem, text: str) -> str:
        """The line with its place in bold, which is what the eye looks for."""
        place = printable(problem.file) + (f":{problem.line}:{problem.column}" if problem.line else "")
        if not place or not text.startswith(place):
            return text
        return self._style(place, "error" if problem.severity == "error" else "bold") + text[len(place) :]

    def _write(self, text: str) -> None:
        if self._deaf:
            return
        try:
            if self._bar:
                self._bar = False
                self.stream.write("\r\x1b[K")
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            self._deaf = True


class Progress:
    """A bar on a terminal, for what takes longer than a second; nothing elsewhere. Called with a stage and its counts."""

    #: Seconds before the bar appears, and between two drawings of it.
    PATIENCE = 1.0
    INTERVAL = 0.1
    WIDTH = 30

    def __init__(self, reporter: Reporter, *, shown: bool | None = None) -> None:
        """shown: whether there is a bar; without it, whether the reporter writes to a terminal and is not quiet."""
        self.reporter = reporter
        self.shown = is_terminal(reporter.stream) and not reporter.quiet if shown is None else shown
        self.next = time.monotonic() + self.PATIENCE

    def __call__(self, stage: str, done: int, total: int) -> None:
        if not self.shown:
            return
        now = time.monotonic()
        if now >= self.next:
            self.next = now + self.INTERVAL
            self.reporter.bar(self.drawn(stage, done, total))

    def drawn(self, stage: str, done: int, total: int) -> str:
        """The bar as text: `compile  [######------] 450/1000`."""
        filled = self.WIDTH * min(done, total) // total if total else 0
        return f"{stage:8} [{'#' * filled}{'-' * (self.WIDTH - filled)}] {done}/{total}"


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Errors before warnings, each by file and place."""
    return sorted(problems, key=lambda problem: (problem.severity != "error", problem))


def count(problems: Sequence[Problem]) -> str:
    """`2 errors, 1 warning`."""
    errors = sum(problem.severity == "error" for problem in problems)
    parts = ((errors, "error"), (len(problems) - errors, "warning"))
    return ", ".join(amount(number, word) for number, word in parts if number) or "no problems"


def amount(number: int, word: str) -> str:
    """`1 file`, `10,000 files`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """Bytes in units of 1000 with three digits: `999 B`, `10.2 kB`, `150 MB`."""
    if number < 1000:
        return f"{number} B"
    value = float(number)
    unit = ""
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            break
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


def duration(seconds: float) -> str:
    """`85 ms`, `1.2 s`, `2 min 5 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def rebuilt(result: Result, sources: Sequence[str], seconds: float, now: time.struct_time) -> str:
    """A line of `watch`: `12:03:04 css/app.css: 2 written, 1 removed, 34 ms`."""
    what = ", ".join(sources[:3]) + (f" and {amount(len(sources) - 3, 'more file')}" if len(sources) > 3 else "")
    if len(sources) == result.files or not sources:
        what = amount(result.files, "file")
    done = f"{len(result.written)} written" + (f", {len(result.removed)} removed" if result.removed else "")
    return f"{time.strftime('%H:%M:%S', now)} {what}: {done}, {duration(seconds)}"


# ---- results, for standard output


def listed(assets: Mapping[str, Entry], *, aligned: bool) -> Iterable[str]:
    """A line for each asset: logical path, public path, size, sizes of variants.

    aligned: for people, in columns and human units; else with tabs and in bytes.
    """
    rows = []
    for path, entry in sorted(assets.items()):
        variants = sorted(entry.get("variants", {}).items())
        unit = size if aligned else str
        rows.append((printable(path), printable(entry["path"]), unit(entry["size"]), *(f"{k} {unit(v)}" for k, v in variants)))
    if not aligned:
        return ("\t".join(row) for row in rows)
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    return (f"{a:{widths[0]}}  {b:{widths[1]}}  {c:>{widths[2]}}  {'  '.join(rest)}".rstrip() for a, b, c, *rest in rows)


def explained(explanation: Explanation) -> Iterable[str]:
    """What is known of an asset, a line each."""
    e = explanation
    yield f"{e.logical_path} → {e.public_path}"
    if e.source:
        yield f"  source      {e.source} (root {e.root})"
    for number, part in enumerate(e.parts):
        yield f"  {'' if number else 'parts':<11} {part}"
    yield f"  filters     {', '.join(e.filters) or 'none'}"
    yield f"  size        {size(e.size)}" + (f", {size(e.size_before)} before" if e.size != e.size_before else "")
    for label, lines in (
        ("refers to", [_mention(e.source, m.line, m.column, m.text, m.target) for m in e.refers_to]),
        ("referred by", [f"{path}:{line}:{column}" if line else path for path, line, column in e.referred_by]),
        ("cycle", list(e.group)),
    ):
        for number, line in enumerate(lines or (["nothing"] if label != "cycle" else [])):
            yield f"  {'' if number else label:11} {line}"
    yield f"  why         {e.why}"
    for note in in_order(e.notes):
        yield f"  {note.severity:11} {note}"


def _mention(source: str, line: int, column: int, text: str, target: str | None) -> str:
    place = f"{source}:{line}:{column}: " if line else ""
    return f'{place}"{text}"' + (f" → {target}" if target else " (no asset)")


# ---- the same for machines


def problem_data(problem: Problem) -> dict[str, object]:
    """A problem as plain values: file, line, column, message, hint, severity."""
    return {item.name: getattr(problem, item.name) for item in fields(problem)}


def problems_data(problems: Iterable[Problem]) -> list[dict[str, object]]:
    """Problems as plain values, errors before warnings, sorted."""
    return [problem_data(problem) for problem in in_order(problems)]


def failure_data(problems: Iterable[Problem]) -> dict[str, object]:
    """The document of a command that failed."""
    return {"ok": False, "problems": problems_data(problems)}


def result_data(result: Result, shown_output: str) -> dict[str, object]:
    """The document of a build that succeeded; `problems` are its warnings, sizes are in bytes, times in seconds."""
    return {
        "ok": True,
        "output": shown_output,
        "digest": result.digest,
        "base_url": result.base_url,
        "files": result.files,
        "bytes": result.bytes,
        "compressed": dict(result.compressed),
        "written": list(result.written),
        "removed": list(result.removed),
        "carried": result.carried,
        "unchanged": result.unchanged,
        "cache": {
            "known": result.use.known,
            "made": result.use.made,
            "rejected": result.use.rejected,
            "refused": result.use.refused,
        },
        "seconds": round(result.seconds, 3),
        "problems": problems_data(result.warnings),
    }


def manifest_data(manifest: Manifest, shown_output: str) -> dict[str, object]:
    """The document of `list`: what the manifest says."""
    return {"ok": True, "output": shown_output, **manifest, "problems": []}


def cached(pruned: Pruned, folder: str) -> str:
    """What a cache holds, or has lost, on a line."""
    text = f"{folder}: {_entries(pruned.kept)}, {size(pruned.size)}"
    return text + (f"; {_entries(pruned.removed)}, {size(pruned.freed)} removed" if pruned.removed else "")


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


def cache_data(pruned: Pruned, folder: str) -> dict[str, object]:
    """The document of `cache`; sizes are in bytes."""
    counts = {"kept": pruned.kept, "removed": pruned.removed, "size": pruned.size, "freed": pruned.freed}
    return {"ok": True, "folder": folder, **counts, "problems": []}


def explanation_data(explanation: Explanation) -> dict[str, object]:
    """The document of `explain`."""
    e = explanation
    return {
        "ok": True,
        "logical_path": e.logical_path,
        "public_path": e.public_path,
        "source": e.source,
        "root": e.root,
        "parts": list(e.parts),
        "filters": list(e.filters),
        "size_before": e.size_before,
        "size": e.size,
        "refers_to": [{"line": m.line, "column": m.column, "text": m.text, "target": m.target} for m in e.refers_to],
        "referred_by": [{"logical_path": path, "line": line, "column": column} for path, line, column in e.referred_by],
        "group": list(e.group),
        "why": e.why,
        "problems": problems_data(e.notes),
    }
