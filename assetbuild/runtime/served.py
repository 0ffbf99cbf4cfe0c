"""Which files of an artifact a web process may hand out: those that the manifest names, each with its media type and how long
it may be kept. For a process that has no web server, and no WhiteNoise, before it."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from assetbuild.runtime import Assets
from assetbuild.runtime import manifest as treaty
from assetbuild.runtime.manifest import Coding

_FINGERPRINTED = re.compile(r"\.[0-9a-f]{12}(?:\.[^/]*)?$")
_FOR_EVER = "public, max-age=31536000, immutable"
_TEXT = ("application/json", "application/manifest+json", "application/xml", "image/svg+xml")
# RFC 9110, section 12.4.2: at most three digits behind the point, and no more than 1.
_QUALITY = re.compile(r"[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


@dataclass(frozen=True, slots=True)
class Served:
    """What a file is handed out with.

    file: where it is, absolute. type: its media type; "" where neither the manifest tells it nor another file of that suffix.
    immutable: whether its name changes with its bytes. etag: what tells its bytes from others, the same in every process.
    variants: sizes in bytes by content coding. coding: that of the variant that this is, "" for the file itself.
    """

    file: str
    type: str
    immutable: bool
    etag: str
    variants: Mapping[Coding, int]
    coding: str = ""

    @property
    def cache_control(self) -> str:
        return _FOR_EVER if self.immutable else "no-cache"

    @property
    def content_type(self) -> str:
        """With the encoding, where it is text."""
        return f"{self.type}; charset=utf-8" if self.type.startswith("text/") or self.type in _TEXT else self.type

    @property
    def headers(self) -> dict[str, str]:
        """What tells a browser, and caches before it, how long to keep it and what of it this is."""
        headers = {"Cache-Control": self.cache_control, "X-Content-Type-Options": "nosniff"}
        if self.variants:
            headers["Vary"] = "Accept-Encoding"
        if self.coding:
            headers["Content-Encoding"] = self.coding
        return headers

    def negotiated(self, accept_encoding: str) -> Served:
        """The variant that a request with this header gets (RFC 9110, section 12.5.3): of what it likes best the smallest.
        The file itself where it takes none, likes the file better, or the variant is not there."""
        if not self.variants or not accept_encoding:
            return self
        liked = _qualities(accept_encoding)
        rest, plain = liked.get("*", 0.0), liked.get("identity", 0.0)
        offered = [(liked.get(coding, rest), -size, coding) for coding, size in self.variants.items()]
        quality, _, coding = max(offered)
        file = self.file + treaty.SUFFIXES[coding]
        if quality <= 0 or quality < plain or not os.path.isfile(file):
            return self
        return replace(self, file=file, etag=f"{self.etag}-{coding}", coding=coding)


class Artifact:
    """The files of the artifact that an Assets answers from; looked up in a dictionary, never by joining paths.

    Raises ManifestError where the manifest cannot be read.
    """

    __slots__ = ("_assets", "_folder", "_known")

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._folder = os.path.abspath(assets.folder)
        self._known = assets.digest, _files(self._folder)

    def find(self, public_path: str) -> Served | None:
        """A file by its public path; None for whatever the manifest does not name."""
        digest = self._assets.digest
        if digest != self._known[0]:
            # One that is being replaced is found at the next request.
            with contextlib.suppress(treaty.ManifestError):
                self._known = digest, _files(self._folder)
        return self._known[1].get(public_path)


def _files(folder: str) -> dict[str, Served]:
    manifest = treaty.load(os.path.join(folder, treaty.NAME))
    found = {}
    types = {}
    for logical_path, entry in manifest["assets"].items():
        path = entry["path"]
        types[_suffix(path)] = entry["type"]
        # A kept name may look fingerprinted; what it names may change all the same.
        file, etag = os.path.join(folder, path), entry["integrity"][7:23]
        found[path] = Served(file, entry["type"], path != logical_path, etag, entry.get("variants", {}))
    for release in manifest["previous"]:
        for path, carried in release["files"].items():
            immutable = _FINGERPRINTED.search(path) is not None
            file, etag, type_ = os.path.join(folder, path), carried["integrity"][7:23], types.get(_suffix(path), "")
            found.setdefault(path, Served(file, type_, immutable, etag, carried.get("variants", {})))
    return found


def _qualities(header: str) -> dict[str, float]:
    """How much each coding is liked, 0 to 1, by its name; a part that cannot be read is not there."""
    liked = {}
    for part in header.lower().split(","):
        coding, _, weight = (word.strip() for word in part.partition(";"))
        quality = _QUALITY.fullmatch(weight or "q=1")
        if quality:
            liked[coding] = float(quality[1])
    return liked


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
