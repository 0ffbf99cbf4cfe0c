"""Documents that a build is asked for beside the artifact: where each may stand, so that nothing of the user's is lost and the
artifact keeps its promises; and how it comes there."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assetbuild.config import Config
from assetbuild.errors import AssetbuildError, ConfigError, Problem
from assetbuild.reading import content


@dataclass(frozen=True, slots=True)
class Document:
    """option: how the command line asks for it. file: where it is to be, as it was typed. kind: what it is, for messages.
    marks: values at its top, by key, by one of which such a document is known."""

    option: str
    file: str
    kind: str
    marks: Mapping[str, str]

    @property
    def place(self) -> str:
        """Where it really is: what a link leads to is written, and not the link."""
        return os.path.realpath(self.file)

    def write(self, data: bytes) -> None:
        """A file appears whole, or stays as it was. Raises AssetbuildError."""
        try:
            if _is_stream(self.file):
                with open(self.file, "ab") as stream:
                    stream.write(data)
                return
            new = Path(f"{self.place}.new-{os.getpid()}")
            try:
                new.write_bytes(data)
                new.replace(self.place)
            except BaseException:
                new.unlink(missing_ok=True)
                raise
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise AssetbuildError(f"{self.file} could not be written: {reason}") from error


def provenance(file: str) -> Document:
    """A statement, or an envelope into which a signer has put an earlier one."""
    marks = {"_type": "https://in-toto.io/Statement/v1", "payloadType": "application/vnd.in-toto+json"}
    return Document("--provenance", file, "statement of provenance", marks)


def bill(file: str) -> Document:
    """A bill of materials."""
    return Document("--sbom", file, "bill of materials", {"bomFormat": "CycloneDX"})


def check(documents: Sequence[Document], config: Config) -> None:
    """config: with its bundles adopted. Raises ConfigError with every document that may not be where it is asked for."""
    problems = []
    taken: dict[str, str] = {}
    for document in documents:
        fault, hint = _fault(document, config)
        if not fault and not _is_stream(document.file):
            other = taken.setdefault(document.place, document.option)
            if other != document.option:
                fault, hint = f"names the same file as {other}", "give each a file of its own"
        if fault:
            problems.append(Problem("", 0, 0, f"{document.option} {fault}", hint))
    if problems:
        raise ConfigError(problems)


def _fault(document: Document, config: Config) -> tuple[str, str]:
    """Why it may not be there, and what to do; "" where nothing is against it."""
    if not document.file:
        return "names no file", ""
    if _is_stream(document.file):
        return "", ""
    earlier = (path if path.is_dir() else path.parent for path in config.previous)  # Or its manifest is named.
    for folder in (config.output, *config.sources, *earlier):
        real = os.path.realpath(folder)
        if document.place == real or document.place.startswith(os.path.join(real, "")):
            return f"names a file in {config.shown(folder)}", "name one outside of it"
    if config.file and document.place == os.path.realpath(config.file):
        return f"names the configuration, {document.file}", "name another file"
    if os.path.isdir(document.place) or document.file.endswith("/"):
        return f"names a folder, {document.file}", "name a file in it"
    if os.path.exists(document.place) and not _is_such(document):
        return f"names {document.file}, which is there and no {document.kind}", "name another file, or remove that one"
    return "", ""


def _is_such(document: Document) -> bool:
    """Whether what is there is what an earlier build, or another tool, wrote of this kind; or nothing yet."""
    try:
        data = content(document.place)
        found = json.loads(data) if data else {}
    except (OSError, ValueError, RecursionError):
        return False
    return not data or (isinstance(found, dict) and any(found.get(key) == value for key, value in document.marks.items()))


def _is_stream(file: str) -> bool:
    """/dev/stdout, a pipe, a device: there is nothing to be lost, and nothing to be put in its place."""
    # Where the shell has led standard output into a file, that file is not to be replaced under it.
    if os.path.abspath(file).startswith(("/dev/std", "/dev/fd/", "/proc/")):
        return True
    try:
        mode = os.stat(file).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
