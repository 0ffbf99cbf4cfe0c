"""What came of a run, as Markdown: medians, the least and the largest, ratios. Every figure is of the run that it is given."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks import targets
from benchmarks.sections import Row, middle

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
    parts.append("### Figures to reach\n\n" + _grid(("work", "at most", "wall", "processor", "reached"), targets.lines(rows)))
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
        lines = [(row.contender, row.step, *_or_absent(row, _only(row), _runs(row))) for row in rows]
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


def _amount(row: Row, name: str, digits: int) -> str:
    values = row.values.get(name)
    if not values:
        return ""
    text = f"{statistics.median(values):,.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def _only(row: Row) -> str:
    return "".join(_amount(row, name, 1) for name in row.values)


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
