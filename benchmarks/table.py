"""What came of a run, as Markdown: medians, the least and the largest, ratios. Every figure is of the run that it is given."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks import contenders
from benchmarks.sections import Row

BEGIN, END = "<!-- figures: python -m benchmarks --docs -->", "<!-- end of the figures -->"

TITLES = {
    "plain": "Every file copied, hashed and linked; no filters, nothing compressed",
    "minified": "Style sheets and scripts minified; nothing compressed",
    "compressed": "Compressed; no filters",
    "memory": "Memory of a cold build, all processes together",
    "growth": "Growth: cold builds of generated files",
    "lookups": "Run time",
    "watch": "Watching",
}


def page(text: str, figures: str) -> str:
    """A page with its figures replaced. Raises ValueError where it has no place for them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there are no lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{figures}\n{END}{after}"


def figures(rows: Sequence[Row], facts: Mapping[str, Any]) -> str:
    """All of it. facts: what is told of the machine and the versions."""
    parts = ["\n".join(f"- {name}: {value}" for name, value in facts.items())]
    parts.append("### Figures to reach\n\n" + _grid(("work", "at most", "wall", "processor", "reached"), targets(rows)))
    for section, title in TITLES.items():
        ours = [row for row in rows if row.section == section]
        if ours:
            parts.append(f"### {title}\n\n" + _section(section, ours))
    return "\n\n".join(parts) + "\n"


def _section(section: str, rows: Sequence[Row]) -> str:
    if section == "memory":
        lines = [(row.contender, row.step, *_or_absent(row, _amount(row, "tree", 0), _amount(row, "peak", 0))) for row in rows]
        return _grid(("", "corpus", "all processes, MB", "the largest process, MB"), lines)
    if section == "growth":
        lines = [(row.contender, f"{row.files:,}", f"{row.size / 1e6:.0f}", *_growth(row)) for row in rows]
        return _grid(("", "files", "MB", "wall s", "processor s", "wall ms a file", "runs"), lines)
    if section in ("lookups", "watch"):
        unit = ("nanoseconds", "milliseconds")
        lines = [(row.contender, row.step, *_or_absent(row, *(_amount(row, name, 1) for name in unit if name in row.values)), _runs(row)) for row in rows]  # fmt: skip
        return _grid(("", "what", "median (least–largest)", "runs"), lines)
    return "\n\n".join(
        _step(step, [row for row in rows if row.step == step]) for step in dict.fromkeys(row.step for row in rows)
    )


def _step(step: str, rows: Sequence[Row]) -> str:
    first = next((row for row in rows if row.contender.startswith("assetbuild") and row.values), None)
    a_megabyte = rows[0].section == "minified"
    heads = [f"{step}, {rows[0].files:,} files, {rows[0].size / 1e6:.0f} MB", "wall s", "ratio", "processor s", "ratio"]
    heads += ["MB of CSS and JS", "wall ms a MB", "processor ms a MB"] if a_megabyte else []
    lines = []
    for row in rows:
        cells = [row.contender]
        for name in ("wall", "processor"):
            cells += [_amount(row, name, 2), _ratio(row, first, name, a_megabyte)]
        if a_megabyte:
            cells += [f"{row.work / 1e6:.1f}", *(_each_megabyte(row, name) for name in ("wall", "processor"))]
        written = [count for count in row.values.get("written", ()) if count >= 0]
        cells += [_amount(row, "peak", 0), f"{max(written):.0f}" if written else "", _runs(row)]
        lines.append((row.contender, *_or_absent(row, *cells[1:])))
    return _grid((*heads, "largest process, MB", "files written", "runs"), lines)


def _grid(heads: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    body = [f"| {' | '.join([*line, *('' for _ in heads)][: len(heads)])} |" for line in (list(line) for line in lines)]
    return "\n".join([f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads), *body])


# ---- cells


def middle(row: Row | None, name: str) -> float | None:
    """The median, or None where nothing was measured."""
    return statistics.median(row.values[name]) if row and row.values.get(name) else None


def _amount(row: Row, name: str, digits: int) -> str:
    values = row.values.get(name)
    if not values:
        return ""
    text = f"{statistics.median(values):,.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def _ratio(row: Row, first: Row | None, name: str, a_megabyte: bool) -> str:
    """How many times what assetbuild took."""
    ours, theirs = middle(first, name), middle(row, name)
    if first is None or not ours or theirs is None:
        return ""
    return f"{theirs / ours * (first.work / row.work if a_megabyte else 1):.2f}"


def _each_megabyte(row: Row, name: str) -> str:
    value = middle(row, name)
    return "" if value is None or not row.work else f"{value / row.work * 1e9:.0f}"


def _growth(row: Row) -> tuple[str, ...]:
    wall = middle(row, "wall")
    each = "" if wall is None else f"{wall / row.files * 1000:.2f}"
    return _or_absent(row, _amount(row, "wall", 2), _amount(row, "processor", 2), each, _runs(row))


def _runs(row: Row) -> str:
    return str(max((len(values) for values in row.values.values()), default=0))


