"""Words on the command line → one call → an exit status, through the real thing."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import assetbuild
from assetbuild import cli, config
from tests.conftest import Project

#: The folder that holds the package, for processes of their own.
HOME = Path(assetbuild.__file__).parent.parent
COMMANDS = ("compile", "verify", "list", "explain")


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, object]:
        """Standard output as the one JSON document that it is."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document


Run = Callable[..., Ran]


@pytest.fixture
def run(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in the project's folder."""
    monkeypatch.chdir(project.folder)
    for name in list(os.environ):
        if name.startswith("ASSETBUILD_") or name in ("SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)

    def run(*words: str) -> Ran:
        capsys.readouterr()
        return Ran(cli.main(words), *capsys.readouterr())

    return run


def process(folder: Path, *words: str, **environ: str) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "assetbuild", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME), "PYTHONDONTWRITEBYTECODE": "1"} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


FILES: dict[str, str | bytes] = {
    "assets/css/app.css": "a { background: url(../img/a.png) }\n",
    "assets/img/a.png": b"\x89PNG",
    "assets/js/a.js": 'import "./b.js";\n',
    "assets/js/b.js": "export const b = 1;\n",
}


@pytest.fixture
def built(project: Project, run: Run) -> Project:
    """A project that was compiled."""
    assert run("compile", "--quiet") == (0, "", "")
    return project


@pytest.fixture(autouse=True)
def files(project: Project) -> Iterator[None]:
    project.write(FILES)
    yield


# ---- help


@pytest.mark.parametrize("word", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run: Run, command: str, word: str) -> None:
    ran = run(command, word)
    assert ran.status == 0
    assert ran.err == ""
    for words in (
        "Examples:",
        "Common options:",
        "Exit status:",
        "--config",
        "--output",
        "--json",
        "--quiet",
        "--verbose",
        "--jobs",
    ):
        assert words in ran.out


def test_the_help_lists_the_commands_in_the_order_of_work(run: Run) -> None:
    out = run("--help").out
    places = [out.index(f"\n  {command} ") for command in COMMANDS]
    assert places == sorted(places)


def test_without_a_command_the_help_goes_to_standard_error(run: Run) -> None:
    ran = run()
    assert (ran.status, ran.out) == (2, "")
    assert "Commands:" in ran.err


def test_the_version_is_the_package_s(run: Run) -> None:
    assert run("--version") == (0, f"assetbuild {assetbuild.__version__}\n", "")


# ---- usage


