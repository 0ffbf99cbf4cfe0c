"""The assets in the manifest, as text: written once, and changed in place while assets come and go."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from json import encoder
from typing import TypeAlias

from assetbuild import texts
from assetbuild.runtime import manifest as treaty

#: In pieces, each behind the other.
Text: TypeAlias = Sequence[bytes | memoryview]

#: What stands before the assets and behind them; what each begins with, the first without its comma, and a line end as deep;
#: and what comes behind its name.
_BEFORE, _BEHIND, _MARK, _LINE, _OPEN = b'{\n  "assets": {', b"\n  },", b',\n    "', "\n    ", b": {\n"
#: The keys of an asset without variants, in order.
_USUAL = dict.fromkeys(("integrity", "path", "size", "type")).keys()


def entry(path: str, value: treaty.Entry) -> bytes:
    """An asset as it stands in the manifest, behind the comma that parts it from the one before."""
    if value.keys() == _USUAL:  # Nearly all; to write them so takes a third of the time.
        quoted = encoder.encode_basestring
        integrity, name, kind = quoted(value["integrity"]), quoted(value["path"]), quoted(value["type"])
        return (
            f',\n    {quoted(path)}: {{\n      "integrity": {integrity},\n      "path": {name},'
            f'\n      "size": {value["size"]},\n      "type": {kind}\n    }}'
        ).encode()
    return f",{_LINE}{treaty.written(path, _LINE)}: {treaty.written(value, _LINE)}".encode()


def joined(entries: Mapping[str, bytes]) -> Text:
    """The text of these assets, by logical path."""
    return [entries[path] for path in sorted(entries)]


def changed(manifest: bytes, gone: Collection[str], made: Mapping[str, bytes]) -> Text:
    """The text of the assets in a manifest that a build wrote, without some of them, and with others.

    gone: those that are to go. made: entries that are new, or in place of others.
    """
    there = manifest.startswith(b"\n", len(_BEFORE))  # Without keys it is all on one line.
    text = b"".join((b",", memoryview(manifest)[len(_BEFORE) : manifest.index(_BEHIND)])) if there else b""
    return texts.spliced(text, texts.Items(text, _MARK, _name).edits(gone, made))


def assembled(head: Mapping[str, object], assets: Text) -> tuple[bytes, str]:
    """The manifest, with its checksum, and the SHA-256 of it all. head: its other keys. assets: their text."""
    first, *others = [piece for piece in assets if piece] or [b""]
    # No comma stands before the first, and an object without keys is written on one line.
    start = (_BEFORE, memoryview(first)[1:], *others, _BEHIND if first else _BEHIND[-2:])
    whole = hashlib.sha256()
    for piece in start:
        whole.update(piece)
    without = whole.copy()  # Some megabytes are the same for both.
    without.update(_rest(head))
    rest = _rest({**head, "checksum": f"sha256-{without.hexdigest()}"})
    whole.update(rest)
    return b"".join((*start, rest)), whole.hexdigest()


def _rest(head: Mapping[str, object]) -> bytes:
    return f"{treaty.written(head, chr(10))[1:]}\n".encode()


def _name(text: bytes, start: int) -> str:
    """What the entry is called that begins here."""
    start += len(_MARK) - 1
    name: str = json.loads(text[start : text.index(_OPEN, start)])
    return name
