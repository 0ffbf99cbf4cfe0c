"""Variants back to what they were made of: a few bytes at a time, whatever they claim to hold, and nothing behind their end.

What is not in the standard library is asked for by name: an artifact can be verified where not every format can be read."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TypeAlias

from assetbuild.runtime.manifest import Coding

PIECE = 1 << 18

Unpack: TypeAlias = Callable[[Iterator[bytes]], Iterator[bytes]]


class UnpackError(Exception):
    """The bytes are no variant of their kind; the message says why: "ends too early"."""


def unpacker(coding: Coding) -> Unpack | None:
    """What unpacks this kind of variant, or None where this Python lacks the module for it.

    It takes the packed bytes in pieces of at most PIECE, gives the others in pieces of a few megabytes at most, and raises
    UnpackError.
    """
    for name, made in _KINDS[coding]:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return made(module)
    return None


def _gzip(_zlib: ModuleType) -> Unpack:
    """RFC 1952, one member."""

    def unpack(pieces: Iterator[bytes]) -> Iterator[bytes]:
        decoder = zlib.decompressobj(wbits=31)
        for piece in pieces:
            if decoder.eof:
                raise UnpackError(_BEHIND)
            while piece:
                try:
                    yield decoder.decompress(piece, PIECE)
                except zlib.error as error:
                    raise UnpackError(f"cannot be unpacked: {error}") from None
                piece = decoder.unconsumed_tail
        _end(decoder.eof, decoder.unused_data)

    return unpack


def _brotli(brotli: ModuleType) -> Unpack:
    """RFC 7932."""

    def unpack(pieces: Iterator[bytes]) -> Iterator[bytes]:
        decoder = brotli.Decompressor()
        # Modules before 1.2 cannot be told where to stop: they get a few bytes at a time.
        limited = hasattr(decoder, "can_accept_more_data")
        for piece in pieces if limited else _small(pieces, 16):
            if decoder.is_finished():
                raise UnpackError(_BEHIND)
            try:
                if not limited:
                    yield decoder.process(piece)
                    continue
                made = decoder.process(piece, output_buffer_limit=PIECE)
                # It may have taken in all of the input and hold back output.
                while made or not (decoder.is_finished() or decoder.can_accept_more_data()):
                    yield made
                    made = b"" if decoder.is_finished() else decoder.process(b"", output_buffer_limit=PIECE)
            except brotli.error:
                # It does not tell which of the two it is.
                raise UnpackError(f"cannot be unpacked, or {_BEHIND}") from None
        _end(decoder.is_finished(), b"")

    return unpack


def _zstd(zstd: ModuleType) -> Unpack:
    """RFC 8878, one frame, by the standard library of Python 3.14."""

    def unpack(pieces: Iterator[bytes]) -> Iterator[bytes]:
        decoder = zstd.ZstdDecompressor()
        for piece in pieces:
            if decoder.eof:
                raise UnpackError(_BEHIND)
            try:
                yield decoder.decompress(piece, PIECE)
                while not decoder.eof and not decoder.needs_input:
                    yield decoder.decompress(b"", PIECE)
            except zstd.ZstdError as error:
                raise UnpackError(f"cannot be unpacked: {error}") from None
        _end(decoder.eof, decoder.unused_data)

    return unpack


def _zstandard(zstandard: ModuleType) -> Unpack:
    """RFC 8878, one frame, by the zstandard package."""

    def unpack(pieces: Iterator[bytes]) -> Iterator[bytes]:
        decoder = zstandard.ZstdDecompressor().decompressobj()
        # A block of four bytes can unpack to 128 KB (3.1.1.2.3).
        for piece in _small(pieces, 64):
            if decoder.eof:
                raise UnpackError(_BEHIND)
            try:
                yield decoder.decompress(piece)
            except zstandard.ZstdError as error:
                raise UnpackError(f"cannot be unpacked: {error}") from None
        _end(decoder.eof, decoder.unused_data)

    return unpack


_BEHIND = "has bytes behind its end"

# By content coding: the modules that can read it, the best first.
_KINDS: dict[Coding, tuple[tuple[str, Callable[[ModuleType], Unpack]], ...]] = {
    "br": (("brotli", _brotli),),
    "gzip": (("zlib", _gzip),),
    "zstd": (("compression.zstd", _zstd), ("zstandard", _zstandard)),
}


def _small(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), size):
            yield piece[start : start + size]


def _end(finished: bool, unused: bytes) -> None:
    if not finished:
        raise UnpackError("ends too early")
    if unused:
        raise UnpackError(_BEHIND)
