"""Files of earlier releases go along: which, for how long, and only what is what its manifest says."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from dataclasses import replace

import pytest

from assetbuild import compile as build
from assetbuild import config as configuration
from assetbuild.errors import AssetbuildError, BuildError, ConfigError
from assetbuild.result import Result
from assetbuild.runtime.manifest import Manifest, load
from assetbuild.verify import verify
from tests.conftest import Project

DAY = 86_400


class Releases:
    """A project that is released again and again, each time with other bytes in some of its files."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.folder

    def build(
        self,
        files: dict[str, str] | None = None,
        *,
        output: str = "dist",
        previous: tuple[str, ...] = (),
        keep: int | None = None,
        keep_days: int | None = None,
        day: int | None = None,
        compress: tuple[configuration.Coding, ...] = (),
    ) -> Result:
        if files is not None:
            shutil.rmtree(self.folder / "assets", ignore_errors=True)
            (self.folder / "assets").mkdir()
            self.project.write({f"assets/{name}": text for name, text in files.items()})
        environ = {} if day is None else {"SOURCE_DATE_EPOCH": str(day * DAY)}
        config = configuration.load(cwd=self.folder, environ=environ, output=output)
        places = tuple(self.folder / place for place in previous)
        config = replace(config, previous=places, keep=keep, keep_days=keep_days, compress=compress)
        result = build.compile(config, jobs=1)
        assert verify(self.folder / output).findings == ()
        return result

    def manifest(self, output: str = "dist") -> Manifest:
        return load(self.folder / output / "manifest.json")

    def listed(self, output: str = "dist") -> list[list[str]]:
        """What each earlier release still has, without fingerprints."""
        return [sorted(map(plain, release["files"])) for release in self.manifest(output)["previous"]]

    def there(self, output: str = "dist") -> list[str]:
        """The texts of all files of an artifact."""
        files = (self.folder / output).rglob("*.txt")
        return sorted(file.read_text() for file in files)


def plain(path: str) -> str:
    return ".".join((path.split(".")[0], path.split(".")[-1]))


@pytest.fixture
def releases(project: Project) -> Releases:
    return Releases(project)


def test_the_files_of_an_earlier_artifact_go_along_and_are_listed(releases: Releases) -> None:
    old = releases.build({"a.txt": "a1", "same.txt": "s", "sub/b.txt": "b1"}, output="old", day=10)
    result = releases.build({"a.txt": "a2", "same.txt": "s"}, previous=("old",), day=20)
    assert releases.there() == ["a1", "a2", "b1", "s"]
    before = releases.manifest("old")["assets"]
    assert releases.manifest()["previous"] == [
        {
            "date": 10 * DAY,
            "digest": old.digest,
            "files": {
                before[name]["path"]: {key: before[name][key] for key in ("integrity", "size")}
                for name in ("a.txt", "sub/b.txt")
            },
        }
    ]
    assert (result.carried, releases.manifest()["date"]) == (2, 20 * DAY)


def test_a_manifest_may_be_named_in_place_of_its_folder(releases: Releases) -> None:
    releases.build({"a.txt": "a1"}, output="old")
    releases.build({"a.txt": "a2"}, previous=("old/manifest.json",))
    assert releases.there() == ["a1", "a2"]


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_variants_go_along(releases: Releases, coding: configuration.Coding) -> None:
    releases.build({"a.txt": "one " * 100}, output="old", compress=(coding,))
    releases.build({"a.txt": "two " * 100}, previous=("old",), compress=(coding,))
    ((path, entry),) = releases.manifest()["previous"][0]["files"].items()
    name = path + {"gzip": ".gz", "br": ".br"}[coding]
    assert (releases.folder / "dist" / name).read_bytes() == (releases.folder / "old" / name).read_bytes()
    assert entry["variants"] == {coding: (releases.folder / "dist" / name).stat().st_size}


@pytest.mark.parametrize("fresh", [False, True])
def test_keep_is_a_number_of_releases_besides_the_current_one(releases: Releases, fresh: bool) -> None:
    """Whether the last build is known by the index, or by its manifest alone, makes no difference to a byte."""
    for number in range(1, 6):
        if fresh:
            shutil.rmtree(releases.folder / ".assetbuild", ignore_errors=True)
        releases.build({"a.txt": f"a{number}", "same.txt": "s"}, keep=2)
    assert releases.there() == ["a3", "a4", "a5", "s"]
    assert releases.listed() == [["a.txt"], ["a.txt"]]
    digests = [release["digest"] for release in releases.manifest()["previous"]]
    assert len(set(digests)) == 2


