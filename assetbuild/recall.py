"""One source compiled or one file packed, or recalled from an earlier build: a wrapper round the work that knows what decides
its result.

Only what the text, the chain and the tools' versions decide is kept. A chain with a filter that may read further files runs
each time, since nothing tells what it would read: a stale result is never served.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from assetbuild.cache import Cache, key
from assetbuild.errors import Problem
from assetbuild.filters import FilterError
from assetbuild.filters.chains import load
from assetbuild.reading import content
from assetbuild.references import Kind, Reference
from assetbuild.unit import Compiled, Job, Tools, compile_unit, scanner

if TYPE_CHECKING:
    from assetbuild import variants

#: What no filter touches is read again rather than looked up where it is shorter, in bytes.
WORTH_KEEPING = 50_000


class Recalled(NamedTuple):
    """What became of a source, whether that was known already, and whether an entry was there that could not be believed."""

    unit: Compiled
    known: bool
    rejected: bool = False


def recall(job: Job, tools: Tools, cache: Cache | None, version: str) -> Recalled:
    """Compile a source, unless the cache knows the result. version: of assetbuild, to the letter of its code."""
    worth = job.chain.filters or job.text is not None or (scanner(job.logical_path) and job.source.size >= WORTH_KEEPING)
    if cache is None or not worth:
        return Recalled(compile_unit(job, tools), False)  # To hash or read it takes no longer than to look it up.
    data = _bytes(job)
    name = _key(job, tools, data, version) if data is not None else None
    if data is None or name is None:
        return Recalled(compile_unit(job, tools), False)
    unit = _restored(cache.result(name), job, data, cache)
    if unit is not None:
        return Recalled(unit, True)
    rejected = cache.has_result(name)
    unit = compile_unit(job, tools, data)
    if not any(problem.severity == "error" for problem in unit.problems) and not unit.read:
        if unit.text is not None:
            cache.keep_content(unit.digest, unit.text)
        cache.keep_result(name, _value(unit, job))
    return Recalled(unit, False, rejected)


def _bytes(job: Job) -> bytes | None:
    if job.text is not None:
        return job.text.encode()
    try:
        return content(job.source.file)
    except OSError:
        return None  # What is wrong with the file, the work itself says.


def _key(job: Job, tools: Tools, data: bytes, version: str) -> str | None:
    """The name of the result, or None where something decides it that is not known."""
    parts = ["unit", version, sys.version, job.source.path, job.logical_path, job.chain.hooks]
    parts += ["part" if job.part else "", "joined" if job.text is not None else "", hashlib.sha256(data).hexdigest()]
    for filter_name in job.chain.filters:
        try:
            tool = load(filter_name, tools.settings, tools.search, tools.time_limit, job.chain.hooks)
        except FilterError:
            return None
        if not tool.pure:
            return None
        identity = tool.identity()
        parts += [filter_name, str(len(identity)), *identity]
    return key(parts)


def _value(unit: Compiled, job: Job) -> dict[str, object]:
    return {
        "text": unit.text is not None,
        "digest": unit.digest,
        "size": unit.size,
        "references": list(map(_listed, unit.references)),
        "bare": list(map(_listed, unit.bare)),
        # The file's name depends on the working folder.
        "problems": [["" if p.file == job.shown else p.file, p.line, p.column, p.message, p.hint] for p in unit.problems],
    }


def _restored(value: Any, job: Job, data: bytes, cache: Cache) -> Compiled | None:
    """The unit as it was kept; None where anything is not as it should be."""
    try:
        digest, size, text = value["digest"], value["size"], None
        if value["text"]:
            text = cache.content(digest, size)
            if text is None:
                return None
        elif size != len(data) or digest != hashlib.sha256(data).hexdigest():
            return None
        references, bare = (tuple(_reference(*one) for one in value[name]) for name in ("references", "bare"))
        problems = tuple(_warning(job, *problem) for problem in value["problems"])
    except (KeyError, TypeError, ValueError):
        return None
    return Compiled(job.logical_path, text, digest, size, references, problems, (), hashlib.sha256(data).hexdigest(), bare)


def _listed(one: Reference) -> list[object]:
    return [one.start, one.end, one.path, one.kind, *one.whole, one.instead]


def _reference(start: int, end: int, path: str, kind: Kind, whole_start: int, whole_end: int, instead: str) -> Reference:
    return Reference(start, end, path, kind, (whole_start, whole_end), instead)


def _warning(job: Job, file: str, line: int, column: int, message: str, hint: str) -> Problem:
    return Problem(file or job.shown, line, column, message, hint, "warning")


class Packs:
    """Variants that an earlier build has packed; known, made: how many of what was asked for were there, and were not;
    rejected: how many of the latter were there, and could not be believed."""

    def __init__(self, cache: Cache | None) -> None:
        self.cache = cache
        self.known = self.made = self.rejected = 0

    def found(self, of: variants.Key) -> bytes | None:
        """The packed bytes; b"" where they were not worth it; None where nothing is known."""
        data = self._found(_pack_key(of)) if self.cache else None
        self.known += data is not None
        self.made += data is None
        self.rejected += data is None and self.cache is not None and self.cache.has_result(_pack_key(of))
        return data

    def _found(self, name: str) -> bytes | None:
        assert self.cache
        value: Any = self.cache.result(name)
        try:
            digest, size = value["digest"], value["size"]
            return self.cache.content(digest, size) if size else b""
        except (KeyError, TypeError, ValueError):
            return None

    def keep(self, of: variants.Key, packed: bytes) -> None:
        if self.cache:
            digest = hashlib.sha256(packed).hexdigest()
            if packed:
                self.cache.keep_content(digest, packed)
            self.cache.keep_result(_pack_key(of), {"digest": digest, "size": len(packed)})


def _pack_key(of: variants.Key) -> str:
    from assetbuild import variants  # Not where there are none.

    return key(["variant", str(variants.REVISION), *of])
