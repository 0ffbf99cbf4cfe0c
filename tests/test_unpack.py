"""unpack: a variant gives back what it was made of, in small pieces, and nothing may stand behind its end."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import itertools
from collections.abc import Callable, Iterator

import brotli
import pytest

from assetbuild.runtime.manifest import Coding
from assetbuild.unpack import PIECE, UnpackError, unpacker

# Not to be packed well, and longer than a piece.
DATA = b"".join(hashlib.sha256(bytes([n % 256, n // 256 % 256])).digest() for n in range(40_000))


def _zstd(data: bytes) -> bytes:
    if importlib.util.find_spec("zstandard") is None:
        pytest.skip("zstandard is not installed")
    packed: bytes = importlib.import_module("zstandard").ZstdCompressor().compress(data)
    return packed


def _br(data: bytes) -> bytes:
    # How well it is packed is not what this is about, and the best takes seconds.
    packed: bytes = brotli.compress(data, quality=4)
    return packed


PACK: dict[Coding, Callable[[bytes], bytes]] = {"br": _br, "gzip": gzip.compress, "zstd": _zstd}
every_coding = pytest.mark.parametrize("coding", list(PACK))


def pieces(data: bytes, size: int = PIECE) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


def unpacked(coding: Coding, packed: bytes, size: int = PIECE) -> bytes:
    unpack = unpacker(coding)
    assert unpack is not None
    return b"".join(unpack(pieces(packed, size)))


@every_coding
@pytest.mark.parametrize("data", [b"", b"a", DATA, b"\0" * 3_000_000], ids=["empty", "one byte", "dense", "thin"])
def test_a_variant_gives_back_what_it_was_made_of(coding: Coding, data: bytes) -> None:
    assert unpacked(coding, PACK[coding](data)) == data


@every_coding
def test_pieces_may_be_of_any_size(coding: Coding) -> None:
    packed = PACK[coding](DATA[:5000])
    assert all(unpacked(coding, packed, size) == DATA[:5000] for size in (1, 2, 3, 1000))


@every_coding
@pytest.mark.parametrize("size", [PIECE, 1])
def test_bytes_behind_the_end_are_an_error(coding: Coding, size: int) -> None:
    with pytest.raises(UnpackError, match="behind its end"):
        unpacked(coding, PACK[coding](b"hello" * 50) + b"\0", size)


@every_coding
def test_a_cut_variant_is_an_error(coding: Coding) -> None:
    packed = PACK[coding](DATA[:500])
    for length in range(len(packed)):
        with pytest.raises(UnpackError):
            unpacked(coding, packed[:length])


@every_coding
def test_a_bomb_goes_off_in_small_pieces(coding: Coding) -> None:
    """Whoever counts can stop after a few megabytes."""
    packed = PACK[coding](b"\0" * 40_000_000)
    unpack = unpacker(coding)
    assert unpack is not None
    assert max(map(len, itertools.islice(unpack(pieces(packed)), 5))) <= 4 << 20
