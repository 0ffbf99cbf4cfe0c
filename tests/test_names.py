"""Names of files in each other's way, however many are asked about."""

from __future__ import annotations

import pytest

from assetbuild.names import crowded, obstructed

OTHERS = ("a/b.css", "Folder/x.css", "plain")
IN_THE_WAY = ("A/B.css", "a", "folder", "plain/y.css", "PLAIN/deep/z.css")
FREE = ("a/b", "a/b.cs", "b.css", "folder/y.css", "plain.css", "lain")


@pytest.mark.parametrize("more", [(), tuple(f"more/{number}" for number in range(20))], ids=["few", "many"])
@pytest.mark.parametrize("path", [*IN_THE_WAY, *FREE])
def test_a_file_is_in_the_way_of_one_that_is_called_like_it_or_like_its_folder(path: str, more: tuple[str, ...]) -> None:
    expected = {path} if path in IN_THE_WAY else set()
    assert obstructed([path, *more], OTHERS) == expected
    assert crowded([[one] for one in (path, *more)], OTHERS) == expected
    assert obstructed([path, *more], ()) == set()


def test_of_groups_the_later_gives_way_whole() -> None:
    assert crowded([["a", "a.gz"], ["b", "A/x"], ["c", "b"]], ["d"]) == {"b"}
