"""The manifest file: the treaty between the half that builds and the half that serves. Its shape, how it is read,
how it is written, and the digest that stands in it. Nothing here looks at any other file of the artifact."""

# Every web process imports this: pathlib, json, hashlib and typing would take longer to load than all the rest.
from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal, NotRequired, TypeAlias, TypedDict

    Coding: TypeAlias = Literal["br", "gzip", "zstd"]

    class Entry(TypedDict):
        """One asset of the current build.

        path: the public path. integrity: "sha256-" and base64, ready for the HTML attribute. size: in bytes.
        type: the media type. variants: sizes in bytes by content coding. group: "sha256-" and 64 hex digits, in members
        of a cycle. missing: references that lead nowhere and were let pass, as they stand in the text. imports: the
        modules that a module loads at once.
        """

        path: str
        integrity: str
        size: int
        type: str
        variants: NotRequired[dict[Coding, int]]
        group: NotRequired[str]
        missing: NotRequired[list[str]]
        imports: NotRequired[list[str]]

    class Carried(TypedDict):
        """A file of an earlier release that the current build lacks."""

        integrity: str
        size: int
        variants: NotRequired[dict[Coding, int]]

    class Release(TypedDict):
        """An earlier release: its digest, its files by public path, its SOURCE_DATE_EPOCH (seconds) where one was set."""

        digest: str
        files: dict[str, Carried]
        date: NotRequired[int]

    class Manifest(TypedDict):
        """What the file holds; assets by logical path, earlier releases newest first.

        checksum: the SHA-256 of the manifest without the line that has this key.
        compressors: what made the assets' variants, with version and level, sorted; absent where there are none.
        date: SOURCE_DATE_EPOCH, in seconds, where one was set.
        live_reload: the URL of the script that `assetbuild watch --live-reload` serves; never in production.
        """

        version: int
        mode: Literal["production", "development"]
        digest: str
        base_url: str
        assets: dict[str, Entry]
        previous: list[Release]
        checksum: NotRequired[str]
        date: NotRequired[int]
        compressors: NotRequired[list[str]]
        live_reload: NotRequired[str]

else:
    # At run time a typed dictionary is a dictionary; importing typing would cost more than all the rest.
    Coding = str
    Entry = Carried = Release = Manifest = dict

VERSION = 1
NAME = "manifest.json"
JOURNAL = ".assetbuild-journal"

# What a variant's file name ends in, by content coding.
SUFFIXES: dict[Coding, str] = {"br": ".br", "gzip": ".gz", "zstd": ".zst"}

# Far above the 30 MB of 100,000 assets; a file beyond them is not one that a build wrote.
MAX_BYTES = 256 * 1024 * 1024
MAX_ASSETS = 1_000_000
_TOO_LARGE = f"is larger than {MAX_BYTES:,} bytes"

_RUN = "run `assetbuild compile`"
# A build refuses a folder whose manifest it cannot read: whatever is in it may be someone's.
ANEW = f"remove the folder and {_RUN}"


class ManifestError(Exception):
    """There is no manifest that can be read.

    file: the manifest's path as it was asked for. message: what is wrong, without a full stop. hint: what to do.
    """

    def __init__(self, file: str, message: str, hint: str = ANEW) -> None:
        super().__init__(file, message, hint)
        self.file = file
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return printable(f"{self.file}: {self.message}; {self.hint}")

    def by(self, program: str) -> ManifestError:
        """The same, where the command line is called something else: "flask assetbuild"."""
        return ManifestError(self.file, self.message, self.hint.replace("`assetbuild ", f"`{program} "))


