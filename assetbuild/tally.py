"""What the report says of an artifact, kept up while its assets come and go, so that nobody counts ten thousand anew."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

from assetbuild.index import Depth
from assetbuild.records import Asset, File
from assetbuild.runtime import manifest as treaty

#: How many of the largest assets are named.
LARGEST = 3


def tally(
    before: Mapping[str, Any],
    dropped: Mapping[str, Asset],
    made: Mapping[str, Asset],
    now: Depth,
) -> dict[str, Any]:
    """The summary, as JSON has it.

    files, bytes: of the artifact, variants aside. compressible: bytes of the files that have variants. compressed: of all
    variants, by coding. packers: how many of them each tool made. largest: path and size of the largest assets.

    before: the summary that was; empty, of nothing. dropped: assets of it that are gone or made anew; made: those that came.
    """
    old = before or {"files": 0, "bytes": 0, "compressible": 0, "compressed": {}, "packers": {}, "largest": []}
    counts = {name: old[name] for name in ("files", "bytes", "compressible")}
    compressed, packers = dict(old["compressed"]), dict(old["packers"])
    for assets, times in ((dropped, -1), (made, 1)):
        for asset in assets.values():
            _add(counts, compressed, packers, asset.files, times)
    sizes = {path: size for path, size in old["largest"] if path not in dropped}
    sizes |= {path: asset.files[0].size for path, asset in made.items()}
    largest = _largest(sizes)
    # What was not among the largest comes behind the last of them.
    more = len(sizes) < len(now.records.names)
    if more and (len(largest) < LARGEST or _rank(*largest[-1]) > _rank(*old["largest"][-1])):
        largest = _largest(now.records.sizes())
    return {
        **counts,
        "compressed": {coding: size for coding, size in sorted(compressed.items()) if size},
        "packers": {tool: number for tool, number in sorted(packers.items()) if number},
        "largest": largest,
    }


def _largest(sizes: Mapping[str, int]) -> list[list[Any]]:
    return [list(one) for one in heapq.nsmallest(LARGEST, sizes.items(), key=lambda one: _rank(*one))]


def _rank(path: str, size: int) -> tuple[int, str]:
    return -size, path


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