def test_both_ways_give_the_same_artifact(releases: Releases) -> None:
    """A build that knows the last one, and one that finds it by its manifest."""
    artifacts = []
    for cache in ("kept", "lost"):
        for text in ("a{}", "b{}", "a{}", "c{}"):
            if cache == "lost":
                shutil.rmtree(releases.folder / ".assetbuild", ignore_errors=True)
            releases.build({"x.css": text, "y.txt": "y" if text != "b{}" else "z", "z.txt": text}, keep=3, compress=("gzip",))
        artifacts.append(releases.project.tree())
        shutil.rmtree(releases.folder / "dist")
        shutil.rmtree(releases.folder / ".assetbuild")
    assert artifacts[0] == artifacts[1]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_build_that_changes_nothing_is_no_release(releases: Releases, fresh: bool) -> None:
    releases.build({"a.txt": "a1"}, keep=1)
    releases.build({"a.txt": "a2"}, keep=1)
    before = releases.project.tree()
    for _ in range(3):
        if fresh:
            shutil.rmtree(releases.folder / ".assetbuild")
        assert releases.build(keep=1).unchanged
    assert releases.project.tree() == before
    assert releases.there() == ["a1", "a2"]


def test_a_source_that_changes_and_comes_out_the_same_makes_no_release(releases: Releases) -> None:
    releases.build({"a.css": "a{}", "b.txt": "b1"}, keep=1)
    releases.build({"a.css": "a{}", "b.txt": "b2"}, keep=1)
    before = releases.project.tree()
    releases.build({"a.css": "a  {  }", "b.txt": "b2"}, keep=1)
    assert releases.project.tree() == before


def test_what_earlier_artifacts_had_carried_counts_within_keep(releases: Releases) -> None:
    releases.build({"a.txt": "a1"}, output="one")
    releases.build({"a.txt": "a2"}, output="two", previous=("one",))
    for keep, there in ((None, ["a2", "a3"]), (1, ["a2", "a3"]), (2, ["a1", "a2", "a3"]), (0, ["a3"])):
        releases.build({"a.txt": "a3"}, output=f"three{keep}", previous=("two",), keep=keep)
        assert releases.there(f"three{keep}") == there


def test_several_artifacts_may_be_named_newest_first(releases: Releases) -> None:
    for number in (1, 2, 3):
        releases.build({"a.txt": f"a{number}", "b.txt": "b" if number > 1 else "c"}, output=str(number))
    releases.build({"a.txt": "a4"}, previous=("3", "2", "1"))
    assert releases.listed() == [["a.txt", "b.txt"]] * 3
    releases.build(output="other", previous=("3", "2", "1"), keep=1)
    assert releases.there("other") == ["a3", "a4", "b"]


def test_releases_with_dates_are_sorted_by_them(releases: Releases) -> None:
    for number in (1, 2):
        releases.build({"a.txt": f"a{number}"}, output=str(number), day=number)
    releases.build({"a.txt": "a3"}, previous=("1", "2"), keep=1, day=3)
    assert releases.there() == ["a2", "a3"]


@pytest.mark.parametrize(
    ("keep", "days", "there"),
    [(0, 5, [7, 9, 10]), (1, 0, [9, 10]), (3, 1, [3, 7, 9, 10]), (0, 7, [3, 7, 9, 10]), (None, 2, [9, 10]), (0, 0, [10])],
)
def test_a_file_is_kept_while_either_number_or_age_says_so(
    releases: Releases, keep: int | None, days: int, there: list[int]
) -> None:
    for day in (1, 3, 7, 9):
        releases.build({"a.txt": f"{day:02}"}, day=day, keep=9)
    releases.build({"a.txt": "10"}, day=10, keep=keep, keep_days=days)
    assert releases.there() == [f"{day:02}" for day in there]


def test_what_is_damaged_and_of_no_source_any_more_does_not_go_along(releases: Releases) -> None:
    releases.build({"a.txt": "a1", "b.txt": "b1"}, keep=1)
    (file,) = (releases.folder / "dist").glob("a.*")
    file.write_text("other")
    result = releases.build({"b.txt": "b1"}, keep=1)
    assert [problem.message for problem in result.warnings] == [
        "this file of an earlier release is given up: it has other bytes than its manifest says"
    ]
    assert releases.there() == ["b1"]