def _or_absent(row: Row, *cells: str) -> tuple[str, ...]:
    return (f"not run: {row.absent}".replace("|", "/").replace("\n", " "),) if row.absent else cells


# ---- the contract's figures


def targets(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """A line for each figure to reach: what it is, what it may be at most, what it was. What was not run says so."""
    found = {(row.section, row.step, row.contender): row for row in rows if not row.absent}

    def value(section: str, step: str, contender: contenders.Contender | str, name: str, *, each: bool = False) -> float | None:
        row = found.get((section, step, contender if isinstance(contender, str) else contender.name))
        amount = middle(row, name)
        return amount / row.work * 1e9 if each and row and amount is not None else amount

    def line(work: str, most: float, wall: float | None, processor: float | None, unit: str, digits: int) -> tuple[str, ...]:
        shown = ["not run" if one is None else f"{one:,.{digits}f}{unit}" for one in (wall, processor)]
        if processor is None and wall is not None:
            shown[1] = ""
        return (work, f"{most:,.{digits}f}{unit}", *shown, "" if wall is None else "yes" if wall <= most else "no")

    def pair(section: str, step: str, contender: contenders.Contender, *, each: bool = False) -> list[float | None]:
        return [value(section, step, contender, name, each=each) for name in ("wall", "processor")]

    def over(upper: Sequence[float | None], lower: Sequence[float | None]) -> list[float | None]:
        return [a / b if a is not None and b else None for a, b in zip(upper, lower, strict=True)]

    ratios = over(pair("plain", "cold", contenders.PLAIN), pair("plain", "cold", contenders.LOOP))
    yield line("cold, no filters: times the plain loop", 2, ratios[0], ratios[1], " ×", 2)
    ours, theirs = (pair("minified", "cold", one, each=True) for one in (contenders.FILTERED, contenders.TRANSFORM))
    ratios = over(ours, theirs)
    yield line("cold, built-in filters, a MB of CSS and JS: times `esbuild --minify`", 1, ratios[0], ratios[1], " ×", 2)
    for section, one in (("plain", contenders.PLAIN), ("minified", contenders.FILTERED)):
        what = one.name.partition(", ")[2]
        still, after = (pair(section, step, one) for step in ("unchanged", "one file changed"))
        yield line(f"nothing changed, {what}", 0.3, still[0], still[1], " s", 2)
        more = [b - a if a is not None and b is not None else None for a, b in zip(still, after, strict=True)]
        yield line(f"one file changed, {what}: above that", 0.1, more[0], more[1], " s", 2)
    alone = value("compressed", "cold", contenders.COMPRESSORS, "processor")
    built = pair("compressed", "cold", contenders.COMPRESSED)
    shared = alone / _cores() if alone else None
    ratios = over(built, (shared, alone))
    yield line("compressed, cold: times the compressors' own time, by cores", 1.1, ratios[0], ratios[1], " ×", 2)
    saved = value("watch", "milliseconds from save to manifest", contenders.PLAIN, "milliseconds")
    yield line("watch: from a saved file to the new manifest", 50, saved, None, " ms", 0)
    yield line("`Assets.url()`", 150, value("lookups", "nanoseconds a call", "assetbuild, Assets.url()", "nanoseconds"), None, " ns", 0)  # fmt: skip
    imported = value("lookups", "milliseconds to import", "from assetbuild import Assets", "milliseconds")
    yield line("`from assetbuild import Assets`, above the bare interpreter", 10, imported, None, " ms", 1)
    yield from _memory(rows, line)
    yield from _linear(rows, line)


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0))


def _memory(rows: Sequence[Row], line: Any) -> Iterator[tuple[str, ...]]:
    trees = [(row, middle(row, "tree")) for row in rows if row.section == "memory" and row.contender.startswith("assetbuild")]
    for row, tree in trees:
        if " files," not in row.step:
            yield line(f"memory, {row.step}, {row.contender.partition(', ')[2]}", 200, tree, None, " MB", 0)
    small, large = ([tree for row, tree in trees if row.step.endswith(end)] for end in (", 4 MB", ", 400 MB"))
    if small and large and small[0] is not None and large[0] is not None:
        yield line("memory: more with a file a hundred times as large", 20, large[0] - small[0], None, " MB", 0)


def _linear(rows: Sequence[Row], line: Any) -> Iterator[tuple[str, ...]]:
    for one in (contenders.PLAIN, contenders.FILTERED):
        ours = [row for row in rows if row.section == "growth" and row.contender == one.name and row.values]
        if len(ours) > 1:
            first, last = min(ours, key=lambda row: row.files), max(ours, key=lambda row: row.files)
            ratios = [(middle(last, name) or 0) / last.files / ((middle(first, name) or 1) / first.files) for name in ("wall", "processor")]  # fmt: skip
            what = f"growth, {one.name.partition(', ')[2]}: a file of {last.files:,}, times one of {first.files:,}"
            yield line(what, 1, ratios[0], ratios[1], " ×", 2)
