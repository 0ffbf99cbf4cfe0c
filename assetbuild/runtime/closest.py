"""Which assets a name may have meant that is none: for the message of an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from posixpath import basename, normpath, splitext
from urllib.parse import unquote, urlsplit

from assetbuild.runtime.manifest import Entry

# What a source's suffix becomes in its logical path.
_COMPILED = {".scss": ".css", ".sass": ".css", ".less": ".css", ".styl": ".css", ".ts": ".js", ".coffee": ".js"}

# difflib takes about 20 µs a name: of more names than that, only those of a like length are compared.
_COMPARED = 2_000


def find(path: str, assets: Mapping[str, Entry], base_url: str) -> tuple[str, ...]:
    """At most three logical paths, the likeliest first: those that the name becomes when a usual mistake is taken out of
    it, else those that are spelt most like it."""
    meant = tuple(dict.fromkeys(name for name in _corrected(path, base_url) if name in assets))
    if meant:
        return meant[:3]
    folded = {name.casefold(): name for name in assets}
    for name in _corrected(path, base_url):
        if name.casefold() in folded:
            return (folded[name.casefold()],)
    published = frozenset(_corrected(path, base_url))
    for name, entry in assets.items():
        if entry["path"] in published:
            return (name,)
    wanted = normpath(path).lstrip("/")
    elsewhere = sorted(name for name in assets if basename(name) == basename(wanted))
    without_suffix = sorted(name for name in assets if splitext(name)[0] == wanted)
    if elsewhere or without_suffix:
        return tuple((without_suffix + elsewhere)[:3])
    names = sorted(assets)
    if len(names) > _COMPARED:
        names = sorted(names, key=lambda name: (abs(len(name) - len(wanted)), name))[:_COMPARED]
    return tuple(get_close_matches(wanted[:200], names, 3, 0.6))


def _corrected(path: str, base_url: str) -> Iterator[str]:
    """The path without what people put in front of it or leave in it."""
    bare = path.partition("#")[0].partition("?")[0]
    for text in (bare, unquote(bare), bare.replace("\\", "/")):
        cleaned = normpath(text).lstrip("/")
        yield cleaned
        for prefix in (base_url, urlsplit(base_url).path):
            if prefix and text.startswith(prefix):
                yield normpath(text[len(prefix) :])
        stem, suffix = splitext(cleaned)
        if suffix.lower() in _COMPILED:
            yield stem + _COMPILED[suffix.lower()]
