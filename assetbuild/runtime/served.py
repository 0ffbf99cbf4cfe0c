"""Which files of an artifact a web process may hand out: those that the manifest names, each with its media type and how long
it may be kept. For a process that has no web server, and no WhiteNoise, before it."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass

from assetbuild.runtime import Assets
from assetbuild.runtime import manifest as treaty

_FINGERPRINTED = re.compile(r"\.[0-9a-f]{12}(?:\.[^/]*)?$")
_FOR_EVER = "public, max-age=31536000, immutable"
_TEXT = ("application/json", "application/manifest+json", "application/xml", "image/svg+xml")


@dataclass(frozen=True, slots=True)
class Served:
    """What a file is handed out with.

    file: where it is, absolute. type: its media type; "" where neither the manifest tells it nor another file of that suffix.
    immutable: whether its name changes with its bytes. etag: what tells its bytes from others, the same in every process.
    """

    file: str
    type: str
    immutable: bool
    etag: str = ""

    @property
    def cache_control(self) -> str:
        return _FOR_EVER if self.immutable else "no-cache"

    @property
    def content_type(self) -> str:
        """With the encoding, where it is text."""
        return f"{self.type}; charset=utf-8" if self.type.startswith("text/") or self.type in _TEXT else self.type


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
        found[path] = Served(os.path.join(folder, path), entry["type"], path != logical_path, entry["integrity"][7:23])
    for release in manifest["previous"]:
        for path, carried in release["files"].items():
            immutable = _FINGERPRINTED.search(path) is not None
            type_ = types.get(_suffix(path), "")
            found.setdefault(path, Served(os.path.join(folder, path), type_, immutable, carried["integrity"][7:23]))
    return found


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
