"""Does this artifact keep its promises? Every file and variant is hashed again and held against the manifest; nothing is
written and nothing is fetched. Of the rooms that write artifacts only the manifest's schema is known here, so that a fault
of theirs is not repeated."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

from assetbuild.errors import Lines, Problem
from assetbuild.references import Reference, Scan, css, is_local, js, svg, webmanifest
from assetbuild.runtime import manifest as treaty
from assetbuild.syntax import LexError
from assetbuild.unpack import PIECE, Unpack, UnpackError, unpacker

# The scanner of each kind of text, by suffix.
_SCANNERS: dict[str, Callable[[str], Scan]] = {
    ".css": css.find,
    ".js": js.find,
    ".mjs": js.find,
    ".cjs": js.find,
    ".svg": svg.find,
    ".webmanifest": webmanifest.find,
}

_SUM = re.compile(r"sha256-([0-9a-f]{64})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

# No system opens a longer one.
_LONGEST_PATH = 4096
_REBUILD = "run `assetbuild compile`"
# A build takes it for something of the user's, and leaves it there.
_REMOVE = "remove it, and run `assetbuild compile`"


@dataclass(frozen=True, slots=True)
class Verification:
    """What verify() found.

    findings: everything that is wrong, sorted; the artifact is good where there is none. notes: what is worth saying and
    no fault. mode, digest: the manifest's. files: how many were hashed, variants too; size: their bytes together.
    """

    findings: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    mode: str = ""
    digest: str = ""
    files: int = 0
    size: int = 0

    @property
    def ok(self) -> bool:
        return not self.findings


def verify(folder: Path, *, production: bool = False, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Hold an artifact against its manifest; everything that is wrong with it is in the answer, nothing is raised for it.

    production: an artifact that `watch` wrote is a finding and not a note. progress: called with files done and in all.
    """
    manifest_file = folder / treaty.NAME
    try:
        if os.path.islink(manifest_file):
            raise treaty.ManifestError(str(manifest_file), "is a symbolic link", _REBUILD)
        data = treaty.read(str(manifest_file))
        manifest = treaty.parse(data, str(manifest_file))
    except treaty.ManifestError as error:
        return Verification((Problem(str(manifest_file), 0, 0, error.message, error.hint),))
    if not _is_as_written(manifest, data):
        # By another manifest than the one that was written, every file may look wrong.
        what = "is not as it was written: its checksum is that of another text"
        return Verification((Problem(str(manifest_file), 0, 0, what, _REBUILD),), (), manifest["mode"], manifest["digest"])
    work = _Work(folder, manifest, progress or (lambda _done, _all: None))
    if not _is_canonical(manifest, data):
        work.find(treaty.NAME, "is not in the one form in which it is written", _REBUILD)
    if manifest["mode"] == "development":
        message = "was written by `assetbuild watch`, for development"
        if production:
            work.find(treaty.NAME, message, _REBUILD)
        else:
            work.notes.append(f"{manifest_file}: {message}")
    work.run()
    findings = tuple(sorted(set(work.findings)))
    try:
        changed = treaty.read(str(manifest_file)) != data
    except treaty.ManifestError:
        changed = True
    if changed:
        # What was found then compares one build's manifest with another build's files.
        findings = (Problem(str(manifest_file), 0, 0, "was replaced while it was verified", "verify again"),)
    return Verification(findings, tuple(work.notes), manifest["mode"], manifest["digest"], work.files, work.size)


def _is_canonical(manifest: treaty.Manifest, data: bytes) -> bool:
    try:
        return treaty.dump(manifest) == data
    except RecursionError:
        return False


def _is_as_written(manifest: treaty.Manifest, data: bytes) -> bool:
    """Whether the checksum is that of the text; where there is none, whether it does not stand under a key that was another."""
    said = manifest.get("checksum")
    if said is not None:
        return said == treaty.checksum(data, "checksum")
    texts = {key: value for key, value in manifest.items() if isinstance(value, str) and _SUM.fullmatch(value)}
    return not any(value == treaty.checksum(data, key) for key, value in texts.items())


@dataclass(frozen=True, slots=True)
class _Record:
    """What the manifest says of one file. digest: its SHA-256 in hex digits, or "" where the integrity is malformed."""

    path: str
    digest: str
    size: int
    variants: Mapping[treaty.Coding, int]


@dataclass(frozen=True, slots=True)
class _Content:
    """What a file holds, as far as it is known to be what was built."""

    digest: str
    size: int


