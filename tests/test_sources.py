"""Several roots seen as one tree: which files are sources."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assetbuild import sources
from assetbuild.errors import BuildError
from assetbuild.patterns import Pattern

FILES = ("a.css", "css/a.css", "css/sub/b.css", "css/sub/deep/c.css", "other/sub/d.css", "other/sub.css", "other/file/sub")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def left_out(root: Path, *exclude: str) -> set[str]:
    tree = sources.glance([root], exclude=[Pattern(text) for text in exclude]).tree()
    return set(FILES) - {source.path for source in tree.sources}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("css/*", {"css/a.css"}),
        ("sub", {"other/file/sub"}),
        ("*", set(FILES)),
        ("**", set(FILES)),
        ("**/*.css", set(FILES) - {"other/file/sub"}),
        ("sub/", set()),
        ("css/", {"css/a.css", "css/sub/b.css", "css/sub/deep/c.css"}),
        ("css/sub/**", {"css/sub/b.css", "css/sub/deep/c.css"}),
        ("css/*/**", {"css/sub/b.css", "css/sub/deep/c.css"}),
        ("**/sub/**", {"css/sub/b.css", "css/sub/deep/c.css", "other/sub/d.css"}),
        ("**/sub/*", {"css/sub/b.css", "other/sub/d.css"}),
        ("other/s*", {"other/sub.css"}),
        ("/a.css", {"a.css"}),
    ],
)
def test_a_pattern_without_a_slash_means_names_of_files_and_one_with_a_slash_whole_paths(
    root: Path, pattern: str, expected: set[str]
) -> None:
    assert left_out(root, pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "read"),
    [
        ("**", [""]),
        ("css/", ["", "other", "other/file", "other/sub"]),
        ("**/sub/**", ["", "css", "other", "other/file"]),
        ("css/*", ["", "css", "css/sub", "css/sub/deep", "other", "other/file", "other/sub"]),
    ],
)
def test_a_folder_that_is_wholly_excluded_is_not_read(
    root: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, read: list[str]
) -> None:
    seen = []
    scandir: Callable[..., object] = os.scandir

    def watched(folder: str) -> object:
        seen.append(os.path.relpath(folder, root).removeprefix("."))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", watched)
    left_out(root, pattern)
    assert sorted(seen) == read


@pytest.mark.parametrize("pattern", ["link", "l*", "other/link", "other/link/"])
def test_a_link_to_a_folder_is_excluded_by_its_name_or_as_a_folder(root: Path, pattern: str) -> None:
    (root / "other/link").symlink_to(root / "..")  # Followed, it would lead out of the root: an error.
    assert left_out(root, pattern) == set()


@pytest.mark.parametrize("pattern", ["pipe", "other/pipe", "other/*"])
def test_what_is_no_file_is_excluded_by_its_name(root: Path, pattern: str) -> None:
    os.mkfifo(root / "other/pipe")
    (root / "other/pipe2").symlink_to("nowhere")
    left_out(root, pattern, "pipe2")


def paths(root: Path, *keep_names: str, follow_symlinks: bool = False, ours: tuple[Path, ...] = ()) -> set[str]:
    keep = [Pattern(text) for text in keep_names]
    tree = sources.glance([root], keep_names=keep, follow_symlinks=follow_symlinks, ours=ours).tree()
    return {source.path for source in tree.sources}


def complaints(root: Path, **how: Any) -> list[str]:
    with pytest.raises(BuildError) as error:
        sources.glance([root], display=lambda file: os.path.relpath(file, root), **how).tree()
    return [str(problem) for problem in error.value.problems]


@pytest.mark.parametrize("target", ["dist", "dist/sub", ".", "dist/a.css"])
def test_a_link_to_where_the_build_writes_is_no_source(tmp_path: Path, target: str) -> None:
    (tmp_path / "dist/sub").mkdir(parents=True)
    (tmp_path / "dist/a.css").write_text("")
    (tmp_path / "far/assets").mkdir(parents=True)
    (tmp_path / "far/assets/d").symlink_to(tmp_path / target)
    found = complaints(tmp_path / "far/assets", follow_symlinks=True, ours=[tmp_path / "dist"])
    assert found == ["d: this symbolic link leads to where the build writes; remove it or exclude it"]


def test_a_link_to_the_cache_inside_a_root_is_no_source(tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    (tmp_path / "d").symlink_to(".cache")
    assert len(complaints(tmp_path, ours=[tmp_path / ".cache"])) == 1


def test_a_link_inside_a_folder_that_is_passed_over_is_followed_only_where_a_pattern_names_it(tmp_path: Path) -> None:
    inside = tmp_path / "assets/node_modules/lib"
    inside.mkdir(parents=True)
    (inside / "x").write_text("")
    (tmp_path / "outside").mkdir()
    (inside / "link").symlink_to(tmp_path / "outside")
    (inside / "loop").symlink_to("..")
    (tmp_path / "assets/.link").symlink_to(tmp_path / "outside")
    assert paths(tmp_path / "assets", "**/x") == {"node_modules/lib/x"}
    assert any("leads out of" in text for text in complaints(tmp_path / "assets", keep_names=[Pattern(".link/x")]))


def test_a_hidden_link_is_followed_to_what_is_kept_behind_it(tmp_path: Path) -> None:
    (tmp_path / "known").mkdir()
    (tmp_path / "known/x.txt").write_text("")
    (tmp_path / ".well-known").symlink_to("known")
    assert paths(tmp_path, ".well-known/**") == {"known/x.txt", ".well-known/x.txt"}


@pytest.mark.parametrize(
    ("links", "named"),
    [
        ({"a/b/link": ".."}, ["a/b/link"]),
        ({"a/b/link": "."}, ["a/b/link"]),
        ({"x/to-y": "../y", "y/to-x": "../x"}, ["x/to-y", "y/to-x"]),
    ],
)
def test_a_loop_is_named_by_its_real_place(tmp_path: Path, links: dict[str, str], named: list[str]) -> None:
    for name in ("a/b", "x", "y"):
        (tmp_path / name).mkdir(parents=True)
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    assert [text.partition(":")[0] for text in complaints(tmp_path)] == named


def test_a_link_is_followed_once_however_many_links_lead_to_it(tmp_path: Path) -> None:
    depth = 40  # Followed each time, 2 ** 40 folders.
    for level in range(depth):
        (tmp_path / f"d{level}").mkdir()
        (tmp_path / f"d{level}/file").write_text("")
        for name in ("a", "b") if level else ():
            (tmp_path / f"d{level}/{name}").symlink_to(f"../d{level - 1}")
    expected = {f"d{level}/file" for level in range(depth)}
    expected |= {f"d{level}/{name}/file" for level in range(1, depth) for name in "ab"}
    assert paths(tmp_path) == expected


def test_links_that_lead_out_are_followed_once_too(tmp_path: Path) -> None:
    depth = 40
    for level in range(depth):
        (tmp_path / f"d{level}").mkdir()
        (tmp_path / f"d{level}/file").write_text("")
        for name in ("a", "b") if level else ():
            (tmp_path / f"d{level}/{name}").symlink_to(f"../d{level - 1}")
    found = paths(tmp_path / f"d{depth - 1}", follow_symlinks=True)
    assert {"file", "a/file", "b/file", "a/a/file", "a/b/file", "a/a/a/file"} <= found
    assert len(found) == 1 + 2 * (depth - 1)


def test_a_prefix_stands_before_every_path_below_its_root_and_patterns_see_it(tmp_path: Path) -> None:
    for name in ("one/vendor/b.css", "two/b.css", "two/c.css", "two/d/e.css", "two/.x/f.css", "two/old/g.css"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    tree = sources.glance(
        [tmp_path / "one", tmp_path / "two"],
        prefixes=("", ".lib/vendor/"),
        exclude=[Pattern(".lib/vendor/old/")],
        keep_names=[Pattern(".lib/vendor/.x/f.css")],
    ).tree()
    assert [(one.path, one.root, one.kept) for one in tree.sources] == [
        (".lib/vendor/.x/f.css", 1, True),
        (".lib/vendor/b.css", 1, False),
        (".lib/vendor/c.css", 1, False),
        (".lib/vendor/d/e.css", 1, False),
        ("vendor/b.css", 0, False),
    ]
    seen = sources.glance([tmp_path / "one", tmp_path / "two"], prefixes=("", "vendor/"))
    tree = seen.tree()
    assert {one.path: one.root for one in tree.sources}["vendor/b.css"] == 0
    assert "1/vendor/b.css" in seen.looks, "a filter may read it"


def test_a_backup_is_somebodys_business_where_names_are_kept(root: Path) -> None:
    backup = root / "css/a.css~"
    for keep, same in (((), True), ((Pattern("*.css~"),), False)):
        seen = sources.glance([root], keep_names=keep)
        backup.write_text("")
        again = seen.again([str(backup)])
        assert (again is not None) == same
        if again:
            assert again.looks == seen.looks
        backup.unlink()


def test_a_file_that_two_roots_have_is_looked_at_once_where_both_know_it(root: Path) -> None:
    file = root / "css/a.css"
    both = sources.glance([root, root / "css"])
    one = sources.glance([root, root / "css"], exclude=[Pattern("/a.css")])
    file.write_text("changed")
    again = both.again([str(file)])
    assert again
    assert again.looks == sources.glance([root, root / "css"]).looks
    assert again.looks != both.looks
    # Passed over in one of the roots, but known all the same, since a filter may read it.
    assert one.again([str(file)])
    assert sources.glance([root, root / "css"], exclude=[Pattern("/css/**")]).again([str(file)]) is None