def test_no_days_keep_nothing_whether_or_not_the_last_build_is_known(releases: Releases) -> None:
    releases.build({"a.txt": "a1"}, day=1, keep_days=0)
    releases.build({"a.txt": "a2"}, day=1, keep_days=0)
    assert releases.there() == ["a2"]


def test_a_release_without_a_date_gets_one_as_soon_as_an_age_is_asked_for(releases: Releases) -> None:
    for text in ("a1", "a2"):
        releases.build({"a.txt": text}, keep=1)
    releases.build(keep=1, keep_days=7)
    releases.build({"a.txt": "a3"}, keep=1, keep_days=7)
    assert releases.there() == ["a1", "a2", "a3"]


def test_a_build_upon_its_own_result_keeps_what_it_kept(releases: Releases) -> None:
    """Releases of one date have no order of their own."""
    for number in range(1, 5):
        releases.build({"a.txt": f"a{number}"}, keep=3, day=1)
        if number == 3:
            shutil.copytree(releases.folder / "dist", releases.folder / "before")
    releases.build({"a.txt": "a5"}, previous=("before",), keep=3, day=1)
    kept = releases.manifest()["previous"]
    shutil.rmtree(releases.folder / ".assetbuild")
    releases.build(previous=("before",), keep=3, day=1)
    assert (releases.manifest()["previous"], len(kept)) == (kept, 3)


def test_time_alone_lets_releases_expire(releases: Releases) -> None:
    releases.build({"a.txt": "a1"}, day=1, keep_days=3)
    releases.build({"a.txt": "a2"}, day=2, keep_days=3)
    assert releases.there() == ["a1", "a2"]
    assert releases.build(day=4, keep_days=3).removed == ()
    assert len(releases.build(day=5, keep_days=3).removed) == 1
    assert releases.there() == ["a2"]