class _Work:
    """One verification under way: what was found so far, and what the later steps need of the earlier ones."""

    def __init__(self, folder: Path, manifest: treaty.Manifest, progress: Callable[[int, int], None]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.progress = progress
        self.findings: list[Problem] = []
        self.notes: list[str] = []
        self.files = 0
        self.size = 0
        # Public paths that the manifest names; and those that it would name if an entry of it were not wrong.
        self.named: set[str] = set()
        self.excused: set[str] = set()
        # Links, devices and whatever else is neither a file nor a folder; told of once.
        self.odd: set[str] = set()
        self.rows: list[tuple[str, str]] = []
        # Files of the recorded size whose bytes are not the recorded ones: path → (recorded, found).
        self.other: dict[str, tuple[str, str]] = {}
        # All files whose bytes are not the recorded ones; those that could not be read, with what was said of that.
        self.wrong: set[str] = set()
        self.unread: dict[str, Problem] = {}
        # Files that the manifest does not name.
        self.extra: dict[str, Problem] = {}
        self.undecoded: dict[str, int] = {}

    def find(self, path: str, message: str, hint: str = "", line: int = 0, column: int = 0) -> None:
        self.findings.append(Problem(str(self.folder / path), line, column, message, hint))

    def run(self) -> None:
        records, assets = self._records()
        for record in records.values():
            self.named.add(record.path)
            self.named.update(record.path + treaty.SUFFIXES[coding] for coding in record.variants)
        self._walk()
        before = len(self.findings)
        contents = self._hash(records.values())
        for logical_path, entry in assets.values():
            self._name(logical_path, entry, records[entry["path"]], contents.get(entry["path"]))
        for path, content in contents.items():
            self._variants(records[path], content)
        self._swapped()
        # A wrong file makes the digest wrong: that it is has then been said.
        if len(self.findings) == before and self._whole() and treaty.digest(self.rows) != self.manifest["digest"]:
            self._digest()
        for logical_path, entry in assets.values():
            self._references(logical_path, entry, records[entry["path"]])
        for coding, count in sorted(self.undecoded.items()):
            what = "1 variant was" if count == 1 else f"{count:,} variants were"
            self.notes.append(f"{what} not unpacked, since this Python has no module that reads {coding}")

    def _records(self) -> tuple[dict[str, _Record], dict[str, tuple[str, treaty.Entry]]]:
        """What the manifest says of each file; and its assets (logical path, entry), those apart whose logical path is none.
        Both by public path."""
        records: dict[str, _Record] = {}
        assets: dict[str, tuple[str, treaty.Entry]] = {}
        groups: dict[str, str] = {}
        for logical_path, entry in self.manifest["assets"].items():
            record = self._record(entry["path"], entry, logical_path)
            if record is None:
                continue
            if record.path in records:
                self.find(treaty.NAME, f'two entries have the path "{record.path}"', _REBUILD)
                # The entry that the name fits is the right one; of the other nothing more is to be said.
                if not _fits(record.path, logical_path, entry):
                    continue
            records[record.path] = record
            if fault := _unsafe(logical_path):
                self.find(treaty.NAME, f'"{logical_path}" is no path of an artifact: {fault}', _REBUILD)
                continue
            assets[record.path] = (logical_path, entry)
            # Who shares a fingerprint shares the whole of what it was taken from.
            group = _SUM.fullmatch(entry.get("group", ""))
            if group and groups.setdefault(group[1][:12], group[1]) != group[1]:
                self.find(record.path, "its group's digest is not that of the others in its group", _REBUILD)
        for release in self.manifest["previous"]:
            if not _SUM.fullmatch(release["digest"]):
                self.find(treaty.NAME, f'the digest "{release["digest"]}" of an earlier release is malformed', _REBUILD)
            for path, carried in release["files"].items():
                record = self._record(path, carried, None)
                if record is not None and records.setdefault(path, record) != record:
                    self.find(treaty.NAME, f'two entries of "{path}" contradict each other', _REBUILD)
        return records, assets

    def _whole(self) -> bool:
        """Whether every file that the manifest means was read."""
        return not self.excused and len(self.rows) == len(self.named)

    def _record(self, path: str, entry: treaty.Entry | treaty.Carried, logical_path: str | None) -> _Record | None:
        """What an entry says, or None where its path is not one to open."""
        digest = _decoded(entry["integrity"])
        variants = dict(entry.get("variants", {}))
        for unknown in sorted(variants.keys() - treaty.SUFFIXES.keys()):
            self.find(treaty.NAME, f'"{path}" has a variant of the unknown kind "{unknown}"', _REBUILD)
            del variants[unknown]
        fault = _unsafe(path)
        if logical_path is not None and not _unsafe(logical_path):
            # Where the name is wrong, the file is probably called this, and is then no file too many.
            likely = _likely(logical_path, entry)
            if fault or (likely and path not in (*likely, logical_path)):
                for name in (*likely, logical_path):
                    self.excused.update((name, *(name + treaty.SUFFIXES[coding] for coding in variants)))
        if fault:
            self.find(treaty.NAME, f'"{path}" is no path of an artifact: {fault}', _REBUILD)
            return None
        if not digest:
            self.find(path, f'its integrity "{entry["integrity"]}" is malformed', _REBUILD)
        return _Record(path, digest, entry["size"], variants)

    def _walk(self) -> None:
        """Find what is in the folder and not in the manifest."""
        leftovers = self._journal()
        folders = [""]
        parents = {parent for path in self.named for parent in _parents(path)}
        left = []
        while folders:
            folder = folders.pop()
            try:
                entries = sorted(os.scandir(self.folder / folder), key=lambda entry: entry.name)
            except OSError as error:
                self.find(folder, f"this folder cannot be read: {error.strerror}")
                continue
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                # What is called or lies below a name with a dot is others' business, unless the manifest names it.
                if (entry.name.startswith(".") or "/." in f"/{folder}") and path not in self.named and path not in parents:
                    continue
                try:
                    mode = entry.stat(follow_symlinks=False).st_mode
                except FileNotFoundError:
                    continue  # It went meanwhile; if it was named, it will be missing.
                if stat.S_ISDIR(mode):
                    folders.append(path)
                elif not stat.S_ISREG(mode):
                    self.odd.add(path)
                    self.find(path, f"is {_kind(mode)}, not a file", _REMOVE)
                elif leftovers is not None and path in leftovers and path not in self.named:
                    left.append(path)
                elif path not in self.named and path not in self.excused and path != treaty.NAME:
                    self.find(path, "is not in the manifest", "remove it, if it is not needed")
                    self.extra[path] = self.findings[-1]
        if leftovers is not None:
            what = "1 file of it is left" if len(left) == 1 else f"{len(left) or 'no'} files of it are left"
            self.notes.append(f"{self.folder / treaty.JOURNAL}: a build did not come to its end; {what}; {_REBUILD}")

    def _journal(self) -> frozenset[str] | None:
        """The public paths that an unfinished build was about to write; None where every build came to its end."""
        try:
            with _opened(self.folder / treaty.JOURNAL) as file:
                lines = file.read().decode("utf-8", "surrogateescape").split("\n")
        except OSError:
            return None
        return frozenset(lines[1:]) if lines[0] == "assetbuild-journal 1" else frozenset()

    def _hash(self, records: Iterable[_Record]) -> dict[str, _Content | None]:
        """Read every plain file; tell what is missing or changed; give what each should hold, None where nobody knows."""
        contents: dict[str, _Content | None] = {}
        todo = sorted(records, key=lambda record: record.path)
        for done, record in enumerate(todo):
            self.progress(done, len(todo))
            recorded = _Content(record.digest, record.size) if record.digest else None
            found = self._read(record.path)
            if found is None:
                contents[record.path] = recorded
                continue
            digest, size = found
            self.rows.append((digest, record.path))
            if record.digest and digest != record.digest:
                contents[record.path] = recorded
                self.wrong.add(record.path)
                if size != record.size:
                    self._size(record.path, size, record.size)
                else:
                    self.other[record.path] = record.digest, digest
                continue
            contents[record.path] = _Content(digest, size)
            if size != record.size:
                self._size(record.path, size, record.size)
        self.progress(len(todo), len(todo))
        return contents

    def _size(self, path: str, found: int, recorded: int) -> None:
        self.find(path, f"has {found:,} bytes, the manifest says {recorded:,}", _REBUILD)

    def _read(self, path: str) -> tuple[str, int] | None:
        """Digest and size of a file; None, and a finding, where it cannot be had."""
        sha = hashlib.sha256()
        size = 0
        try:
            for piece in self._pieces(path):
                sha.update(piece)
                size += len(piece)
        except _UnreadableError as error:
            self._unreadable(path, error)
            return None
        self.files += 1
        self.size += size
        return sha.hexdigest(), size

    def _pieces(self, path: str) -> Iterator[bytes]:
        """A file's bytes. Raises _UnreadableError: absent, no file, changed meanwhile."""
        if any(place in self.odd for place in (path, *_parents(path))):
            raise _UnreadableError("")
        try:
            with _opened(self.folder / path) as file:
                before = os.fstat(file.fileno())
                if not stat.S_ISREG(before.st_mode):
                    raise _UnreadableError(f"is {_kind(before.st_mode)}, not a file", _REMOVE)
                while piece := file.read(PIECE):
                    yield piece
                after = os.fstat(file.fileno())
        except (FileNotFoundError, NotADirectoryError):
            raise _UnreadableError("is missing") from None
        except OSError as error:
            hint = _REMOVE if isinstance(error, IsADirectoryError) else _REBUILD
            raise _UnreadableError(f"cannot be read: {error.strerror}", hint) from None
        if (before.st_size, before.st_mtime_ns, before.st_ctime_ns) != (
            after.st_size,
            after.st_mtime_ns,
            after.st_ctime_ns,
        ):
            raise _UnreadableError("was changed while it was verified")

    def _unreadable(self, path: str, error: _UnreadableError) -> None:
        # Without a message it has been said already what is wrong there.
        if str(error):
            self.find(path, str(error), error.hint)
            self.unread[path] = self.findings[-1]

    def _name(self, logical_path: str, entry: treaty.Entry, record: _Record, content: _Content | None) -> None:
        """Whether the fingerprint in a name is that of the bytes; of a cycle's member, that of its group."""
        path = record.path
        if path == logical_path:
            return
        if "group" in entry:
            group = _SUM.fullmatch(entry["group"])
            if group is None:
                self.find(path, f'its group "{entry["group"]}" is malformed', _REBUILD)
                return
            digests = {group[1]}
        else:
            # Where the two differ, that has been said; the name is right if either is in it.
            digests = {digest for row in (self.other.get(path, ()), (record.digest,)) for digest in row if digest}
            digests |= {content.digest} if content else set()
        wanted = sorted(_fingerprinted(logical_path, digest) for digest in digests)
        if wanted and path not in wanted:
            if unread := self.unread.get(path):
                self.findings.remove(unread)  # What is called so is another thing.
            self.find(path, f'the fingerprint in its name is wrong; it should be "{posixpath.basename(wanted[0])}"', _REBUILD)

    def _variants(self, record: _Record, content: _Content | None) -> None:
        """Whether each variant has its size and unpacks to the plain file."""
        for coding, recorded in sorted(record.variants.items()):
            path = record.path + treaty.SUFFIXES[coding]
            found = self._read(path)
            if found is None:
                continue
            self.rows.append((found[0], path))
            if found[1] != recorded:
                self._size(path, found[1], recorded)
                continue
            unpack = unpacker(coding)
            if unpack is None:
                self.undecoded[coding] = self.undecoded.get(coding, 0) + 1
                continue
            if content is None:
                continue
            fault = self._unpack(path, unpack, content)
            if fault:
                self.find(path, fault, _REBUILD)

    def _unpack(self, path: str, unpack: Unpack, content: _Content) -> str:
        """What is wrong with a variant, or ""."""
        sha = hashlib.sha256()
        size = 0
        try:
            for piece in unpack(self._pieces(path)):
                size += len(piece)
                # A few bytes can unpack to gigabytes; what is too much already need not be read on.
                if size > content.size:
                    return f"unpacks to more than the {content.size:,} bytes of the plain file"
                sha.update(piece)
        except (UnpackError, _UnreadableError) as error:
            return str(error)
        if sha.hexdigest() != content.digest:
            return "unpacks to something else than the plain file"
        return ""

    def _digest(self) -> None:
        """The digest is not that of the files that the manifest names: tell why."""
        variants = [path for path in self.extra if any(path.removesuffix(s) in self.named for s in treaty.SUFFIXES.values())]
        rows = list(self.rows)
        for path in variants:
            with contextlib.suppress(_UnreadableError):
                sha = hashlib.sha256()
                for piece in self._pieces(path):
                    sha.update(piece)
                rows.append((sha.hexdigest(), path))
        if treaty.digest(rows) != self.manifest["digest"]:
            self.find(treaty.NAME, "its digest is not that of the files", _REBUILD)
            return
        for path in variants:
            # The build made it: what is wrong is the entry that has lost it.
            self.findings.remove(self.extra[path])
            self.find(path, "is a variant that its entry in the manifest does not name", _REBUILD)

    def _swapped(self) -> None:
        """Tell of files with other bytes; of two that have each other's, once."""
        told: set[str] = set()
        by_digest = {recorded: path for path, (recorded, _) in self.other.items()}
        for path, (recorded, found) in sorted(self.other.items()):
            partner = by_digest.get(found)
            if path in told:
                continue
            if partner is not None and self.other[partner][1] == recorded:
                told.add(partner)
                self.find(path, f'has the bytes of "{partner}", and that file has its bytes', _REBUILD)
            else:
                self.find(path, "its bytes are not those of its integrity", _REBUILD)

    def _references(self, logical_path: str, entry: treaty.Entry, record: _Record) -> None:
        """Whether every reference in a published text leads to a file of the artifact."""
        # References of a text that is not the built one say nothing of the build.
        scanner = _SCANNERS.get(posixpath.splitext(logical_path)[1].lower())
        if scanner is None or record.path in self.wrong:
            return
        try:
            text = b"".join(self._pieces(record.path)).decode()
            references = scanner(text).references
        except (_UnreadableError, UnicodeDecodeError, LexError):
            # The first has been told of; a script that does not lex is published as it is, unlinked.
            return
        passed = frozenset(entry.get("missing", ()))
        lines = Lines(text)
        for reference in references:
            written = text[reference.start : reference.end]
            if reference.path in passed or written in passed or unquote(reference.path) in passed:
                continue
            if not self._leads(record.path, reference):
                line, column = lines.place(reference.start)
                self.find(record.path, f'"{reference.path}" leads nowhere in the artifact', _REBUILD, line, column)

    def _leads(self, public_path: str, reference: Reference) -> bool:
        # As browsers read a URL: these are dropped, and a backslash is a slash (https://url.spec.whatwg.org/#url-parsing).
        path = re.sub(r"[\t\r\n]", "", reference.path).replace("\\", "/")
        if not is_local(path) or (reference.kind == "module" and not path.startswith(("./", "../", "/"))):
            return True
        folder = posixpath.dirname(public_path)
        if path.startswith("/"):
            try:
                base = urlsplit(self.manifest["base_url"])
            except ValueError:  # No URL: nothing is below it.
                return True
            below = unquote(base.path).rstrip("/") + "/"
            path = posixpath.normpath(unquote(path))  # `/static/../x` is not below `/static/`.
            if base.netloc or not base.path or not path.startswith(below):
                return True
            folder, path = "", path[len(below) :]
        targets = {posixpath.normpath(posixpath.join(folder, name)) for name in (path, unquote(path))}
        return not targets.isdisjoint(self.named) or not targets.isdisjoint(self.excused)


class _UnreadableError(Exception):
    """A file's bytes cannot be had; the message says why, or is empty where that has been told."""

    def __init__(self, message: str, hint: str = _REBUILD) -> None:
        super().__init__(message)
        self.hint = hint


def _decoded(integrity: str) -> str:
    """The SHA-256 in hex digits of "sha256-…=", or "" where it is not exactly that (Subresource Integrity, 3.1)."""
    try:
        digest = base64.b64decode(integrity.removeprefix("sha256-"), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return digest.hex() if integrity == "sha256-" + base64.b64encode(digest).decode() and len(digest) == 32 else ""


def _unsafe(path: str) -> str:
    """Why a path of a manifest is not to be opened, or ""."""
    if not path:
        return "it is empty"
    if path.startswith("/"):
        return "it is absolute"
    if "\\" in path:
        return "it holds a backslash"
    if _CONTROL.search(path):
        return "it holds a control character"
    parts = path.split("/")
    if ".." in parts or "." in parts or "" in parts:
        return "one of its parts is empty, `.` or `..`"
    if path in (treaty.NAME, treaty.JOURNAL):
        return "it is assetbuild's own"
    return "it is too long" if len(path) > _LONGEST_PATH or any(len(part.encode()) > 255 for part in parts) else ""


def _parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _fingerprinted(logical_path: str, digest: str) -> str:
    """css/app.css → css/app.5d41402abc4b.css"""
    folder, name = posixpath.split(logical_path)
    stem, dot, suffix = name.rpartition(".")
    if not stem or not suffix:
        stem, dot, suffix = name, "", ""
    return posixpath.join(folder, f"{stem}.{digest[:12]}{dot}{suffix}")


def _likely(logical_path: str, entry: treaty.Entry | treaty.Carried) -> tuple[str, ...]:
    """What the file of an entry is called if the entry is right but for its path; nothing where no digest says it."""
    group = _SUM.fullmatch(str(entry.get("group")))
    digest = group[1] if group else _decoded(entry["integrity"])
    return (_fingerprinted(logical_path, digest),) if digest else ()


def _fits(path: str, logical_path: str, entry: treaty.Entry) -> bool:
    return path in (*_likely(logical_path, entry), logical_path)


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISLNK, "a symbolic link"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"))
    if stat.S_ISDIR(mode):
        return "a folder"
    return next((name for test, name in kinds if test(mode)), "a device")


def _opened(path: Path) -> FileIO:
    # A FIFO is not waited for, and a link, which may have taken a file's place by now, is not followed.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
    return FileIO(path, opener=lambda name, _: os.open(name, flags))
