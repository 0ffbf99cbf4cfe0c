"""The figures that assetbuild is to reach, and what they were in a run; in wall time and in processor time, by the medians."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from benchmarks import contenders
from benchmarks.contenders import Contender
from benchmarks.sections import Row, middle

#: Wall and processor time, or what is made of them; None where it was not run.
Pair: TypeAlias = tuple[float | None, float | None]
Line: TypeAlias = tuple[str, ...]

#: MB that a file of 400 MB may cost more than one of 4 MB, and what a file of the largest corpus may take, compared with one of
#: the smallest: memory that does not grow, and time that is linear, as far as one measures that.
_LARGER, _LINEAR = 20, 1.1


def lines(rows: Sequence[Row]) -> Iterator[Line]:
    """What it is, what it may be at most, what it was by wall and by processor, and whether the wall reaches it."""
    plain = _ratio(_of(rows, "plain", "cold", contenders.PLAIN), _of(rows, "plain", "cold", contenders.LOOP))
    yield _line("cold, no filters: times the plain loop", 2, " ×", *plain)
    ours, theirs = (_each(rows, "minified", "cold", one) for one in (contenders.FILTERED, contenders.TRANSFORM))
    yield _line("cold, built-in filters, a MB of CSS and JS: times `esbuild --minify`", 1, " ×", *_ratio(ours, theirs))
    for section, one in (("plain", contenders.PLAIN), ("minified", contenders.FILTERED)):
        still, changed = (_of(rows, section, step, one) for step in ("unchanged", "one file changed"))
        more = [b - a if a is not None and b is not None else None for a, b in zip(still, changed, strict=True)]
        yield _line(f"nothing changed, {_kind(one)}", 0.3, " s", *still)
        yield _line(f"one file changed, {_kind(one)}: above that", 0.1, " s", *more)
    # By processor time the compressors take the same on any number of cores.
    alone = _of(rows, "compressed", "cold", contenders.COMPRESSORS)[1]
    shared = alone / len(os.sched_getaffinity(0)) if alone else None
    ratio = _ratio(_of(rows, "compressed", "cold", contenders.COMPRESSED), (shared, alone))
    yield _line("compressed, cold: times the compressors' own time, by cores", 1.1, " ×", *ratio)
    # Two cores at once may be slower than each alone: what the machine gives to nobody, no program can take.
    together = _of(rows, "compressed", "cold", contenders.COMPRESSORS_TOGETHER)
    ratio = _ratio(_of(rows, "compressed", "cold", contenders.COMPRESSED), together)
    yield _line("the same: times the compressors' time on all cores at once", 1.1, " ×", *ratio)
    yield _line("watch: from a saved file to the new manifest", 50, " ms", _only(rows, "watch", contenders.PLAIN.name))
    yield _line("`Assets.url()`", 150, " ns", _only(rows, "lookups", "assetbuild, Assets.url()"))
    imported = _only(rows, "lookups", "from assetbuild import Assets")
    yield _line("`from assetbuild import Assets`, above the bare interpreter", 10, " ms", imported)
    yield from _memory(rows)
    yield from _growth(rows)


def _memory(rows: Sequence[Row]) -> Iterator[Line]:
    ours = [row for row in rows if row.section == "memory" and row.contender.startswith("assetbuild")]
    for row in ours:
        if row.step.endswith(" files"):
            what = f"memory, {row.step}, {row.contender.partition(', ')[2]}"
            yield _line(what, 200, " MB", middle(row, "tree"))
    small, large = (next((row for row in ours if row.step.endswith(end)), None) for end in (", 4 MB", ", 400 MB"))
    less, more = middle(small, "tree"), middle(large, "tree")
    if less is not None and more is not None:
        yield _line("memory: more for a file a hundred times as large", _LARGER, " MB", max(more - less, 0))


def _growth(rows: Sequence[Row]) -> Iterator[Line]:
    for one in (contenders.PLAIN, contenders.FILTERED):
        ours = [row for row in rows if row.section == "growth" and row.contender == one.name and not row.absent]
        if len(ours) > 1:
            first, *_, last = sorted(ours, key=lambda row: row.files)
            ratio = _ratio(*((_a_file(row, "wall"), _a_file(row, "processor")) for row in (last, first)))
            what = f"growth, {_kind(one)}: a file of {last.files:,}, times one of {first.files:,}"
            yield _line(what, _LINEAR, " ×", *ratio)


def _line(work: str, most: float, unit: str, wall: float | None, processor: float | None = None) -> Line:
    digits = 0 if most >= 20 else 2
    shown = ["" if one is None else f"{one:,.{digits}f}{unit}" for one in (wall, processor)]
    return (work, f"{most:g}{unit}", shown[0] or "not run", shown[1], "" if wall is None else "yes" if wall <= most else "no")


def _row(rows: Sequence[Row], section: str, step: str, contender: str) -> Row | None:
    found = (row for row in rows if (row.section, row.contender) == (section, contender) and step in (row.step, ""))
    return next((row for row in found if not row.absent), None)


def _of(rows: Sequence[Row], section: str, step: str, contender: Contender) -> Pair:
    row = _row(rows, section, step, contender.name)
    return middle(row, "wall"), middle(row, "processor")


def _each(rows: Sequence[Row], section: str, step: str, contender: Contender) -> Pair:
    """For each byte of style sheets and scripts."""
    row, found = _row(rows, section, step, contender.name), _of(rows, section, step, contender)
    wall, processor = (one / row.work if row and row.work and one is not None else None for one in found)
    return wall, processor


def _only(rows: Sequence[Row], section: str, contender: str) -> float | None:
    row = _row(rows, section, "", contender)
    return middle(row, next(iter(row.values), "")) if row else None


def _a_file(row: Row, name: str) -> float | None:
    value = middle(row, name)
    return None if value is None else value / row.files


def _ratio(upper: Pair, lower: Pair) -> Pair:
    wall, processor = (a / b if a is not None and b else None for a, b in zip(upper, lower, strict=True))
    return wall, processor


def _kind(contender: Contender) -> str:
    return contender.name.partition(", ")[2]