@pytest.mark.parametrize(
    "words",
    [
        ("build",),
        ("compile", "--bogus"),
        ("compile", "extra"),
        ("compile", "--jobs", "0"),
        ("compile", "--jobs", "many"),
        ("compile", "--quiet", "--verbose"),
        ("compile", "--config"),
        ("explain",),
        ("explain", "a", "b"),
        ("verify", "dist", "--output", "dist"),
        ("verify", ""),
        ("verify", "dist", "dist"),
        ("list", "--production"),
    ],
)
def test_wrong_usage_is_status_2_and_on_standard_error(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert (ran.status, ran.out) == (2, "")
    assert "Error: " in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("words", [("--output", "x", "list"), ("-q", "compile"), ("--base-url=/a/", "compile")])
def test_an_option_before_its_command_is_told_where_it_belongs(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert ran.status == 2
    name = words[0].partition("=")[0]
    assert f"{name} is an option of commands, and stands behind the word: assetbuild COMMAND {name}\n" in ran.err


def test_wrong_usage_is_a_document_too(run: Run) -> None:
    ran = run("compile", "--json", "--bogus")
    assert (ran.status, ran.err) == (2, "")
    assert ran.document["ok"] is False
    assert "--bogus" in str(ran.document["problems"])


# ---- configuration


@pytest.mark.parametrize("words", [("compile",), ("verify",), ("list",), ("explain", "css/app.css")])
def test_a_wrong_configuration_is_status_2_with_every_mistake(project: Project, run: Run, words: tuple[str, ...]) -> None:
    project.write({"assetbuild.toml": "sorces = 1\noutput = 2\n"})
    ran = run(*words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "assetbuild.toml: output: must be a folder's path, not a number",
        'assetbuild.toml: sorces: there is no such key; did you mean "sources"?',
        "2 errors",
    ]
    ran = run(*words, "--json")
    assert (ran.status, ran.err) == (2, "")
    assert ran.document["ok"] is False
    assert len(ran.document["problems"]) == 2  # type: ignore[arg-type]


def test_a_name_that_no_filter_has_is_a_mistake_like_others_whatever_the_sources(project: Project, run: Run) -> None:
    project.write(
        {
            "assetbuild.toml": 'sorces = 1\n[filters]\n"*.nothing" = ["rcsmin", "less", "my.module:Class"]\n'
            '[bundles."a.js"]\ncontents = ["a.js"]\nfilters = ["replace"]\n'
        }
    )
    ran = run("compile")
    assert (ran.status, ran.err.splitlines()) == (
        2,
        [
            'assetbuild.toml: bundles."a.js".filters: the filter replace takes arguments, which its name cannot give: '
            "write a Filter class that does it",
            'assetbuild.toml: filters."*.nothing": no filter is called "rcsmin"; the nearest are rcssmin, rjsmin, cssmin',
            'assetbuild.toml: sorces: there is no such key; did you mean "sources"?',
            "3 errors",
        ],
    )


def test_a_build_without_changes_asks_webassets_for_no_name(project: Project) -> None:
    """Its import takes longer than such a build."""
    project.write({"assetbuild.toml": '[filters]\n"*.nothing" = ["rcssmin", "libsass", "less", "my.module:Class"]\n'})
    code = "import sys; from assetbuild import cli; print(cli.main(['compile']), 'webassets' in sys.modules)"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(
        command, cwd=project.folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(HOME)}
    )
    assert ran.stdout.split() == ["0", "False"], ran.stderr


def test_no_configuration_and_no_sources_is_status_2(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    ran = run("compile")
    assert ran.status == 2
    assert "make the folder assets" in ran.err


def test_an_output_that_is_not_ours_is_status_2_and_is_left_alone(project: Project, run: Run) -> None:
    project.write({"dist/mine.txt": "mine"})
    ran = run("compile")
    assert ran.status == 2
    assert project.tree() == {"mine.txt": b"mine"}


def test_an_earlier_artifact_without_a_name_is_status_2(project: Project, run: Run) -> None:
    # A variable that is not set: `--previous "$LAST"`. The project's own web manifest is no artifact's.
    project.write({"manifest.json": "{}"})
    ran = run("compile", "--previous", "")
    assert ran.status == 2
    assert ran.err.strip() == "--previous: this names no folder; leave it out where there is no earlier artifact"


# ---- compile


def test_compile_says_on_standard_error_what_it_did(project: Project, run: Run) -> None:
    ran = run("compile")
    assert (ran.status, ran.out) == (0, "")
    first, second, third = ran.err.splitlines()
    assert first.startswith("dist: 4 files, 93 B, ")
    assert f"; {len(project.tree()) - 1} written" in first
    assert second.startswith("largest: ")
    assert third.startswith("compressed: 44 B to br ")
    assert set(project.manifest["assets"]) == {"css/app.css", "img/a.png", "js/a.js", "js/b.js"}


def test_a_second_run_says_that_nothing_changed(built: Project, run: Run) -> None:
    before = {path: path.stat().st_mtime_ns for path in (built.folder / "dist").rglob("*")}
    ran = run("compile")
    assert "nothing changed" in ran.err
    assert {path: path.stat().st_mtime_ns for path in (built.folder / "dist").rglob("*")} == before


@pytest.mark.parametrize("known", ["all", "but a file", "nothing"])
def test_who_waits_for_another_build_is_told(built: Project, known: str) -> None:
    if known == "but a file":
        built.write({"assets/css/new.css": "a{}"})
    elif known == "nothing":
        shutil.rmtree(built.folder / ".assetbuild")
    descriptor = os.open(built.folder / "dist", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    environ = os.environ | {"PYTHONPATH": str(Path(assetbuild.__file__).parent.parent)}
    command = [sys.executable, "-m", "assetbuild", "compile"]
    with subprocess.Popen(command, cwd=built.folder, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        told, _, _ = select.select([process.stderr], [], [], 20)
        waits = process.poll() is None
        os.close(descriptor)
        _, said = process.communicate(timeout=20)
    assert (bool(told), waits, process.returncode) == (True, True, 0)
    assert said.startswith("dist: another build is at work there, and is waited for\n")


def test_verbose_names_each_file_that_was_written_and_removed(built: Project, run: Run) -> None:
    old = built.public("js/b.js")
    built.write({"assets/js/b.js": "export const b = 2;\n"})
    lines = run("compile", "--verbose").err.splitlines()
    assert f"written {built.public('js/b.js')}" in lines
    assert f"written {built.public('js/a.js')}" in lines
    assert f"removed {old}" in lines
    assert not any("img/a" in line for line in lines if line.startswith("written"))


def test_compile_with_json_is_one_document(project: Project, run: Run) -> None:
    ran = run("compile", "--json")
    assert (ran.status, ran.err) == (0, "")
    document = ran.document
    assert document["ok"] is True
    assert document["output"] == "dist"
    assert document["digest"] == project.manifest["digest"]
    assert document["files"] == 4
    assert document["unchanged"] is False
    assert document["problems"] == []
    assert document["written"] == sorted(project.tree().keys() - {"manifest.json"})
    assert document["compressed"] == {"br": sum(len(data) for path, data in project.tree().items() if path.endswith(".br"))}
    again = run("compile", "--json").document
    assert (again["unchanged"], again["written"], again["removed"]) == (True, [], [])


def test_options_reach_the_build(project: Project, run: Run) -> None:
    (project.folder / "conf").mkdir()
    project.write({"conf/my.toml": 'sources = ["../assets"]\n'})
    assert run("compile", "--config", "conf/my.toml", "--output", "out", "--base-url", "/x", "--jobs", "1").status == 0
    manifest = json.loads((project.folder / "out" / "manifest.json").read_text())
    assert manifest["base_url"] == "/x/"


def test_the_environment_reaches_the_build(project: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSETBUILD_OUTPUT", "out")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert run("compile").status == 0
    assert (project.folder / "out" / "manifest.json").stat().st_mtime == 1_000_000_000


def test_a_failed_build_names_every_fault_and_leaves_the_artifact_as_it_was(built: Project, run: Run) -> None:
    before = built.tree()
    built.write({"assets/css/b.css": "a{b:url(gone.png)}\nb{b:url(gone2.png)}", "assets/js/b.js": "export const b = 3;\n"})
    ran = run("compile")
    assert (ran.status, ran.out) == (1, "")
    first, second, last = ran.err.splitlines()
    assert first.startswith("assets/css/b.css:1:9: ")
    assert second.startswith("assets/css/b.css:2:9: ")
    assert last == "2 errors"
    assert built.tree() == before
    ran = run("compile", "--json")
    assert (ran.status, ran.err) == (1, "")
    problem = ran.document["problems"][0]  # type: ignore[index]
    assert (problem["file"], problem["line"], problem["column"], problem["severity"]) == ("assets/css/b.css", 1, 9, "error")


def test_warnings_are_shown_unless_quiet_and_do_not_fail(project: Project, run: Run) -> None:
    project.write({"assets/css/b.css": "a{b:url(gone.png)}", "assetbuild.toml": 'missing = "warn"'})
    ran = run("compile")
    assert ran.status == 0
    assert "warning: assets/css/b.css:1:9: " in ran.err
    assert run("compile", "--quiet") == (0, "", "")
    document = run("compile", "--json").document
    assert document["ok"] is True
    assert [problem["severity"] for problem in document["problems"]] == ["warning"]  # type: ignore[attr-defined]


# ---- verify, list, explain


@pytest.mark.parametrize("words", [(), ("dist",), ("--output", "dist"), ("dist/manifest.json",)])
@pytest.mark.usefixtures("built")
def test_a_good_artifact_is_verified(run: Run, words: tuple[str, ...]) -> None:
    ran = run("verify", *words, "--production")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err.startswith("dist: ")
    assert run("verify", *words, "--quiet") == (0, "", "")
    document = run("verify", *words, "--json").document
    assert (document["ok"], document["problems"], document["mode"]) == (True, [], "production")


def test_findings_are_on_standard_output_with_status_1(built: Project, run: Run) -> None:
    public = built.public("img/a.png")
    built.write({f"dist/{public}": b"\x89PNX"})
    ran = run("verify")
    assert ran.status == 1
    assert ran.out.startswith(f"dist/{public}: ")
    assert "finding" in ran.err
    assert run("verify", "--quiet").out == ran.out
    document = run("verify", "--json").document
    assert document["ok"] is False
    assert document["problems"]


def test_verify_of_a_folder_reads_no_configuration(built: Project, run: Run) -> None:
    built.write({"assetbuild.toml": "this is not TOML"})
    assert run("verify", "dist").status == 0
    assert run("verify").status == 2


def test_an_artifact_is_read_where_the_sources_are_gone(built: Project, run: Run) -> None:
    (built.folder / "assets").rename(built.folder / "elsewhere")
    assert run("verify").status == 0
    assert run("list").status == 0


@pytest.mark.parametrize("command", ["verify", "list"])
def test_without_an_artifact_the_status_is_1(run: Run, command: str) -> None:
    ran = run(command)
    assert ran.status == 1
    assert "dist/manifest.json: there is no such file" in ran.out + ran.err
    document = run(command, "--json").document
    assert document["ok"] is False
    assert document["problems"]


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 1, "assets": {}}', '{"version": 2, "assets": {}}'])
def test_what_is_said_of_a_manifest_that_cannot_be_used_helps(built: Project, run: Run, text: str) -> None:
    """A build refuses the folder, so running one is no help while it is there."""
    built.write({"dist/manifest.json": text})
    ran = run("list")
    assert ran.status == 1
    assert "; remove the folder and run `assetbuild compile`" in ran.err
    ran = run("compile")
    assert ran.status == 2
    assert "; choose another output, or remove the folder and run `assetbuild compile`" in ran.err
    assert ran.err.count("`assetbuild compile`") == 1
    assert ("version 2 is not known" in ran.err) == ('"version": 2' in text)
    assert "not one of assetbuild's" not in ran.err


def test_list_says_how_to_name_another_folder_unless_it_was_told(run: Run) -> None:
    assert "run `assetbuild compile`, or name the artifact's folder with --output" in run("list").err
    assert "--output" not in run("list", "--output", "x").err


def test_list_has_a_line_for_each_asset(built: Project, run: Run) -> None:
    ran = run("list")
    assert (ran.status, ran.err) == (0, "")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert [row[:2] for row in rows] == [
        [path, built.public(path)] for path in ("css/app.css", "img/a.png", "js/a.js", "js/b.js")
    ]
    assert rows[1][2] == "4"


def test_list_with_json_is_what_the_manifest_says(built: Project, run: Run) -> None:
    document = run("list", "--json").document
    assert document["ok"] is True
    assert document["assets"] == built.manifest["assets"]
    assert document["digest"] == built.manifest["digest"]


@pytest.mark.parametrize("path", ["css/app.css", "assets/css/app.css", "./assets/css/app.css", "PUBLIC", "dist/PUBLIC"])
def test_explain_takes_whatever_names_the_asset(built: Project, run: Run, path: str) -> None:
    ran = run("explain", path.replace("PUBLIC", built.public("css/app.css")))
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"css/app.css → {built.public('css/app.css')}\n")
    assert 'assets/css/app.css:1:21: "../img/a.png" → img/a.png' in ran.out
    assert "rcssmin" in ran.out


def test_explain_with_json_has_the_same_facts(built: Project, run: Run) -> None:
    document = run("explain", "js/b.js", "--json").document
    assert document["ok"] is True
    assert document["source"] == "assets/js/b.js"
    assert document["public_path"] == built.public("js/b.js")
    assert document["referred_by"] == [{"logical_path": "js/a.js", "line": 1, "column": 9}]
    assert document["refers_to"] == []


@pytest.mark.usefixtures("built")
def test_explain_of_an_unknown_path_is_status_1(run: Run) -> None:
    ran = run("explain", "css/ap.css")
    assert (ran.status, ran.out) == (1, "")
    assert "css/app.css" in ran.err


# ---- streams, signals, faults


def test_a_person_at_a_terminal_sees_colours_and_a_script_does_not(project: Project) -> None:
    project.write({"assets/css/b.css": "a{b:url(gone.png)}"})
    for environ, coloured in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        done = subprocess.run(
            [sys.executable, "-m", "assetbuild", "compile"],
            cwd=project.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME)} | environ,
            stdout=theirs,
            stderr=theirs,
            check=False,
        )
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # The end of what a terminal was told. It came in pieces, a progress bar among them.
            while piece := os.read(ours, 65536):
                seen += piece
        os.close(ours)
        assert done.returncode == 1
        assert b"assets/css/b.css:1:9" in seen
        assert (b"\x1b[" in seen) == coloured


@pytest.mark.parametrize("words", [("check",), ("verify",)])
def test_what_is_found_stands_before_the_verdict_whatever_the_stream_is(project: Project, words: tuple[str, ...]) -> None:
    project.write({"assets/a.css": "", "templates/a.html": "{{ asset('b.css') }}"}).compile()
    (project.folder / "dist" / project.public("a.css")).unlink()
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "assetbuild", *words]
    done = subprocess.run(
        command,
        cwd=project.folder,
        env=environ | {"PYTHONPATH": str(HOME)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    first, last = done.stdout.splitlines()
    assert "1 finding" in last
    assert "1 finding" not in first


def test_whoever_stops_reading_the_list_hears_no_complaint(built: Project) -> None:
    with process(built.folder, "list") as child:
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_results_that_cannot_be_written_are_a_failure(built: Project) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "assetbuild", "list"],
            cwd=built.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "standard output cannot be written: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("words", ["list --json", "compile --json", "compile", "nonsense"])
def test_no_stream_that_is_full_or_closed_brings_a_traceback(built: Project, words: str) -> None:
    built.write({f"assets/{n}-{'x' * 60}.txt": "x" for n in range(100)})  # More than a buffer holds.
    for streams in (">/dev/full", "2>/dev/full", ">&-", "2>&-", "<&-", "<&- >&- 2>&-"):
        done = subprocess.run(
            ["/bin/sh", "-c", f'"$0" -m assetbuild {words} {streams}', sys.executable],
            cwd=built.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME)},
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stderr, streams
        assert "should not have happened" not in done.stderr, streams
        expected = 2 if words == "nonsense" else 1 if streams == ">/dev/full" and words != "compile" else 0
        assert done.returncode == expected, streams


