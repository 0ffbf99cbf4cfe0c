"""Final bytes → digest → public path."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

#: Hex digits of the SHA-256 in a file's name: the form that Django, WhiteNoise and ServeStatic take for immutable.
LENGTH = 12


def public_path(logical_path: str, digest: str) -> str:
    """`css/app.css` → `css/app.5d41402abc4b.css`, before the last suffix; a name without one gets it at the end.

    digest: the SHA-256 in hex digits, of the file's final bytes or of its cycle.
    """
    folder, slash, name = logical_path.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    if not stem or not suffix:
        stem, dot, suffix = name, "", ""
    return f"{folder}{slash}{stem}.{digest[:LENGTH]}{dot}{suffix}"


def integrity(digest: str) -> str:
    """The value of HTML's `integrity` attribute (Subresource Integrity, section 3.1) for a SHA-256 in hex digits."""
    return "sha256-" + base64.b64encode(bytes.fromhex(digest)).decode()


def group_digest(members: Iterable[tuple[str, bytes]]) -> str:
    """The digest that the members of a cycle share, in hex digits: over the names and texts of them all.

    members: logical path and text, in sorted order, where the references inside the cycle stand as the logical paths they
    mean (they cannot stand as the names that this digest is to give) and all others as they will be published. Each part
    goes in with its length before it, so that no two groups have one input.
    """
    sha = hashlib.sha256(b"assetbuild group 1\n")
    for name, text in members:
        for part in (name.encode(), text):
            sha.update(len(part).to_bytes(8, "big"))
            sha.update(part)
    return sha.hexdigest()