def test_without_an_epoch_the_age_is_that_of_the_manifest(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    releases.build({"a.txt": "a1"}, keep_days=2)
    releases.build({"a.txt": "a2"}, keep_days=2)
    (release,) = releases.manifest()["previous"]
    made = (releases.folder / "dist/manifest.json").stat().st_mtime
    assert abs(release["date"] - made) < 100
    monkeypatch.setattr("time.time", lambda: made + 1.5 * DAY)
    assert releases.build(keep_days=2).unchanged
    monkeypatch.setattr("time.time", lambda: made + 3 * DAY)
    assert len(releases.build(keep_days=2).removed) == 1


def test_where_nothing_has_expired_no_source_is_read_and_what_changed_is_made_alone(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{number}.txt": str(number) for number in range(5)}
    for number in (1, 2):
        releases.build({**files, "a.txt": f"a{number}"}, keep=1)
        for file in [*(releases.folder / "assets").iterdir(), *(releases.folder / "dist").rglob("*")]:
            os.utime(file, (1_700_000_000, 1_700_000_000))
        time.sleep(0.03)  # The change time, which only the clock sets.
        releases.build(keep=1)

    def fail(*_arguments: object, **_keys: object) -> None:
        raise AssertionError("all of it was made")

    monkeypatch.setattr("assetbuild.make.all_of_it", fail)
    releases.project.write({"assets/a.txt": "a3"})
    assert releases.build(keep=1).use.made == 1
    assert releases.there() == ["0", "1", "2", "3", "4", "a2", "a3"]


def test_a_smaller_number_tidies_up_though_no_source_changed(releases: Releases) -> None:
    for number in (1, 2, 3):
        releases.build({"a.txt": f"a{number}"}, keep=5)
    assert len(releases.build(keep=1).removed) == 1
    assert releases.there() == ["a2", "a3"]
    assert len(releases.build().removed) == 1
    assert releases.manifest()["previous"] == []


def test_another_artifact_that_is_named_goes_along_though_no_source_changed(releases: Releases) -> None:
    releases.build({"a.txt": "a1"}, output="old")
    releases.build({"a.txt": "a2"})
    assert releases.build(previous=("old",)).written
    assert releases.there() == ["a1", "a2"]
    assert releases.build(previous=("old",)).unchanged


def test_a_file_that_comes_back_is_the_current_ones_again(releases: Releases) -> None:
    for text in ("a1", "a2", "a1"):
        releases.build({"a.txt": text}, keep=3)
    assert releases.there() == ["a1", "a2"]
    assert releases.listed() == [["a.txt"], []]


def test_a_named_file_that_is_not_what_its_manifest_says_fails_the_build(releases: Releases) -> None:
    releases.build({"a.txt": "a1", "b.txt": "b1", "c.txt": "c1", "d.txt": "d1"}, output="old")
    old = {name: releases.folder / "old" / entry["path"] for name, entry in releases.manifest("old")["assets"].items()}
    releases.build({"a.txt": "a2"})
    before = releases.project.tree()
    old["a.txt"].write_text("xx")
    old["b.txt"].unlink()
    old["c.txt"].unlink()
    old["c.txt"].symlink_to(old["d.txt"])
    old["d.txt"].unlink()
    os.mkfifo(old["d.txt"])
    with pytest.raises(BuildError) as error:
        releases.build(previous=("old",))
    assert [problem.message for problem in error.value.problems] == [
        "this file of an earlier release has other bytes than its manifest says",
        "this file of an earlier release is missing, or a variant of it is",
        "this file of an earlier release cannot be read: Too many levels of symbolic links",
        "this file of an earlier release cannot be read: it is no file",
    ]
    assert error.value.problems[0].file == os.path.relpath(old["a.txt"], releases.folder)
    assert releases.project.tree() == before


@pytest.mark.parametrize("damage", ["other", "behind", "bomb", "gone"])
def test_a_variant_that_is_not_its_files_fails_the_build(releases: Releases, damage: str) -> None:
    releases.build({"a.txt": "one " * 100}, output="old", compress=("gzip",))
    releases.build({"a.txt": "two"})
    manifest = releases.manifest("old")
    entry = manifest["assets"]["a.txt"]
    file = releases.folder / "old" / f"{entry['path']}.gz"
    data = file.read_bytes()
    new = {
        "other": gzip.compress(b"other" * 80),
        "behind": data + b"x",
        "bomb": gzip.compress(b"one " * 100 + b"\0" * 50_000_000),
        "gone": b"",
    }[damage]
    file.write_bytes(new)
    if damage == "gone":
        file.unlink()
    entry["variants"] = {"gzip": len(new)}
    (releases.folder / "old/manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BuildError, match="variant"):
        releases.build(previous=("old",))


@pytest.mark.parametrize("fresh", [False, True])
def test_a_kept_file_that_was_damaged_is_given_up_with_a_warning(releases: Releases, fresh: bool) -> None:
    releases.build({"a.txt": "a1", "b.txt": "b1"}, keep=1)
    kept = releases.folder / "dist" / releases.project.public("a.txt")
    releases.build({"a.txt": "a2", "b.txt": "b2"}, keep=1)
    kept.write_text("xx")
    if fresh:
        shutil.rmtree(releases.folder / ".assetbuild")
    (warning,) = releases.build(keep=1).warnings
    assert warning.message == "this file of an earlier release is given up: it has other bytes than its manifest says"
    assert releases.there() == ["a2", "b1", "b2"]
    assert releases.build(keep=1).warnings == ()


def test_a_file_that_is_there_already_is_checked_and_not_trusted(releases: Releases) -> None:
    releases.build({"a.txt": "a1"}, output="old")
    releases.build({"a.txt": "a2"}, previous=("old",))
    (path,) = releases.manifest()["previous"][0]["files"]
    (releases.folder / "dist" / path).write_text("xx")
    releases.build(previous=("old",))
    assert releases.there() == ["a1", "a2"]


@pytest.mark.parametrize(
    "path",
    [
        *("../x.txt", "/etc/passwd", "a/../../x.txt", "manifest.json", ".assetbuild-journal", "a\\b", "a\nb", "a\0b"),
        pytest.param("a/" * 1_000_000 + "b", id="deep"),
    ],
)
def test_a_hostile_manifest_leads_nowhere(releases: Releases, path: str) -> None:
    releases.build({"a.txt": "a1"}, output="deep/old")
    manifest = releases.manifest("deep/old")
    entry = manifest["assets"]["a.txt"]
    (releases.folder / "deep/x.txt").write_text("a1")
    entry["path"] = path
    (releases.folder / "deep/old/manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BuildError, match="no path of an artifact"):
        releases.build({"a.txt": "a2"}, previous=("deep/old",))


def test_what_is_no_artifact_is_told_of_all_at_once(releases: Releases) -> None:
    releases.build({"a.txt": "a1"}, output="watched")
    manifest = releases.manifest("watched")
    (releases.folder / "watched/manifest.json").write_text(json.dumps({**manifest, "mode": "development"}))
    (releases.folder / "broken").mkdir()
    (releases.folder / "broken/manifest.json").write_text("{")
    with pytest.raises(ConfigError) as error:
        releases.build(previous=("nowhere", "broken", "watched"))
    assert [problem.file for problem in error.value.problems] == [
        "broken/manifest.json",
        "nowhere/manifest.json",
        "watched/manifest.json",
    ]


def test_a_name_that_is_in_use_stays_behind_with_a_warning(releases: Releases) -> None:
    (releases.folder / "assetbuild.toml").write_text('keep_names = ["x", "x/*", "robots.txt"]')
    releases.build({"x": "a file", "robots.txt": "old"}, output="old")
    result = releases.build({"x/y.txt": "a folder's", "robots.txt": "new"}, previous=("old",))
    assert [(warning.file, warning.message, warning.severity) for warning in result.warnings] == [
        ("x", "this file of an earlier release does not go along, since its name is in use", "warning")
    ]
    assert releases.there() == ["a folder's", "new"]


def test_an_artifact_in_a_source_root_is_refused(releases: Releases) -> None:
    releases.build({"a.txt": "a1"}, output="old")
    shutil.copytree(releases.folder / "old", releases.folder / "assets/old")
    with pytest.raises(ConfigError, match="its files are sources too; move it elsewhere"):
        releases.build(previous=("assets/old",))


def test_the_files_of_an_artifact_that_watch_wrote_are_not_kept(releases: Releases) -> None:
    releases.build({"a.txt": "a1"}, keep=1)
    manifest = releases.manifest()
    (releases.folder / "dist/manifest.json").write_text(json.dumps({**manifest, "mode": "development"}))
    releases.build({"a.txt": "a2"}, keep=1)
    assert releases.there() == ["a2"]


def test_a_failed_publication_leaves_what_was_kept(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    releases.build({"a.txt": "a1"}, keep=1)
    releases.build({"a.txt": "a2"}, keep=1)
    before = releases.project.tree()

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("assetbuild.publish.writing.Writing.sync", full)
    with pytest.raises(AssetbuildError):
        releases.build({"a.txt": "a3"}, keep=1)
    assert releases.project.tree() == before


def kinds(releases: Releases, names: tuple[str, ...] = ("x", "x/**")) -> None:
    """Some names are kept, so that a file of one build can have the name of a folder of another."""
    releases.project.write({"assetbuild.toml": f"keep_names = {json.dumps(names)}\n"})


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("keep", [None, 2])
@pytest.mark.parametrize(("old", "new"), [("x", "x/a.txt"), ("x/a.txt", "x"), ("x/y/a.txt", "x/y")])
def test_a_file_in_place_of_a_folder_or_the_reverse_is_refused_and_leaves_the_artifact_as_it_was(
    releases: Releases, old: str, new: str, keep: int | None, fresh: bool
) -> None:
    kinds(releases)
    releases.build({old: "old"}, keep=keep)
    releases.build({"b.txt": "b"}, keep=keep)
    releases.build({old: "old"}, keep=keep)
    before = releases.project.tree()
    if fresh:
        shutil.rmtree(releases.folder / ".assetbuild")
    with pytest.raises(ConfigError) as error:
        releases.build({new: "new"}, keep=keep)
    (problem,) = error.value.problems
    assert problem.file == "dist"
    assert "has the name of a folder of this one, or the reverse" in problem.message
    assert problem.message.endswith(f": {min(old, new, key=len)}")
    assert releases.project.tree() == before
    assert verify(releases.folder / "dist").findings == ()
    place = releases.folder / "dist" / min(old, new, key=len)
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    releases.build({new: "new"}, keep=keep)
    assert "new" in releases.there() or (releases.folder / "dist" / new).read_text() == "new"


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_of_earlier_files_that_cannot_be_beside_each_other_the_newer_goes_along(
    releases: Releases, order: tuple[str, str]
) -> None:
    kinds(releases)
    releases.build({"x": "1"}, output="one")
    releases.build({"x/a.txt": "2"}, output="two")
    result = releases.build({"b.txt": "b"}, previous=order)
    assert result.carried == 1
    assert [(p.file, "its name is in use" in p.message) for p in result.warnings] == [
        ("x/a.txt" if order[0] == "one" else "x", True)
    ]
    assert [sorted(release["files"]) for release in releases.manifest()["previous"]] == [
        ["x" if order[0] == "one" else "x/a.txt"],
        [],
    ]