def test_file_names_are_utf_8_whatever_the_locale(project: Project) -> None:
    project.write({"assets/ü.css": "a { background: url(bild-é.png) }", "assets/bild-é.png": "x"})
    with process(project.folder, "compile", "--output", "here") as child:
        assert child.wait() == 0
    with process(project.folder, "compile", "--output", "dört", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0") as child:
        err = child.communicate()[1]
    assert child.returncode == 0, err
    here, there = project.folder / "here/manifest.json", project.folder / "dört/manifest.json"
    assert here.read_bytes() == there.read_bytes()


def test_a_working_folder_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", 'rmdir "$PWD"; "$0" -m assetbuild compile', sys.executable],
        cwd=gone,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (2, "the working folder is gone; change to one that is there\n")


def test_a_name_is_shown_whatever_the_encoding(project: Project) -> None:
    project.write({"assets/ü.txt": "x"})
    with process(project.folder, "compile", "--quiet") as child:
        assert child.wait() == 0
    with process(project.folder, "list", PYTHONIOENCODING="ascii") as child:
        out, err = child.communicate()
    assert (child.returncode, err) == (0, "")
    assert "\\xfc.txt" in out


@pytest.mark.parametrize("words", [(), ("--verbose",), ("--json",)])
def test_an_interrupted_command_is_status_130_without_a_traceback(project: Project, words: tuple[str, ...]) -> None:
    # The configuration is a named pipe: once it could be opened for writing, the command is waiting for what is in it.
    os.mkfifo(project.folder / "conf.toml")
    with process(project.folder, "compile", "--config", "conf.toml", *words) as child, open(project.folder / "conf.toml", "w"):
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()
    assert child.returncode == 130
    assert "Traceback" not in err
    if "--json" in words:
        assert json.loads(out)["ok"] is False
    else:
        assert (out, err.strip()) == ("", "interrupted")


SLOW = """
from pathlib import Path
import time
from webassets.filter import Filter

class Slow(Filter):
    name = "slow"
    def input(self, _in, out, **kwargs):
        Path(__file__).with_name("started").write_text("")
        time.sleep(60)
"""


def test_an_interrupted_build_ends_its_workers_and_leaves_no_artifact(project: Project) -> None:
    project.write({"slow.py": SLOW, "assetbuild.toml": '[filters]\n"*.css" = ["slow:Slow"]\n'})
    with process(project.folder, "compile") as child:
        while not (project.folder / "started").exists() and child.poll() is None:
            time.sleep(0.01)
        os.killpg(child.pid, signal.SIGINT)  # As a terminal does it: to all processes at once.
        out, err = child.communicate()  # Returns when the last process that holds the pipes has ended.
    assert child.returncode == 130
    assert out == ""
    assert err.strip() == "interrupted"
    assert not (project.folder / "dist").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_command_that_is_told_to_end_cleans_up_and_ends_by_that_signal(
    project: Project, tmp_path_factory: pytest.TempPathFactory, number: signal.Signals, words: tuple[str, ...]
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    project.write({"slow.py": SLOW, "assetbuild.toml": '[filters]\n"*.css" = ["slow:Slow"]\n'})
    with process(project.folder, "compile", *words, TMPDIR=str(temporary)) as child:
        while not (project.folder / "started").exists() and child.poll() is None:
            time.sleep(0.01)
        assert os.listdir(temporary)
        child.send_signal(number)  # As a service manager does it: to the one process.
        out, err = child.communicate()  # Returns when the last process that holds the pipes has ended.
    assert child.returncode == -number
    assert err.strip() == ("" if words else f"ended by {number.name}")
    assert not words or json.loads(out)["ok"] is False
    assert not (project.folder / "dist").exists()
    assert os.listdir(temporary) == []


def test_a_signal_that_is_ignored_stays_ignored(project: Project) -> None:
    project.write({"slow.py": SLOW.replace("60", "1"), "assetbuild.toml": '[filters]\n"*.css" = ["slow:Slow"]\n'})
    nohup = 'trap "" HUP; exec "$0" -m assetbuild compile'
    with subprocess.Popen(
        ["/bin/sh", "-c", nohup, sys.executable],
        cwd=project.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HOME)},
        stderr=subprocess.PIPE,
    ) as child:
        while not (project.folder / "started").exists() and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGHUP)
        assert child.wait() == 0