def printable(text: str) -> str:
    """The text on one line, without what a terminal would act on: control characters are written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def load(path: str | os.PathLike[str], *, or_else: str = "") -> Manifest:
    """The manifest in a file. or_else: what to do where it is absent, besides running a build.

    Raises ManifestError for whatever may be wrong with the file or with what it holds.
    """
    where = os.fspath(path)
    return parse(read(where, or_else=or_else), where)


def read(where: str, *, or_else: str = "") -> bytes:
    """A manifest's bytes. Raises ManifestError: absent, a folder, a device, too large, not to be read."""
    try:
        status = os.stat(where)
        # A FIFO would block when it is opened.
        if not stat.S_ISREG(status.st_mode):
            raise ManifestError(where, f"this is {'a folder' if os.path.isdir(where) else 'no regular file'}")
        if status.st_size > MAX_BYTES:
            raise ManifestError(where, _TOO_LARGE)
        with open(where, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        message = "there is no such file"
        if not os.path.isabs(where):
            message += f" in {_working_folder()}"
        raise ManifestError(where, message, f"{_RUN}, or {or_else}" if or_else else _RUN) from None
    except OSError as error:
        raise ManifestError(where, f"cannot be read: {error.strerror}", "make it readable for this process") from None
    except ValueError as error:
        raise ManifestError(repr(where), str(error)) from None


def parse(data: bytes, where: str) -> Manifest:
    """The manifest in these bytes; `where` names them in errors. Keys that are not known are kept and not looked at.

    Raises ManifestError: not UTF-8, not JSON, a key twice in one object, nested too deeply, another version, a wrong
    type somewhere, more than can be right.
    """
    import json

    from assetbuild.runtime import shape

    if len(data) > MAX_BYTES:
        raise ManifestError(where, _TOO_LARGE)
    try:
        text = data.decode()
        manifest = json.loads(text, object_pairs_hook=shape.unique, parse_constant=shape.refuse)
        # Only an escape can bring half a surrogate pair into the text of a JSON string.
        if "\\ud" in text or "\\uD" in text:
            json.dumps(manifest, ensure_ascii=False).encode()
    except UnicodeError:
        raise ManifestError(where, "is not UTF-8") from None
    except RecursionError:
        raise ManifestError(where, "is nested too deeply") from None
    except shape.RepeatedKeyError as error:
        raise ManifestError(where, f"has the key {error} twice in one object") from None
    except ValueError as error:
        raise ManifestError(where, f"is not JSON: {error}") from None
    fault = shape.fault(manifest, version=VERSION, most=MAX_ASSETS)
    if fault:
        hint = f"{ANEW}, or install the version of assetbuild that wrote it" if fault.startswith("version") else ANEW
        raise ManifestError(where, fault, hint)
    checked: Manifest = manifest
    return checked


def dump(manifest: Manifest) -> bytes:
    """The manifest in its one form: UTF-8, keys sorted, indented by two, a newline at the end."""
    return (written(manifest, "\n") + "\n").encode()


def checksum(data: bytes, key: str) -> str:
    """What the checksum of a manifest has to be that has it under this key: `grep -v '^  "checksum": ' | sha256sum`."""
    import hashlib
    import json
    import re

    line = rb"^  %b: [^\n]*\n" % re.escape(json.dumps(key, ensure_ascii=False).encode())
    return "sha256-" + hashlib.sha256(re.sub(line, b"", data, flags=re.MULTILINE)).hexdigest()


def written(value: object, inset: str) -> str:
    """What json.dumps(…, sort_keys=True, indent=2) writes, in a third of its time: with an indent it runs in Python, and
    through a generator for each level. inset: a line end and the blanks behind it."""
    from json import encoder

    if type(value) is str:
        return encoder.encode_basestring(value)
    if type(value) is int:
        return int.__repr__(value)
    deeper = inset + "  "
    if type(value) is dict and value:
        items = [f"{encoder.encode_basestring(key)}: {written(value[key], deeper)}" for key in sorted(value)]
        return "{" + deeper + ("," + deeper).join(items) + inset + "}"
    if type(value) is list and value:
        return "[" + deeper + ("," + deeper).join([written(item, deeper) for item in value]) + inset + "]"
    return encoder.JSONEncoder().encode(value)


def digest(rows: Iterable[tuple[str, str]]) -> str:
    """An artifact's digest, "sha256-" and 64 hex digits: the SHA-256 of the text that `sha256sum` prints for its files,
    sorted by path. A row is a file's SHA-256 in hex and its public path."""
    import hashlib

    # sha256sum escapes backslashes and line ends in names; no public path has either.
    lines = (f"{hexadecimal}  {path}\n" for hexadecimal, path in sorted(rows, key=lambda row: row[1]))
    return "sha256-" + hashlib.sha256("".join(lines).encode()).hexdigest()


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "the working folder, which is gone"
