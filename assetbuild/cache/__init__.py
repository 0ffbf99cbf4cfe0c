"""The same work is never done twice: what a tool made of a text is kept, and found again by everything that decides it.

The laws:
1. Three tables. Contents are files named by the SHA-256 of their bytes. Results are small JSON documents named by a key: the
   SHA-256 over a list that a person can read (what was done, the version of all of it, options, digests of every byte that
   was read), each item with its length before it. Indexes are what the last build of a folder knew (see `index`).
2. Nothing is believed: a content is hashed, a result carries the digest of its key and its own text, and what does not agree,
   or belongs to another user, counts as absent. The same holds for what cannot be read, or written: a fault of the cache costs
   time, never a build.
3. Contents and results know no time, a user or an absolute path, so that a cache may move between folders and machines.
4. An entry appears whole, by one rename. Two builds that make the same one make the same bytes.
5. The folder belongs to the user alone: who can write to it decides what a release contains.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import platform
import re
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

#: Goes up when an entry's form changes.
FORMAT = 2
#: How many bytes a cache may hold before the least recently used entries go.
LIMIT = 1_000_000_000
#: Seconds from one pruning to the next that comes of itself: its `.gitignore` tells when the last one was.
_BETWEEN_PRUNINGS = 7 * 86_400
#: Seconds after which an entry that is used is marked as used again.
_STALE_MARK = 86_400

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME = re.compile(r"[0-9a-f]{64}")
_LARGEST_RESULT = 64_000_000
_LARGEST_INDEX = 1_000_000_000
_LONGEST_HEAD = 1_000


def key(parts: Sequence[str]) -> str:
    """The name of a result by all that decides it. Each part has its length before it: `ab`, `c` is not `a`, `bc`."""
    sha = hashlib.sha256()
    for part in (f"assetbuild {FORMAT}", *parts):
        data = part.encode("utf-8", "surrogatepass")
        sha.update(b"%d:" % len(data))
        sha.update(data)
    return sha.hexdigest()


@dataclass(frozen=True, slots=True)
class CacheUse:
    """known: sources, bundles and variants that did not have to be worked out; made: those that had to be compiled or packed;
    rejected: those of the latter whose entry was damaged; refused: why the cache could not be used, or ""."""

    known: int = 0
    made: int = 0
    rejected: int = 0
    refused: str = ""


class Kept(NamedTuple):
    """An index as it was kept. digest: by which it is known."""

    digest: str
    parts: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Pruned:
    """removed, kept: entries; freed, size: bytes that went, and that are left."""

    removed: int
    kept: int
    freed: int
    size: int


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of entries. It can be handed to another process; it holds nothing open."""

    folder: str

    def result(self, name: str) -> object:
        """What was kept under a key; None where nothing was, or not as it was kept."""
        data = self._read("results", name, _LARGEST_RESULT)
        if data is None:
            return None
        digest, _, text = data.partition(b"\n")
        if _signed(name, text) != digest:
            return None
        try:
            value: object = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return value

    def has_result(self, name: str) -> bool:
        """Whether something stands under a key, of whatever worth."""
        return os.path.lexists(self._path("results", name))

    def keep_result(self, name: str, value: object) -> None:
        """Keep a value that JSON can say."""
        text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
        self._write("results", name, _signed(name, text) + b"\n" + text)

    def content(self, digest: str, size: int) -> bytes | None:
        """The bytes with this SHA-256; None where they are not there, or are others."""
        data = self._read("contents", digest, size)
        if data is None or len(data) != size or hashlib.sha256(data).hexdigest() != digest:
            return None
        return data

    def keep_content(self, digest: str, data: bytes) -> None:
        """Keep bytes whose SHA-256 this is."""
        self._write("contents", digest, data)

    def index(self, name: str) -> Kept | None:
        """What was kept as an index; None where nothing was, or not as it was kept."""
        try:
            with self._opened("indexes", name, _LARGEST_INDEX) as (file, size):
                head = file.readline(_LONGEST_HEAD)
                digest, *lengths = head.split()
                if len(head) + sum(map(int, lengths)) != size or not all(map(bytes.isdigit, lengths)):
                    return None
                parts = [file.read(int(length)) for length in lengths]
        except (OSError, ValueError):
            return None
        kept = Kept(_digest(lengths, parts), parts)
        return kept if kept.digest.encode() == digest else None

    def keep_index(self, name: str, parts: Sequence[bytes]) -> str:
        """Keep an index in place of the last one. parts: a few. Returns the digest by which it is known."""
        lengths = [b"%d" % len(part) for part in parts]
        digest = _digest(lengths, parts)
        # Where the new one takes the old one's name, some file systems write it to the disk at once.
        with contextlib.suppress(OSError):
            os.unlink(self._path("indexes", name))
        self._write("indexes", name, b" ".join((digest.encode(), *lengths)) + b"\n", *parts)
        return digest

    def _path(self, table: str, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no SHA-256")
        return f"{self.folder}/v{FORMAT}/{table}/{name[:2]}/{name[2:]}"

    def _read(self, table: str, name: str, limit: int) -> bytes | None:
        try:
            with self._opened(table, name, limit) as (file, size):
                return file.read(size + 1)
        except OSError:
            return None

    @contextlib.contextmanager
    def _opened(self, table: str, name: str, limit: int) -> Iterator[tuple[BinaryIO, int]]:
        """An entry, and its size in bytes. Raises OSError."""
        path = self._path(table, name)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > limit or status.st_uid != os.geteuid():
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
            yield file, status.st_size
        now = time.time()
        if not now - _STALE_MARK < status.st_mtime <= now + _STALE_MARK:
            with contextlib.suppress(OSError):
                os.utime(path)

    def _write(self, table: str, name: str, *parts: bytes) -> None:
        path = self._path(table, name)
        # No other process has this name: of two on one machine the numbers differ, of two machines the names.
        temporary = f"{os.path.dirname(path)}/new-{os.getpid()}-{platform.node()}"
        with contextlib.suppress(OSError):
            try:
                try:
                    descriptor = os.open(temporary, _NEW, 0o600)
                except FileNotFoundError:
                    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                    descriptor = os.open(temporary, _NEW, 0o600)
                with open(descriptor, "wb", buffering=0) as file:
                    for part in parts:
                        view = memoryview(part)
                        while view:
                            view = view[file.write(view) :]
                os.replace(temporary, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise

    # ---- the size of it

    def prune(self, limit: int | None = LIMIT) -> Pruned:
        """Remove the least recently used entries until the rest is within `limit` bytes, and what a killed build left. None:
        only count."""
        entries = sorted(self._entries(), reverse=True)
        size = removed = freed = 0
        for _, length, path in entries:
            if limit is None or size + length <= limit:
                size += length
                continue
            with contextlib.suppress(OSError):
                os.unlink(path)
                removed += 1
                freed += length
        return Pruned(removed, len(entries) - removed, freed, size)

    def _entries(self) -> Iterator[tuple[float, int, str]]:
        """(last use, bytes, path) of every entry. Forms of earlier versions, and unfinished files of an hour ago, go."""
        for folder, _, names in os.walk(self.folder):
            ours = folder.startswith(f"{self.folder}/v{FORMAT}/")
            for name in names:
                path = f"{folder}/{name}"
                with contextlib.suppress(OSError):
                    status = os.lstat(path)
                    if name.startswith("new-"):
                        if status.st_mtime < time.time() - 3600:
                            os.unlink(path)
                    elif ours or re.match(rf"{re.escape(self.folder)}/v\d+/", path):
                        yield (status.st_mtime if ours else 0.0), status.st_size, path


def _digest(lengths: Iterable[bytes], parts: Iterable[bytes]) -> str:
    sha = hashlib.sha256(b" ".join(lengths))
    for part in parts:
        sha.update(part)
    return sha.hexdigest()


def _signed(name: str, text: bytes) -> bytes:
    """The digest by which a result is known to be whole, and to be the one of this key."""
    return hashlib.sha256(name.encode() + b"\n" + text).hexdigest().encode()


def opened(folder: str) -> Cache | str:
    """The cache in a folder, which is made if need be, and once a week made smaller; else why it cannot be used, in words."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.stat(folder)
        if status.st_uid != os.geteuid():
            return "it belongs to another user"
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return "others may write to it"
        ignore = f"{folder}/.gitignore"
        if not os.path.lexists(ignore):
            with open(ignore, "x", encoding="ascii") as file:
                file.write("*\n")
        if not os.access(folder, os.W_OK):
            return "it cannot be written"
    except OSError as error:
        return error.strerror or str(error)
    found = Cache(folder)
    with contextlib.suppress(OSError):
        now, last = time.time(), os.lstat(ignore).st_mtime
        if not now - _BETWEEN_PRUNINGS < last <= now + _BETWEEN_PRUNINGS:
            os.utime(ignore, follow_symlinks=False)  # First, so that of builds at once only one does it.
            found.prune()
    return found


@functools.cache  # What is loaded stays what it was, whatever is edited meanwhile.
def own_version(folder: str) -> str:
    """A digest of assetbuild's own code: what an edited or upgraded version makes is never taken for an earlier one's."""
    sha = hashlib.sha256()
    for path in _code(folder):
        with open(path, "rb") as file:
            sha.update(hashlib.sha256(file.read()).digest())
    return sha.hexdigest()


def _code(folder: str) -> Iterable[str]:
    for here, folders, names in os.walk(folder):
        folders.sort()
        yield from (f"{here}/{name}" for name in sorted(names) if name.endswith(".py"))
