"""The cache: the same work is never done twice, and what it says is never believed without a look."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetbuild import cli, index
from assetbuild.cache import LIMIT, Cache, key, opened
from tests.conftest import Project, examples

SITE: dict[str, str | bytes] = {
    "assets/css/a.css": "@import 'b.css';\na  {  background : url(../img/a.png) }\n",
    "assets/css/b.css": "b  {  color : red  }\n",
    "assets/js/a.js": "import { b } from './b.js';\nb();\n",
    "assets/js/b.js": "import './a.js';\nexport function b() {}\n",
    "assets/js/c1.js": "var c = 1",
    "assets/js/c2.js": "var d = 2",
    "assets/img/a.png": b"P",
    "assetbuild.toml": 'compress = []\n[bundles."all.js"]\ncontents = ["js/c*.js"]\n',
}


def entries(project: Project) -> list[Path]:
    return sorted(p for p in (project.folder / ".assetbuild").rglob("*") if p.is_file() and p.name != ".gitignore")


def test_a_second_build_compiles_nothing(project: Project) -> None:
    first = project.write(SITE).compile()
    assert (first.use.known, first.use.made) == (0, 8)
    second = project.compile()
    assert (second.use.known, second.use.made) == (6, 0)


def test_a_change_compiles_what_changed_and_the_bundle_that_it_is_in(project: Project) -> None:
    project.write(SITE).compile()
    assert project.write({"assets/css/b.css": "b{color:blue}"}).compile().use.made == 1
    assert project.write({"assets/js/c1.js": "var c = 3"}).compile().use.made == 3


def test_the_bytes_are_the_same_with_a_cold_a_warm_and_a_moved_cache(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.write(SITE).compile()
    cold = project.tree()
    os.rename(project.folder / "dist", project.folder / "old")
    assert project.compile().use.known == 5
    assert project.tree() == cold
    other = Project(tmp_path_factory.mktemp("elsewhere") / "deep")
    other.write({name.replace("assets/", "assets/"): content for name, content in SITE.items()})
    environ = {"ASSETBUILD_CACHE_DIR": str(project.folder / ".assetbuild")}
    assert other.compile(environ=environ).use.known == 5
    assert other.tree() == cold


def test_entries_that_cannot_be_believed_are_counted(project: Project) -> None:
    project.write({**SITE, "assetbuild.toml": 'compress = ["gzip"]', "assets/t.txt": "a line of text\n" * 99}).compile()
    expected = project.tree()
    results = list((project.folder / ".assetbuild").glob("v*/results/*/*"))
    for path in results:
        path.write_bytes(path.read_bytes()[:-1])
    shutil.rmtree(project.folder / "dist")
    again = project.compile()
    assert again.use.rejected == len(results) > 5
    assert project.tree() == expected
    shutil.rmtree(project.folder / "dist")
    assert project.compile().use.rejected == 0


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_a_damaged_cache_costs_time_and_changes_nothing(project: Project, seed: int) -> None:
    dice = random.Random(seed)
    project.write(SITE).compile()
    expected = project.tree()
    for path in entries(project):
        data = path.read_bytes()
        fate = dice.randrange(7)
        if fate == 0:
            path.write_bytes(data[: dice.randrange(len(data) + 1)])
        elif fate == 1 and data:
            at = dice.randrange(len(data))
            path.write_bytes(data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :])
        elif fate == 2:
            path.unlink()
            path.mkdir()
        elif fate == 3:
            path.write_bytes(dice.randbytes(40))
        elif fate == 4:
            path.unlink()
            os.mkfifo(path)
    shutil.rmtree(project.folder / "dist")
    project.compile()
    assert project.tree() == expected
    for path in (project.folder / ".assetbuild").rglob("*"):
        if stat.S_ISFIFO(path.lstat().st_mode):
            path.unlink()
        elif path.is_dir() and len(path.name) > 10:
            path.rmdir()


@pytest.mark.long
@settings(max_examples=examples(6), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_after_any_edits_a_warm_build_gives_what_a_cold_one_gives(project: Project, seed: int) -> None:
    dice = random.Random(seed)
    project.write(SITE)
    sheets = ["", "a  { b : url(a.css) }", "@import 'b.css';", "@import 'a.css';\n/*! c */"]
    scripts = ["", "var x  =  1", "/*! c */", "f(() => /[//]/ . test(y))"]
    modules = [*scripts, "import './b.js'", "export let y", "import './a.js'; import './c1.js'"]
    files = {"css/a.css": sheets, "css/b.css": sheets, "js/a.js": modules, "js/b.js": modules, "js/c1.js": scripts}
    for _ in range(4):
        project.write({f"assets/{name}": dice.choice(texts) for name, texts in files.items() if dice.randrange(3) == 0})
        top = 'missing = "ignore"\n' if dice.randrange(2) else 'missing = "ignore"\nbase_url = "/x/"\n'
        project.write({"assetbuild.toml": top + str(SITE["assetbuild.toml"])})
        project.compile()
        warm = project.tree()
        cold = str(project.folder / f"cold-{dice.random()}")
        project.compile(environ={"ASSETBUILD_CACHE_DIR": cold, "ASSETBUILD_OUTPUT": "fresh"})
        fresh = project.folder / "fresh"
        found = {p.relative_to(fresh).as_posix(): p.read_bytes() for p in sorted(fresh.rglob("*")) if p.is_file()}
        assert found == warm


def test_other_options_versions_and_filters_are_other_results(project: Project) -> None:
    project.write({**SITE, "assetbuild.toml": "compress = []"}).compile()
    assert project.write({"assetbuild.toml": 'compress = []\n[filters]\n"*.css" = []\n'}).compile().use.known == 4


def test_the_cache_has_no_result_of_a_chain_that_may_read_further_files(project: Project) -> None:
    project.write({"assets/a.scss": "@use 'p'; a { b: p.$c }", "assets/_p.scss": "$c: 1", "assetbuild.toml": "compress = []"})
    assert project.compile().use.made == 1
    shutil.rmtree(project.folder / "dist")
    assert project.compile().use.made == 1
    project.write({"assets/_p.scss": "$c: 2"}).compile()
    assert project.text("a.css") == "a{b:2}"


def test_failures_are_not_kept(project: Project) -> None:
    project.write({"assets/a.css": "/* no end"})
    for _ in range(2):
        with pytest.raises(Exception, match="this comment has no end"):
            project.compile()
    assert entries(project) == []


def test_warnings_come_again(project: Project) -> None:
    project.write({"assets/a.css": "a{}\n@import 'b.css';"})
    first = project.compile().warnings
    assert first == project.compile().warnings
    assert first[0].line == 2


def test_no_path_of_the_machine_and_no_time_is_in_an_entry(project: Project) -> None:
    project.write({**SITE, "assets/bad.js": "f(`"}).compile()
    for path in entries(project):
        assert str(project.folder).encode() not in path.read_bytes()
        if path.parent.parent.name == "results":
            digest, _, text = path.read_bytes().partition(b"\n")
            key = path.parent.name + path.name
            assert hashlib.sha256(f"{key}\n".encode() + text).hexdigest().encode() == digest
            assert json.loads(text)


def test_the_folder_is_the_users_alone_and_ignored_by_git(project: Project) -> None:
    project.write(SITE).compile()
    folder = project.folder / ".assetbuild"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_folder_to_which_others_may_write_is_not_used(project: Project) -> None:
    folder = project.folder / ".assetbuild"
    folder.mkdir()
    folder.chmod(0o777)
    assert project.write(SITE).compile().use.refused == "others may write to it"
    assert list(folder.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_no_failure(project: Project) -> None:
    project.write({**SITE, ".assetbuild": "a file"})
    assert project.compile().use.refused == "File exists"


def test_a_cache_that_is_of_no_use_is_told_of_unless_quiet(inside: Project, capsys: pytest.CaptureFixture[str]) -> None:
    inside.write(SITE).compile()
    for path in entries(inside):
        path.write_bytes(path.read_bytes()[:-1])
    assert cli.main(["compile", "--output", "other"]) == 0
    assert "of the cache could not be believed, and the work was done anew\n" in capsys.readouterr().err
    (inside.folder / ".assetbuild").chmod(0o777)
    assert cli.main(["compile"]) == 0
    said = "the cache is not used: others may write to it; ASSETBUILD_CACHE_DIR names another folder\n"
    assert said in capsys.readouterr().err
    assert cli.main(["compile", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_parts_of_a_key_do_not_run_together() -> None:
    assert len({key(["ab", "c"]), key(["a", "bc"]), key(["abc"]), key(["abc", ""])}) == 4


def test_what_is_no_digest_is_no_path(tmp_path: Path) -> None:
    for name in ("../" * 20 + "etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"):
        with pytest.raises(ValueError, match="is no SHA-256"):
            Cache(str(tmp_path)).content(name, 1)


def test_prune_removes_what_was_not_used_for_the_longest_time(tmp_path: Path) -> None:
    cache = opened(str(tmp_path / "c"))
    assert isinstance(cache, Cache)
    digests = []
    for n in range(10):
        data = bytes([n]) * 100
        digest = hashlib.sha256(data).hexdigest()
        cache.keep_content(digest, data)
        path = next(p for p in (tmp_path / "c").rglob(digest[2:]))
        os.utime(path, (1_000_000 + n, 1_000_000 + n))
        digests.append(digest)
    assert cache.content(digests[0], 100) is not None  # That is a use.
    assert cache.prune(None).kept == 10
    pruned = cache.prune(300)
    assert (pruned.kept, pruned.removed, pruned.size, pruned.freed) == (3, 7, 300, 700)
    assert [cache.content(digest, 100) is not None for digest in digests] == [True] + [False] * 7 + [True] * 2


def test_once_a_week_a_build_prunes_it(project: Project) -> None:
    project.write(SITE).compile()
    known = entries(project)
    (version,) = (project.folder / ".assetbuild").glob("v*")
    large = version / "contents/ab" / ("c" * 62)
    large.parent.mkdir(parents=True, exist_ok=True)
    large.touch()
    os.truncate(large, LIMIT + 1)  # It takes no room.
    assert project.compile().unchanged
    assert large.exists()
    ignored = project.folder / ".assetbuild/.gitignore"
    for days in (-8, 8):  # After a clock was put back, too, that had run ahead.
        large.touch()
        os.truncate(large, LIMIT + 1)
        os.utime(ignored, (ignored.stat().st_mtime + days * 86_400,) * 2)
        assert project.compile().unchanged
        assert entries(project) == known
    large.touch()
    os.truncate(large, LIMIT + 1)
    project.compile()
    assert large.exists()


def test_the_command_tells_what_the_cache_holds_and_prunes_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write(SITE).compile()
    monkeypatch.chdir(project.folder)
    assert cli.main(["cache"]) == 0
    assert capsys.readouterr().out.startswith(f".assetbuild: {len(entries(project))} entries, ")
    assert cli.main(["cache", "--prune", "--limit", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"] == 0
    assert entries(project) == []
    assert project.compile().unchanged


SMALL = json.dumps(
    {"key": "", "tools": [], "manifest": "", "reads": {}, "summary": {}, "restless": False, "warnings": [], "below": ""}
).encode()


@pytest.mark.parametrize(
    "parts",
    [(b"{}", b"", b"", b"", b""), (SMALL, b"a\x1eb", b"1", b"", b""), (b"{}",), (b"no JSON", b"", b"", b"", b"")],
    ids=["keys missing", "columns of different lengths", "parts missing", "no JSON"],
)
def test_an_index_that_does_not_fit_together_is_none(tmp_path: Path, parts: tuple[bytes, ...]) -> None:
    cache = opened(str(tmp_path))
    assert isinstance(cache, Cache)
    cache.keep_index("0" * 64, parts)
    assert cache.index("0" * 64)
    assert index.load(cache, "0" * 64) is None
    cache.keep_index("1" * 64, (SMALL, b"a\x1eb", b"1\x1e2", b"", b""))
    assert index.load(cache, "1" * 64)