def test_an_interrupt_before_the_command_line_is_there_says_so(project: Project) -> None:
    project.write({"click.py": "raise KeyboardInterrupt"})
    with process(project.folder, "compile") as child:
        assert child.communicate() == ("", "interrupted\n")
    assert child.returncode == 130


def test_a_fault_of_our_own_is_one_line_and_with_verbose_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("first\nlast")

    monkeypatch.setattr("assetbuild.compile.project", fail)
    ran = run("compile")
    assert (ran.status, ran.out) == (1, "")
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) == 1
    assert "Traceback" in run("compile", "--verbose").err
    assert run("compile", "--json").document["ok"] is False


def test_without_click_one_is_told_what_to_install(tmp_path: Path) -> None:
    # Without the site module no installed package is found: what `pip install assetbuild` alone gives.
    (tmp_path / "assetbuild").symlink_to(Path(assetbuild.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-S", "-m", "assetbuild", "compile"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == 'assetbuild: the command line needs the build extra: pip install "assetbuild[build]"\n'


def test_the_version_needs_nothing_of_the_build(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from assetbuild.__main__ import main\n"
        "sys.argv[1:] = ['--version']\n"
        "assert main() == 0\n"
        "assert not {'assetbuild.compile', 'assetbuild.config', 'webassets', 'jinja2', 'json'} & set(sys.modules)\n"
    )
    environ = {"PYTHONPATH": str(HOME)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_frameworks_own_command_line_adds_what_its_application_knows(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"static/a.css": "a{}", "assets/b.css": "b{}"})
    monkeypatch.chdir(project.folder)
    for name in ("ASSETBUILD_OUTPUT", "ASSETBUILD_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    application = config.Application((project.folder / "static",), project.folder / "public", base_url="/app/")
    assert cli.main(["compile", "--json"], application=application) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["output"], document["base_url"]) == ("public", "/app/")
    assert {"a.css", "b.css"} <= set(assetbuild.Assets("public"))
    assert cli.main(["verify", "--quiet"], application=application) == 0
    assert cli.main(["verify", "--quiet"]) == 1  # Without it: dist, where nothing is.
