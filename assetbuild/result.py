"""What a build is asked for, and what it says it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assetbuild.cache import Cache, CacheUse
from assetbuild.compressors import Tool
from assetbuild.config import Config
from assetbuild.errors import Problem
from assetbuild.index import Index
from assetbuild.publish import Published
from assetbuild.runtime import manifest as treaty

#: progress(stage, done, total); the stages are "compile", "link", "compress" and "publish".
Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """No progress is shown."""
    del stage, done, total


def alone() -> None:
    """Nobody is told that another build is waited for."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built, and how.

    config: with its bundles adopted. tools: what packs. odd: warnings that came before. jobs: worker processes, or threads, at
    most; None: the cores. keys: what the manifest says besides. lasting: whether all is on the disk before the manifest is
    replaced; else it is only in the system's memory, which is enough for whoever sees the build end. waiting: called where
    another build is at work in the output, before its end is waited for.
    """

    config: Config
    cache: Cache | None
    tools: Sequence[Tool]
    odd: tuple[Problem, ...] = ()
    jobs: int | None = None
    progress: Progress = silent
    keys: Mapping[str, str] | None = None
    lasting: bool = True
    waiting: Callable[[], object] = alone


@dataclass(frozen=True, slots=True)
class Result:
    """What a build did.

    files, bytes: of the artifact, variants aside; compressible: bytes of the files that have variants; compressed: of all
    variants, by coding; largest: logical path and size of the three largest. written: files written; removed: files that
    nothing named any more; carried: files of earlier releases that went along, variants aside; unchanged: nothing was touched;
    seconds: on the wall; use: what the cache was good for.
    """

    output: Path
    digest: str
    base_url: str
    files: int
    bytes: int
    compressible: int
    compressed: Mapping[str, int]
    largest: tuple[tuple[str, int], ...]
    written: tuple[str, ...]
    removed: tuple[str, ...]
    carried: int
    unchanged: bool
    warnings: tuple[Problem, ...]
    use: CacheUse
    seconds: float = 0.0

    @classmethod
    def of(
        cls,
        order: Order,
        summary: Mapping[str, Any],
        warnings: tuple[Problem, ...],
        use: CacheUse,
        published: Published,
    ) -> Result:
        """The result for an artifact of which this is the index's summary. published: what was done to it."""
        return cls(
            output=order.config.output,
            digest=summary["digest"],
            base_url=order.config.base_url,
            files=summary["files"],
            bytes=summary["bytes"],
            compressible=summary["compressible"],
            compressed=summary["compressed"],
            largest=tuple((path, size) for path, size in summary["largest"]),
            written=published.written,
            removed=published.removed,
            carried=len({path for release in summary["previous"] for path in release["files"]}),
            unchanged=not (published.written or published.removed or published.manifest),
            warnings=warnings,
            use=use,
        )

    @property
    def manifest(self) -> treaty.Manifest:
        """The manifest that is in the output now. Raises ManifestError."""
        return treaty.load(self.output / treaty.NAME)


@dataclass(frozen=True, slots=True)
class Built:
    """result: what a build did. index: what the next one needs to know of it."""

    result: Result
    index: Index
