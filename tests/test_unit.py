"""One source compiled on its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from assetbuild.filters.chains import Chain
from assetbuild.references import Reference
from assetbuild.sources import Source
from assetbuild.unit import Compiled, Job, places


def told(folder: Path, name: str, source: str, paths: list[str]) -> list[tuple[int, int]]:
    """The places in a source of the references that its compiled text has."""
    file = folder / name
    file.write_bytes(source.encode())
    job = Job(Source(name, str(file), 0, len(source)), Chain(("libsass",)), name.replace(".scss", ".css"), name)
    references = tuple(Reference(0, 0, path, "url", (0, 0)) for path in paths)
    return places(job, Compiled(name, b"made", "", 0, references))


@pytest.mark.parametrize(
    ("source", "paths", "expected"),
    [
        ('// s1.png\n$x: "s1.png"; a{b:url(s1.png)} c{d:url($x)}', ["s1.png", "s1.png"], [(2, 23), (2, 6)]),
        ("/* url(s.png) */\na{b:url( 's.png?v' )}", ["s.png"], [(2, 11)]),
        ('// url("s.png")\n', ["s.png"], [(0, 0)]),
        ("a{b:url(xs.png);c:url(s.png)}", ["s.png"], [(1, 23)]),
        ("a{b:url(http://x//s.png);c:url(s.png)}", ["s.png"], [(1, 32)]),
        ("@each $a in 1, 2{.#{$a}{b:url(s.png)}}", ["s.png", "s.png"], [(1, 31), (1, 31)]),
        ('a{b:"it\'s" url(s.png)}', ["s.png"], [(1, 16)]),
        ("@use 'partial';", ["s.png"], [(0, 0)]),
        ("\ufeffa{b:url(s.png)}", ["s.png"], [(1, 9)]),
    ],
)
def test_a_reference_that_a_filter_made_is_told_where_its_path_is_written_and_never_in_a_comment(
    source: str, paths: list[str], expected: list[tuple[int, int]], tmp_path: Path
) -> None:
    assert told(tmp_path, "a.scss", source, paths) == expected


def test_fifty_thousand_references_have_their_places_at_once(tmp_path: Path) -> None:
    """Two minutes, were the lines counted from the start for each."""
    source = "".join(f"a{{b:url(gone{number}.png)}}\n" for number in range(50_000))
    found = told(tmp_path, "a.css", source, [f"gone{number}.png" for number in range(50_000)])
    assert found == [(number + 1, 9) for number in range(50_000)]
    found = told(tmp_path, "a.scss", source, [f"gone{number}.png" for number in range(50_000)])
    assert found == [(number + 1, 9) for number in range(50_000)]
