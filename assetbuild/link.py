"""Names into texts: each reference resolved inside the tree, each file named by its final bytes, in an order in which the
referred come first. Nothing here touches the disk; texts come from a function and go to whoever asks for them."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from assetbuild import fingerprint
from assetbuild.graph import groups
from assetbuild.references import Kind, Reference, substitute

#: A reference that names nothing in the tree.
MISSING = ""


def aim(logical_path: str, reference: Reference, base_url: str) -> str | None:
    """The logical path that a reference in this file means, whether there is such a file or not; None where it is left alone.

    Relative references are resolved as browsers do (URL Standard): against the folder of the file, `\\` taken for `/`, tab
    and line ends dropped, and only then percent escapes decoded, so that `%5C` parts no folders. An absolute path counts
    below the path of the base URL only.
    """
    path = unquote(re.sub(r"[\t\r\n]", "", reference.path).replace("\\", "/"))
    if path.startswith("/"):
        base = unquote(urlsplit(base_url).path) if not urlsplit(base_url).netloc else ""
        path = posixpath.normpath(path)
        return path[len(base) :] if base and path.startswith(base) else None
    return posixpath.normpath(posixpath.join(posixpath.dirname(logical_path), path))


def resolve(logical_path: str, reference: Reference, tree: Collection[str], base_url: str) -> str | None:
    """The same, but MISSING where the tree has no such file."""
    path = aim(logical_path, reference, base_url)
    return path if path is None or path in tree else MISSING


def relative(from_path: str, to_path: str, kind: Kind) -> str:
    """The text of a reference from one public path to another: relative, percent-encoded, safe in quotes, in url() and in
    comments."""
    here, there = from_path.split("/")[:-1], to_path.split("/")
    common = 0
    while common < len(here) and common < len(there) - 1 and here[common] == there[common]:
        common += 1
    # Quotes, brackets, blanks, `*` and the URL's own delimiters are encoded, whatever stands around the path.
    text = "../" * (len(here) - common) + quote("/".join(there[common:]), safe="/@+,=!$~")
    return "./" + text if kind == "module" and not text.startswith("../") else text


class Text(NamedTuple):
    """A file of the build before it is linked.

    digest, size: of its bytes as they are now. targets: for each reference the logical path, MISSING, or None.
    kept: published under its own name.
    """

    logical_path: str
    digest: str
    size: int
    references: tuple[Reference, ...]
    targets: tuple[str | None, ...]
    kept: bool = False


class Output(NamedTuple):
    """A file of the artifact. digest: the SHA-256 of its final bytes in hex digits. linked: whether its text differs from
    the compiled one. group: the digest that it shares with its cycle, or ""."""

    logical_path: str
    public_path: str
    digest: str
    size: int
    linked: bool
    group: str = ""


class Linker:
    """Gives every file its name, and hands over the final bytes of each that its names change, so that none has to be kept in
    memory.

    read: the compiled bytes of a logical path. keep: takes a logical path and its final bytes; the compiled ones are not read
    after that. names: public paths of what is linked already, and refers to none of these.
    """

    def __init__(
        self,
        texts: Mapping[str, Text],
        read: Callable[[str], bytes],
        keep: Callable[[str, bytes], None],
        names: Mapping[str, str] = {},
    ) -> None:
        self._texts = texts
        self._read = read
        self._keep = keep
        self.names: dict[str, str] = {path: path for path, text in texts.items() if text.kept}
        self._linked = names  # Thousands, of which few are asked for.
        self.outputs: dict[str, Output] = {}

    def link(self, progress: Callable[[int], None]) -> dict[str, Output]:
        """Name and hash everything. Raises what `read` raises."""
        edges = {path: {aim for aim in text.targets if aim and self._waits(aim)} for path, text in self._texts.items()}
        for members in groups(edges):
            if len(members) > 1 or members[0] in edges[members[0]]:
                self._link_group(members)
            else:
                self._link_one(members[0])
            progress(len(self.outputs))
        return self.outputs

    def _waits(self, target: str) -> bool:
        return target not in self.names and target not in self._linked

    def _link_one(self, path: str) -> None:
        text = self._texts[path]
        digest, size, linked = text.digest, text.size, False
        if self._changes(text):
            data = self._render(path)
            self._keep(path, data)
            digest, size, linked = hashlib.sha256(data).hexdigest(), len(data), True
        self.names.setdefault(path, fingerprint.public_path(path, digest))
        self.outputs[path] = Output(path, self.names[path], digest, size, linked)

    def _link_group(self, members: tuple[str, ...]) -> None:
        # Inside the cycle the references stand as the logical paths that they mean while its digest is taken.
        own = {path: path for path in members}
        digest = fingerprint.group_digest((path, self._render(path, own)) for path in members)
        self.names.update((path, fingerprint.public_path(path, digest)) for path in members)
        for path in members:
            data = self._render(path)
            self._keep(path, data)
            file_digest = hashlib.sha256(data).hexdigest()
            self.outputs[path] = Output(path, self.names[path], file_digest, len(data), True, digest)

    @staticmethod
    def _changes(text: Text) -> bool:
        return any(
            target or (target == MISSING and reference.kind == "sourcemap")
            for reference, target in zip(text.references, text.targets, strict=True)
        )

    def _render(self, path: str, provisional: Mapping[str, str] = {}) -> bytes:
        """The bytes of a file with the final names in it; `provisional`: names for files that have none yet."""
        text = self._texts[path]
        data = self._read(path)
        if not self._changes(text):
            return data
        here = provisional.get(path) or self.names.get(path) or path
        replacements = []
        for reference, target in zip(text.references, text.targets, strict=True):
            if target:
                name = provisional.get(target) or self.names.get(target) or self._linked[target]
                replacements.append((reference.start, reference.end, relative(here, name, reference.kind)))
            elif target == MISSING and reference.kind == "sourcemap":
                replacements.append((*reference.whole, reference.instead))
        return substitute(data.decode(), replacements).encode()
