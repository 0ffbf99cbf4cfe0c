"""What the report says of an artifact, kept up while its assets come and go, so that nobody counts ten thousand anew."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assetbuild.index import Depth, File
from assetbuild.runtime import manifest as treaty

#: How many of the largest assets are named.
LARGEST = 3


def tally(
    before: Mapping[str, Any] | None,
    without: Iterable[tuple[str, Sequence[File]]],
    new: Mapping[str, Sequence[File]],
    now: Depth,
) -> dict[str, Any]:
    """The summary, as JSON has it.

    files, bytes: of the artifact, variants aside. compressible: bytes of the files that have variants. compressed: of all
    variants, by coding. packers: how many of them each tool made. largest: path and size of the largest assets. digest: of
    the artifact.

    before: the summary that was; None of nothing. without: assets of it that are gone or replaced, each with its own file
    first, then its variants; new: those that came.
    """
    old = before or {"files": 0, "bytes": 0, "compressible": 0, "compressed": {}, "packers": {}, "largest": []}
    counts = {name: old[name] for name in ("files", "bytes", "compressible")}
    compressed, packers = dict(old["compressed"]), dict(old["packers"])
    dropped = set()
    for path, files in without:
        _add(counts, compressed, packers, files, -1)
        dropped.add(path)
    for files in new.values():
        _add(counts, compressed, packers, files, 1)
    if dropped.isdisjoint(path for path, _ in old["largest"]):
        candidates = [(size, path) for path, size in old["largest"]] + [(files[0].size, path) for path, files in new.items()]
    else:
        candidates = [(int(now.rows[name].split(" ", 2)[1]), path) for path, name in now.names.items()]
    return {
        **counts,
        "compressed": {coding: size for coding, size in sorted(compressed.items()) if size},
        "packers": {tool: number for tool, number in sorted(packers.items()) if number},
        "largest": [[path, -size] for size, path in heapq.nsmallest(LARGEST, ((-size, path) for size, path in candidates))],
        "digest": treaty.digest((row[:64], path) for path, row in now.rows.items()),
    }


def _add(
    counts: dict[str, int], compressed: dict[str, int], packers: dict[str, int], files: Sequence[File], times: int
) -> None:
    plain, *variants = files
    counts["files"] += times
    counts["bytes"] += times * plain.size
    counts["compressible"] += times * plain.size * bool(variants)
    for variant in variants:
        coding = next(coding for coding, suffix in treaty.SUFFIXES.items() if variant.path.endswith(suffix))
        compressed[coding] = compressed.get(coding, 0) + times * variant.size
        packers[variant.tool] = packers.get(variant.tool, 0) + times
