"""Variants: every text-like file packed as small as its coding goes, once and in the build, so that a server hands them out as
they are. The same plain bytes give the same variant, whatever the number of workers, and most files are never held whole.

A variant is known by its key: coding, tool (with version and level), and the SHA-256 of the plain bytes. Two variants of one
key are the same bytes, so whoever has kept one can hand it to pack() in place of packing anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from assetbuild import pool
from assetbuild.compressors import WHOLE, Tool, chosen
from assetbuild.errors import BuildError
from assetbuild.names import folded, taken
from assetbuild.runtime import manifest as treaty
from assetbuild.runtime.manifest import Coding
from assetbuild.runtime.media_types import media_type
from assetbuild.spool import Spool

#: Texts are packed, and what was packed is stored, in pieces of this size: about half a second's work for brotli, which is
#: what an interrupt may have to wait for.
PIECE = 1 << 18

#: A variant must be smaller than this part of the plain file, in percent: below that, unpacking costs more than it saves.
WORTH = 95

#: Goes up when the same text and the same tool would lead to another variant here.
REVISION = 1

#: The longest file name (NAME_MAX), in bytes.
LONGEST = 255

#: Types that no tool has compressed yet, besides text/*, and what ends in +json or +xml (RFC 6839).
_TYPES = frozenset(
    {
        "application/json",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/xml",
        "font/otf",
        "font/ttf",
    }
)

#: coding, tool, digest of the plain bytes.
Key: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Plain:
    """A file to pack. digest: the SHA-256 of its bytes in hex digits. pieces: gives those bytes, again at each call, from any
    thread."""

    public_path: str
    digest: str
    size: int
    pieces: Callable[[], Iterable[bytes]] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Packed:
    """The packed bytes of something; digest, size and pieces as in Plain."""

    digest: str
    size: int
    pieces: Callable[[], Iterable[bytes]] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Variant:
    """A file of the artifact: another one's bytes, packed. tool: the name of what packed them."""

    public_path: str
    coding: Coding
    tool: str
    packed: Packed


def is_text_like(type_: str) -> bool:
    """Whether files of this media type are worth packing: texts, WebAssembly, and fonts that are not compressed already."""
    return type_.startswith("text/") or type_.endswith(("+json", "+xml")) or type_ in _TYPES


def key(tool: Tool, digest: str) -> Key:
    """What a variant is known by; digest: of the plain bytes."""
    return tool.coding, tool.name, digest


def pack(
    files: Sequence[Plain],
    tools: Sequence[Tool],
    spool: Spool,
    *,
    found: Callable[[Key], bytes | None] = lambda _key: None,
    keep: Callable[[Key, bytes], None] = lambda _key, _packed: None,
    jobs: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    others: Iterable[str] = (),
) -> dict[str, tuple[Variant, ...]]:
    """The variants of each file that has any, by the file's public path.

    files: those that are no texts are left alone. others: public paths of what else the artifact has. spool: keeps the packed
    bytes, which are read back from it. found: what is known already, b"" where packing is not worth it; keep: takes what is
    new, if it is not too large to be held whole. jobs: threads at most; default, the cores. progress: files packed, and in
    all. Raises BuildError where a file cannot be read or is no longer what it was.
    """
    if not tools:
        return {}
    names = taken([*others, *(file.public_path for file in files)])
    slots: list[_Task] = []
    for file in sorted(files, key=lambda file: file.public_path):
        if file.size and is_text_like(media_type(file.public_path)):
            slots += (_Task(file, tool) for tool in chosen(tools, file.size) if _is_free(file, tool, names))
    results: dict[int, Packed | None] = {}
    todo = []
    for number, task in enumerate(slots):
        known = found(key(task.tool, task.file.digest))
        if known is None:
            todo.append(number)
        else:
            results[number] = _recalled(known, spool, f"{number}.known") if known else None
    # The longest first, so that no thread is left with it at the end.
    todo.sort(key=lambda number: (-slots[number].file.size * slots[number].tool.cost, number))
    with contextlib.closing(_run(slots, todo, spool, min(jobs or pool.available_cores(), len(todo)))) as runs:
        for done, (number, packed) in enumerate(runs, 1):
            results[number] = packed
            if packed is None or packed.size <= WHOLE:
                keep(key(slots[number].tool, slots[number].file.digest), b"".join(packed.pieces()) if packed else b"")
            progress(done, len(todo))
    variants: dict[str, tuple[Variant, ...]] = {}
    for number, task in enumerate(slots):
        packed = results[number]
        if packed is not None and is_worth(packed.size, task.file.size):
            path = task.file.public_path
            variant = Variant(path + treaty.SUFFIXES[task.tool.coding], task.tool.coding, task.tool.name, packed)
            variants[path] = (*variants.get(path, ()), variant)
    return variants


