"""What packs: for each content coding the library that does it best, with everything fixed that would make the same text come
out differently. No file is held whole that is larger than WHOLE."""

from __future__ import annotations

import importlib
import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TypeAlias

from assetbuild.errors import ConfigError
from assetbuild.runtime.manifest import Coding

#: The largest file for libdeflate, which wants it whole, in bytes. What is larger goes through zlib in pieces, 5 % worse.
WHOLE = 16 << 20

#: No file is larger (LLONG_MAX).
_ANY = 2**63 - 1

Pack: TypeAlias = Callable[[Iterator[bytes], int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Tool:
    """What packs.

    name: with version and level, by which its results are known: "brotli 1.2.0, quality 11". pack: takes a text in pieces, and
    its size, and gives the packed bytes. cost: what a byte costs it, compared with the others. largest: the largest file
    that it takes, in bytes.
    """

    coding: Coding
    name: str
    pack: Pack = field(compare=False)
    cost: int
    largest: int


def tools(codings: Iterable[Coding]) -> tuple[Tool, ...]:
    """What packs these codings, in their order. Raises ConfigError where a library is missing."""
    return tuple(tool for coding in codings for tool in _TOOLS[coding]())


def chosen(tools: Sequence[Tool], size: int) -> Collection[Tool]:
    """For each coding the first tool that takes a file of this size: the size alone decides, not the memory that is free."""
    by_coding: dict[Coding, Tool] = {}
    for tool in tools:
        if size <= tool.largest:
            by_coding.setdefault(tool.coding, tool)
    return by_coding.values()


def _library(coding: Coding, extra: str, *names: str) -> ModuleType:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    what = f'compress: "{coding}" needs the {extra} extra: pip install "assetbuild[{extra}]"'
    raise ConfigError(f"{what}; or leave it out of `compress`")


def _br() -> Iterator[Tool]:
    """RFC 7932. The window is brotli's own default, 4 MB: it costs browsers memory, and few texts are longer."""
    brotli = _library("br", "build", "brotli")

    def pack(pieces: Iterator[bytes], _size: int) -> Iterator[bytes]:
        encoder = brotli.Compressor(quality=11)
        for piece in pieces:
            yield encoder.process(piece)
        yield encoder.finish()

    yield Tool("br", f"brotli {brotli.__version__}, quality 11", pack, 6, _ANY)


# RFC 1952: deflate, no flags, no time, the compressor's best, an unknown system. Libraries differ in the last.
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"


def _gzip() -> Iterator[Tool]:
    """libdeflate at its level 12 for what fits into memory, zlib for the rest."""
    deflate = _library("gzip", "build", "deflate")

    def whole(pieces: Iterator[bytes], _size: int) -> Iterator[bytes]:
        yield deflate.deflate_compress(b"".join(pieces), 12)

    def stream(pieces: Iterator[bytes], _size: int) -> Iterator[bytes]:
        encoder = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
        for piece in pieces:
            yield encoder.compress(piece)
        yield encoder.flush()

    yield Tool("gzip", f"deflate {deflate.__version__}, level 12", _member(whole), 1, WHOLE)
    yield Tool("gzip", f"zlib {zlib.ZLIB_RUNTIME_VERSION}, level 9", _member(stream), 1, _ANY)


def _member(deflated: Pack) -> Pack:
    """The same as a gzip file of one member."""

    def pack(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
        crc = 0

        def counted() -> Iterator[bytes]:
            nonlocal crc
            for piece in pieces:
                crc = zlib.crc32(piece, crc)
                yield piece

        yield _GZIP_HEAD
        yield from deflated(counted(), size)
        yield struct.pack("<II", crc, size & 0xFFFFFFFF)

    return pack


def _zstd() -> Iterator[Tool]:
    """RFC 8878 at level 19: the levels above want windows beyond the 8 MB that browsers take (RFC 9659)."""
    zstd = _library("zstd", "zstd", "compression.zstd", "zstandard")
    standard = zstd.__name__ != "zstandard"
    version = zstd.zstd_version if standard else ".".join(map(str, zstd.ZSTD_VERSION))

    def pack(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
        if standard:
            encoder = zstd.ZstdCompressor(19)
            encoder.set_pledged_input_size(size)
        else:
            encoder = zstd.ZstdCompressor(level=19).compressobj(size=size)
        for piece in pieces:
            yield encoder.compress(piece)
        yield encoder.flush()

    yield Tool("zstd", f"zstd {version}, level 19", pack, 2, _ANY)


_TOOLS: Mapping[Coding, Callable[[], Iterator[Tool]]] = {"br": _br, "gzip": _gzip, "zstd": _zstd}
