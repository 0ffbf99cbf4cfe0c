"""Several roots seen as one tree: which files are sources."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild import sources
from assetbuild.patterns import Pattern

FILES = ("a.css", "css/a.css", "css/sub/b.css", "css/sub/deep/c.css", "other/sub/d.css", "other/sub.css", "other/file/sub")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def left_out(root: Path, *exclude: str) -> set[str]:
    tree = sources.scan([root], exclude=[Pattern(text) for text in exclude])
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