def _recalled(data: bytes, spool: Spool, name: str) -> Packed:
    spool.put(name, data)
    return Packed(hashlib.sha256(data).hexdigest(), len(data), _Stored(spool, (name,)))


def is_worth(packed: int, plain: int) -> bool:
    """Whether a variant of this size is published beside a file of that size."""
    return packed * 100 < plain * WORTH


@dataclass(frozen=True, slots=True)
class _Task:
    file: Plain
    tool: Tool


def _is_free(file: Plain, tool: Tool, names: Collection[str]) -> bool:
    """Whether the variant's name can be had. `robots.txt.gz` may be a kept file of the user's own, which then is what servers
    hand out; and a kept name may be too long for a suffix."""
    path = file.public_path + treaty.SUFFIXES[tool.coding]
    return folded(path) not in names and len(os.fsencode(path.rpartition("/")[2])) <= LONGEST


# ---- in threads: the compressors let go of the interpreter's lock


class _StoppedError(Exception):
    """Nobody waits for the result any more."""


#: (number, a piece of the packed bytes), then (number, digest and size), or (number, None) where it is not worth it.
_Message: TypeAlias = tuple[int, "bytes | tuple[str, int] | BaseException | None"]


def _run(
    slots: Sequence[_Task], todo: Iterable[int], spool: Spool, count: int
) -> Generator[tuple[int, Packed | None], None, None]:
    """Yield (number, what it was packed to) as results come. Raises what a task raises."""
    waiting = deque(todo)
    left = len(waiting)
    results: queue.SimpleQueue[_Message] = queue.SimpleQueue()
    stop = threading.Event()
    # Daemons: the interpreter does not wait for them where an interrupt ends it.
    arguments = (slots, waiting, results, stop)
    threads = [threading.Thread(target=_work, args=arguments, name="assetbuild-pack", daemon=True) for _ in range(count)]
    pieces: dict[int, list[str]] = {}
    try:
        for thread in threads:
            thread.start()
        while left:
            number, message = results.get()
            if isinstance(message, bytes):
                names = pieces.setdefault(number, [])
                names.append(f"{number}.{len(names)}")
                spool.put(names[-1], message)
            elif isinstance(message, BaseException):
                raise message
            else:
                left -= 1
                names = pieces.pop(number, [])
                yield number, message and Packed(*message, _Stored(spool, tuple(names)))
    except Exception:
        stop.set()
        for thread in threads:
            thread.join()  # A few seconds at most; then no thread of ours is left in the process.
        raise
    finally:
        stop.set()
    for thread in threads:
        thread.join()


@dataclass(frozen=True, slots=True)
class _Stored:
    """Reads pieces back from the spool."""

    spool: Spool
    names: tuple[str, ...]

    def __call__(self) -> Iterator[bytes]:
        return (self.spool.get(name) for name in self.names)


def _work(slots: Sequence[_Task], waiting: deque[int], results: queue.SimpleQueue[_Message], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            number = waiting.popleft()
        except IndexError:
            return
        try:
            task = slots[number]
            results.put((number, _packed(task, stop, functools.partial(_put, results, number))))
        except BaseException as error:
            results.put((number, error))
            return


def _put(results: queue.SimpleQueue[_Message], number: int, piece: bytes) -> None:
    results.put((number, piece))


def _packed(task: _Task, stop: threading.Event, emit: Callable[[bytes], None]) -> tuple[str, int] | None:
    """Pack one file and hand the result out in pieces; its digest and size, or None as soon as it is not worth it."""
    sha = hashlib.sha256()
    size = 0
    held = bytearray()
    for piece in task.tool.pack(_checked(task.file, stop), task.file.size):
        size += len(piece)
        if not is_worth(size, task.file.size):
            return None
        sha.update(piece)
        held += piece
        if len(held) >= PIECE:
            emit(bytes(held))
            held.clear()
    if held:
        emit(bytes(held))
    return sha.hexdigest(), size


def _checked(file: Plain, stop: threading.Event) -> Iterator[bytes]:
    """A file's bytes in pieces of one size, however they come. Raises BuildError where they are not those that were named."""
    sha = hashlib.sha256()
    held = bytearray()
    for piece in file.pieces():
        sha.update(piece)
        view = memoryview(piece)
        while view:
            room = PIECE - len(held)
            held += view[:room]
            view = view[room:]
            if len(held) == PIECE:
                if stop.is_set():
                    raise _StoppedError
                yield bytes(held)
                held.clear()
    if held:
        yield bytes(held)
    if sha.hexdigest() != file.digest:
        raise BuildError(f"{file.public_path}: its source changed during the build; run it again")
