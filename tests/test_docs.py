"""What the documentation says is true: its examples run as they stand, and nothing that a user can name is left out.

A page is followed from its top to its end in an empty folder, as a reader would do it: files are written, commands are run, and
what they print is compared. Three things are not done as they stand. Packages are not installed: they are there already, so
`pip install` lines, and blocks that make a virtual environment, are passed over. There is no Docker: the instructions of a
Dockerfile are followed by a small reader of such files (`Stage`), in a folder for each stage, every RUN line but its `pip
install` runs, the final stage cannot import what only building needs, its CMD is started and the page asked for. And `docker`
commands are only compared with the Dockerfile: the port that they name is the one that it gives. nginx runs where there is one.
"""

from __future__ import annotations

import base64
import contextlib
import doctest
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin
from urllib.request import urlopen

import click
import jinja2
import pytest
import rcssmin
import rjsmin
import yaml

import assetbuild
from assetbuild import Assets, cli
from assetbuild import config as configuration
from assetbuild.integrations import flask, jinja, starlette
from assetbuild.references import css, js
from assetbuild.runtime import manifest as treaty
from assetbuild.verify import verify
from tests import browser, dockerfile, server
from tests.conftest import Project
from tests.server import free_port

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/howto").glob("*.md")))
README = (ROOT / "README.md").read_text("utf-8")
REFERENCE = (ROOT / "docs/reference.md").read_text("utf-8")

# Pages whose blocks are nothing to run: the map of the rooms; the benchmarks, which take minutes (tests/test_benchmarks.py runs
# them on a few files); and the warnings, which tests/test_docs_warnings.py provokes.
NOT_FOLLOWED = {"architecture.md", "benchmarks.md", "warnings.md"}


class Block(NamedTuple):
    """A fenced block. file: the file that the line before it names, or "". line: where its text begins, from 1."""

    language: str
    text: str
    file: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order. A file is named by a last sentence that begins with its path: "`app.py`, …:"."""
    found = []
    before, opened, body = "", 0, list[str]()
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if not line.startswith("```"):
            body.append(line)
            before = line if line and not opened else before
        elif not opened:
            language, opened, body = line[3:], number, []
        else:
            named = re.search(r"(?:^|\. )`([\w./-]*\.\w+|[\w./-]*Dockerfile)`(?:, [^`]*)?:$", before)
            found.append(Block(language, "\n".join(body) + "\n", named[1] if named else "", opened + 1))
            before, opened = "", 0
    assert not opened, f"{page.name}:{opened}: this block has no end"
    return found


def environment() -> dict[str, str]:
    """That of a reader who has the commands of this environment in the path, and of this package."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASSETBUILD_", "FLASK_"))}
    for name in ("SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR"):
        kept.pop(name, None)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return kept | {"PATH": path, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}


def run(script: str, folder: Path) -> str:
    """What the commands print, on both streams. All of them must succeed. Packages are installed already."""
    lines = [line for line in script.splitlines() if not line.startswith("pip install ")]
    bash = ["bash", "-euo", "pipefail", "-c", "\n".join(lines)]
    done = subprocess.run(
        bash, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def comparable(text: str) -> str:
    """Without what differs from run to run and from terminal to terminal: times, and the width of blanks."""
    text = re.sub(r"\b\d+ ms\b|\b\d+\.\d s\b", "TIME", text)
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def part_of(example: object, real: object) -> bool:
    """Whether all that an example of JSON says is so."""
    if isinstance(example, dict) and isinstance(real, dict):
        return all(key in real and part_of(value, real[key]) for key, value in example.items())
    return example == real


def execute(page: Path, folder: Path) -> None:
    """A reader who does what the page says, from its top to its end, in an empty folder."""
    printed = ""
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        if block.file.startswith("sample_project/"):
            # A part of what is there, and runs in tests of its own.
            assert block.text in (ROOT / block.file).read_text("utf-8"), where
        elif block.file:
            file = folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, "utf-8")
            if block.file == "Dockerfile":
                check_the_container(folder)
            elif block.language == "nginx":
                check_nginx(file, folder)
            elif block.file == "compose.yaml":
                check_compose(block.text, folder)
            elif block.file.startswith(".github/workflows/"):
                check_workflow(block.text, folder)
        elif block.language == "dockerfile":
            stage = dockerfile.follow(block.text, folder, folder.parent / f"{folder.name}-stages", environment())
            assert verify(stage.root / "srv/dist", production=True).findings == ()
        elif block.language == "html+jinja":
            check_template(block.text, folder / "dist")
        elif block.language == "sh" and re.search(r"^docker ", block.text, re.MULTILINE):
            check_docker_commands(block.text, (folder / "Dockerfile").read_text("utf-8"), where)
        elif block.language == "sh" and "flask run" in block.text:
            before, _, after = block.text.partition("flask run\n")
            assert not after, where
            run(before, folder)
            printed = check_the_page_that_is_served(folder, ["flask", "run"])
        elif block.language == "sh" and re.search(r"^uvicorn ", block.text, re.MULTILINE):
            *commands, last = block.text.splitlines()
            run("\n".join(commands), folder)
            printed = check_the_page_that_is_served(folder, last.split())
        elif block.language == "sh" and "python3 -m venv" not in block.text:
            printed = run(block.text, folder)
        elif block.language == "text":
            assert comparable(block.text) == comparable(printed), where
        elif block.language == "html":
            assert block.text in printed, f"{where}: {printed}"
        elif block.language == "python" and ">>>" in block.text:
            check_session(block.text, where)
        elif block.language == "python":
            exec(compile(block.text, where, "exec"), {})
        elif block.language == "json":
            real = json.loads((folder / "dist/manifest.json").read_bytes())
            assert part_of(json.loads(block.text), real), f"{where}: {json.dumps(real, indent=2)}"
        elif block.language == "toml":
            check_configuration(block.text, folder / "configured")
        else:
            # The rest is read by tests of its own, or by Sphinx; so that no example goes unread, there is no other.
            assert block.language in ("js", "nginx", "{toctree}") or "python3 -m venv" in block.text, (
                f"{where}: a block that nobody runs"
            )


def check_session(text: str, where: str) -> None:
    test = doctest.DocTestParser().get_doctest(text, {}, where, where, 0)
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    assert result.attempted
    assert not result.failed, "".join(said)


def check_configuration(text: str, folder: Path) -> None:
    """It is read without a complaint, where the folders are that it names."""
    for name in ("assets", "mylib/static", "vendor/htmx", "static"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "mylib/__init__.py").touch()
    (folder / "assets.yml").touch()
    (folder / "assetbuild.toml").write_text(text, "utf-8")
    configuration.load(cwd=folder, environ={})


def check_template(text: str, artifact: Path) -> None:
    """It is a template, and what it asks of assetbuild's helper is in the artifact."""
    if "{% assets" in text:
        jinja2.Environment(extensions=["webassets.ext.jinja2.AssetsExtension"], autoescape=True).parse(text)
        return
    env = jinja2.Environment(autoescape=True)
    jinja.install(env, Assets(artifact))
    assert 'integrity="sha256-' in env.from_string(text).render()


def check_nginx(file: Path, folder: Path) -> None:
    """It serves the artifact, what is fingerprinted for ever, and to all hosts. Without nginx only its braces are looked at."""
    text = file.read_text("utf-8")
    assert text.count("{") - text.count("12}") == text.count("}") - text.count("12}")
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not nginx or not Path("/etc/nginx/mime.types").exists():
        return
    port = free_port()
    changed = text.replace("listen 127.0.0.1:8080;", f"listen 127.0.0.1:{port};").replace("/srv/dist/", f"{folder}/dist/")
    assert str(port) in changed
    assert str(folder) in changed
    scratch = folder.parent / f"{folder.name}-nginx"
    scratch.mkdir()
    (scratch / "nginx.conf").write_text(
        changed.replace("http {", f"http {{ access_log off; {server.nginx_folders(scratch)}", 1), "utf-8"
    )
    user = "user root; " if os.geteuid() == 0 else ""
    options = f"{user}daemon off; pid {scratch}/pid; error_log {scratch}/error.log;"
    command = [nginx, "-p", str(scratch), "-c", str(scratch / "nginx.conf"), "-e", str(scratch / "error.log"), "-g", options]
    entry = treaty.load(folder / "dist/manifest.json")["assets"]["css/app.css"]
    with serving(command, scratch, environment(), port, scratch / "log", "static/" + entry["path"]) as top:
        sheet = urlopen(top)
        assert sheet.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert sheet.headers["Access-Control-Allow-Origin"] == "*"
        assert sheet.headers["Content-Type"] == "text/css"
        manifest = urlopen(urljoin(top, "/static/manifest.json"))
        assert manifest.headers["Cache-Control"] is None
        assert manifest.headers["Access-Control-Allow-Origin"] == "*"


def check_workflow(text: str, folder: Path) -> None:
    """Its own steps run; those of others are named with their version."""
    (job,) = yaml.safe_load(text)["jobs"].values()
    steps = job["steps"]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    run("\n".join(step["run"] for step in steps if "run" in step), folder)


def check_compose(text: str, folder: Path) -> None:
    """What builds in it is a real `watch`, which a page at the published port hears; what reads it reads what that writes."""
    services = yaml.safe_load(text)["services"]
    words = shlex.split(shlex.split(services["assets"]["command"])[2].partition("exec ")[2])
    words[0:1] = [sys.executable, "-m", "assetbuild"]
    port = free_port()
    process = subprocess.Popen(
        [*words, "--live-reload-port", str(port), "--json"], cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert json.loads(process.stdout.readline())["ok"]
        url = json.loads((folder / "dist/manifest.json").read_bytes())["live_reload"]
        assert url.startswith(f"http://localhost:{port}/")
        with urlopen(url) as response:
            assert response.status == 200
        published = services["assets"]["ports"][0].split(":")
        assert published[:2] == ["127.0.0.1", published[2]]
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0
    settings = services["web"]["environment"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (settings | {"ASSETBUILD_OUTPUT": str(folder / "dist")}).items():
            patch.setenv(name, value)
        assert Assets().url("css/app.css").startswith("/static/css/app.")


class Loaded(HTMLParser):
    """What a page loads: URL and integrity."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 (the name is the parser's)
        given = dict(attrs)
        url = given.get("src") or given.get("href")
        if url:
            self.found.append((url, given.get("integrity")))


@contextlib.contextmanager
def serving(command: list[str], folder: Path, env: dict[str, str], port: int, log: Path, path: str = "") -> Iterator[str]:
    """A server that runs; gives the URL of a path."""
    with server.serving(command, port, log, cwd=folder, env=env):
        yield f"http://127.0.0.1:{port}/{path}"


def check_the_page_that_is_served(folder: Path, words: list[str]) -> str:
    """Everything that the page asks for, and what that asks for, is there under a fingerprinted name, with its integrity.
    Gives the page. words: a server's command, a module of Python's and its arguments."""
    port = free_port()
    command = [sys.executable, "-m", *words, "--port", str(port)]
    with serving(command, folder, environment(), port, folder / "server.log") as top:
        return check_the_page(top, folder / "dist/manifest.json")


def check_the_page(top: str, manifest: Path) -> str:
    """The same, of a server that runs."""
    text: str = urlopen(top).read().decode()
    page = Loaded()
    page.feed(text)
    assert page.found
    waiting = [(urljoin(top, url), integrity) for url, integrity in page.found]
    asked = set()
    while waiting:
        url, integrity = waiting.pop()
        data = urlopen(url).read()
        asked.add(url.removeprefix(top + "static/"))
        if integrity:
            assert integrity == "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()
        find = {".css": css.find, ".js": js.find}.get(Path(url).suffix)
        if find:
            waiting += [(urljoin(url, reference.path), None) for reference in find(data.decode()).references]
    assets = treaty.load(manifest)["assets"]
    assert asked == {entry["path"] for entry in assets.values()}
    return text


def check_the_container(folder: Path) -> None:
    """The page that the last stage of the Dockerfile serves, and what its files are served with. Serving writes nothing."""
    text = (folder / "Dockerfile").read_text("utf-8")
    stage = dockerfile.follow(text, folder, folder.parent / f"{folder.name}-stages", environment())
    assert "assetbuild" in stage.installed
    assert not [name for name in stage.installed if "[" in name]
    before = {file: file.stat() for file in stage.root.rglob("*")}
    port = free_port()
    env = stage.environment() | {"PORT": str(port)}
    with serving(stage.command, stage.cwd, env, port, folder / "container.log") as top:
        check_the_page(top, stage.cwd / "dist/manifest.json")
        assets = treaty.load(stage.cwd / "dist/manifest.json")["assets"]
        for entry in assets.values():
            answer = urlopen(top + "static/" + entry["path"])
            assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert {file: file.stat() for file in stage.root.rglob("*")}.keys() == before.keys()


def check_docker_commands(script: str, dockerfile_text: str, where: str) -> None:
    """They cannot run here: what they build and run is what the Dockerfile gives."""
    port = re.search(r"^ENV PORT=(\d+)$", dockerfile_text, re.MULTILINE)
    assert port, where
    build, start = script.splitlines()
    name = re.fullmatch(r"docker build -t (\w+) \.", build)
    assert name, where
    assert re.fullmatch(rf"docker run --rm --read-only --tmpfs /tmp -p {port[1]}:{port[1]} {name[1]}", start), where


@pytest.mark.long
@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in NOT_FOLLOWED], ids=lambda page: page.name)
def test_every_example_of_a_page_runs_from_its_top_to_its_end(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "openssl" in page.read_text("utf-8") and not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / ".git/pre-commit"))
    for name in ("ASSETBUILD_OUTPUT", "ASSETBUILD_BASE_URL", "ASSETBUILD_AUTO_RELOAD", "ASSETBUILD_WAIT"):
        monkeypatch.delenv(name, raising=False)
    execute(page, tmp_path)


@pytest.mark.skipif(rjsmin.__version__ != "1.3.0" or rcssmin.__version__ != "1.3.0", reason="the page speaks of 1.3.0")
def test_what_is_said_of_the_minifiers_is_so() -> None:
    (script,) = (block.text for block in blocks(ROOT / "docs/minification.md") if block.language == "js")
    assert rjsmin.jsmin(script) == "var f=s=>/["
    assert rcssmin.cssmin(".p{a :hover{}}") == ".p{a:hover{}}"


def test_what_vite_wrote_works_by_the_configuration_on_the_page_of_bundles(tmp_path: Path) -> None:
    """`vite/` is what Vite 8.3.8 made of a module that imports a style sheet and an image and loads a second one later, which
    imports a style sheet with an image, by the names that the page says."""
    (text,) = (block.text for block in blocks(ROOT / "docs/howto/bundles.md") if "keep_names" in block.text)
    project = Project(tmp_path).write({"assetbuild.toml": text})
    shutil.copytree(ROOT / "tests/vite", tmp_path / "assets/app")
    assert project.compile().warnings == ()
    assets = Assets(tmp_path / "dist", base_url="/dist/")
    tags = f"{assets.tag('app/main.css')}{assets.tag('app/main.js', type='module')}"
    project.write({"index.html": f"<!doctype html><link rel='icon' href='data:,'>{tags}<body>"})
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with (
        browser.chromium() as chromium,
        server.serving(command, port, tmp_path / "log", cwd=tmp_path),
        browser.tab(chromium) as tab,
    ):
        tab.goto(f"http://127.0.0.1:{port}/")
        tab.page.wait_for_function("document.body.dataset.state")
        seen = "(style => [document.body.dataset.state, style.color, style.backgroundColor])(getComputedStyle(document.body))"
        assert tab.page.evaluate(seen) == ["shown", "rgb(1, 2, 3)", "rgb(4, 5, 6)"]
        assert [answer for answer in tab.answers if answer.status >= 400] == []


EDITED = """
import pathlib, subprocess, sys
folder = pathlib.Path(sys.argv[1])
sys.path.insert(0, sys.argv[1])
from app import app
client = app.test_client()
before = client.get("/").text
(folder / "assets/css/app.css").write_text("body { color: red }")
subprocess.run([sys.executable, "-m", "assetbuild", "compile"], cwd=folder, check=True)
print(before != client.get("/").text)
"""


@pytest.mark.parametrize("debug", [False, True])
def test_the_readmes_page_shows_a_change_after_a_build_in_debug_mode_only(tmp_path: Path, debug: bool) -> None:
    """And it finds its artifact from whatever folder it is started in."""
    folder = tmp_path / "app"
    for block in blocks(ROOT / "README.md"):
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, "utf-8")
    run("assetbuild compile", folder)
    command = [sys.executable, "-c", EDITED, str(folder)]
    env = environment() | {"FLASK_DEBUG": str(int(debug))}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(debug)], done.stderr


def test_the_hook_for_pre_commit_is_the_one_that_the_page_shows() -> None:
    file = ROOT / ".pre-commit-hooks.yaml"
    (hook,) = yaml.safe_load(file.read_text("utf-8"))
    (example,) = (block for block in blocks(ROOT / "docs/howto/check.md") if block.file == ".pre-commit-config.yaml")
    (shown,) = yaml.safe_load(example.text)["repos"][0]["hooks"]
    own = {key: value for key, value in hook.items() if key not in ("language", "description", "additional_dependencies")}
    assert own == {key: value for key, value in shown.items() if key != "language"}
    assert hook["additional_dependencies"] == [".[build]"]
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(file)]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""


def commands_of_the_readme() -> list[str]:
    return [line for block in blocks(ROOT / "README.md") for line in block.text.splitlines() if "python3 -m venv" in line]


def test_the_readmes_test_command_is_the_one_that_ci_takes_from_it() -> None:
    build, test = commands_of_the_readme()
    line = next(line for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith("mapfile -t commands"))
    script = line + '\nprintf "%s\\n" "${commands[@]}"'
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [test]
    assert build.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e '.[build]' && ")


def test_the_suite_says_what_it_skips_and_why() -> None:
    """The README promises it."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]["addopts"]
    assert "-rs" in options.split()


def test_the_readmes_other_command_builds_the_sample_project(tmp_path: Path) -> None:
    build, _ = commands_of_the_readme()
    shutil.copytree(ROOT / "sample_project", tmp_path / "sample_project", ignore=shutil.ignore_patterns("dist", "__pycache__"))
    _, _, *rest = build.split(" && ")
    printed = run(" && ".join(rest).replace(".venv/bin/", ""), tmp_path)
    names = treaty.load(tmp_path / "sample_project/dist/manifest.json")["assets"]
    assert names
    assert all(f"{name}\t" in printed for name in names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_to_files_and_headings_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), f"{page.name}: {link}"
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}, link


# ---- nothing is left out


def quoted(text: str) -> set[str]:
    """The words that stand in code, alone or at its beginning: `keys`, `--options N`, `calls(…)`."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return {word for span in spans for word in (span, re.split(r"[\s(=]", span)[0])}


def test_the_page_on_architecture_names_every_room() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    table = "".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    package = ROOT / "assetbuild"
    rooms = {file.name for file in package.glob("*.py")} | {f"{file.parent.name}/" for file in package.glob("*/__init__.py")}
    assert set(re.findall(r"`([^`]+)`", table)) == rooms
    rows = re.findall(r"^```$(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0].split()
    build = {room.removesuffix(".py").strip("/") for room in rooms if not room.startswith("__")}
    assert build - {"runtime", "integrations"} <= set(rows)


def test_the_reference_names_every_key_of_the_configuration_that_is_in_use() -> None:
    keys = {*configuration._KEYS, *configuration._RULE_KEYS, *configuration._BUNDLE_KEYS}
    words = quoted(REFERENCE)
    table = {key for key in keys if key in words or f"[{key}]" in words}
    assert table == keys


def test_every_key_of_the_configuration_has_its_default_in_the_table() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| `([^`]+)` \|", REFERENCE, re.MULTILINE))
    expected = "sources output base_url exclude keep_names missing compress follow_symlinks filter_timeout templates"
    assert rows.keys() == set(expected.split())


def test_the_defaults_in_the_table_are_those_that_hold_without_a_configuration(project: Project) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| `([^`]+)` \|", REFERENCE, re.MULTILINE))
    bare = configuration.load(cwd=project.folder, environ={})
    (project.folder / "assetbuild.toml").write_text("".join(f"{key} = {value}\n" for key, value in rows.items()))
    written = configuration.load(cwd=project.folder, environ={})
    assert [getattr(written, key) for key in rows] == [getattr(bare, key) for key in rows]


@pytest.mark.parametrize("name", sorted(cli.assetbuild.commands))
def test_the_reference_has_a_section_for_each_command_and_names_its_options(name: str) -> None:
    command = cli.assetbuild.commands[name]
    section = re.search(rf"^### assetbuild {name}\n(.*?)^##", REFERENCE, re.MULTILINE | re.DOTALL)
    assert section
    common, words = quoted(REFERENCE), quoted(section[1])
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            own = parameter.name not in cli._COMMON and "--help" not in parameter.opts
            assert {*parameter.opts} <= (words if own else common), parameter.opts


DOCUMENTS = {
    "compile": (),
    "check": (),
    "verify": (),
    "list": (),
    "explain": ("css/a.css",),
    "cache": (),
    "init": (),
    "serve-config": ("nginx",),
    "watch": ("--", sys.executable, "-c", ""),
}


@pytest.mark.parametrize("name", sorted(cli.assetbuild.commands))
def test_the_reference_names_every_field_of_a_commands_json(
    name: str, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"assets/css/a.css": "a{b:url(a.css)}@import 'a.css';"}).compile()
    monkeypatch.chdir(project.folder)
    assert cli.main([name, "--json", *DOCUMENTS[name]]) == 0
    document = json.loads(capsys.readouterr().out)
    section = re.search(rf"^### assetbuild {name}\n(.*?)^##", REFERENCE, re.MULTILINE | re.DOTALL)
    assert section
    own = section[1].partition("`--json`")[2]
    words = quoted(own)
    fields = {"ok", "output", "problems"} if name == "list" else document.keys()
    assert fields <= words
    for mention in [*document.get("refers_to", ()), *document.get("referred_by", ())]:
        assert mention.keys() <= words
    for problem in document["problems"]:
        assert problem.keys() <= quoted(REFERENCE)


def test_the_reference_names_every_key_of_a_manifest(project: Project) -> None:
    """Of one with all that a build can put into it: a cycle, a reference that was let pass, variants, a date."""
    project.write({"assets/a.css": "a{b:url(a.css);c:url(d)}" * 9, "assetbuild.toml": 'missing = "ignore"'})
    project.compile(environ={"SOURCE_DATE_EPOCH": "0"})
    manifest = project.manifest
    section = REFERENCE.partition("### manifest.json")[2].partition("\n## ")[0]
    keys = {*manifest, *manifest["assets"]["a.css"]}
    assert {"compressors", "group", "missing", "variants"} <= keys
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == keys


@pytest.mark.parametrize(
    "name",
    [
        *assetbuild.__all__,
        *flask.__all__,
        *starlette.__all__,
        *(name for name in vars(Assets) if not name.startswith("_")),
        *(name for name, value in vars(jinja).items() if getattr(value, "__module__", "") == jinja.__name__ and name[0] != "_"),
        "asset",
        "asset_tag",
        "asset_integrity",
        "asset_live_reload",
    ],
)
def test_the_reference_names_every_public_name_of_the_run_time(name: str) -> None:
    section = REFERENCE.partition("\n## Python\n")[2].partition("\n## Limits\n")[0]
    assert name in quoted(section)


@pytest.mark.parametrize(
    "public",
    [
        assetbuild.Asset("", "", "", 0, ""),
        assetbuild.AssetNotFound("", (), ""),
        assetbuild.ManifestError("", ""),
    ],
    ids=lambda public: type(public).__name__,
)
def test_the_reference_names_every_field_of_what_the_run_time_gives_and_raises(public: object) -> None:
    section = REFERENCE.partition("\n## Python\n")[2].partition("\n## Jinja\n")[0]
    fields = getattr(public, "__dict__", None) or dict.fromkeys(public.__slots__)  # type: ignore[attr-defined]
    assert len(fields) >= 3
    assert fields.keys() <= quoted(section)


def test_the_reference_names_every_setting_of_the_sass_compilers() -> None:
    read = set()
    for file in (ROOT / "assetbuild/filters").glob("*.py"):
        read |= set(re.findall(r"\b((?:DART_SASS|LIBSASS)_[A-Z_]+)\b", file.read_text("utf-8")))
    assert {"DART_SASS_SILENCE", "LIBSASS_STYLE"} <= read
    assert read - {"LIBSASS_AS_OUTPUT"} <= quoted(REFERENCE)


def test_the_reference_names_every_variable_of_the_environment_that_is_read() -> None:
    read = set()
    for file in (ROOT / "assetbuild").rglob("*.py"):
        text = file.read_text("utf-8")
        # A setting of an application is in no environment; the pages on the frameworks have them.
        text = re.sub(r"config\.get\(\"\w+\"", "", text)
        read |= set(re.findall(r"\"(ASSETBUILD_[A-Z_]+|SOURCE_DATE_EPOCH|NO_COLOR|FORCE_COLOR)\"", text))
    section = REFERENCE.partition("### Environment")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]{5,})`", "\n".join(re.findall(r"^\|.*", section, re.MULTILINE)))) == read


def test_the_page_on_flask_has_every_setting_that_is_read() -> None:
    read = set(re.findall(r"config\.get\(\"(\w+)\"", (ROOT / "assetbuild/integrations/flask.py").read_text("utf-8")))
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/howto/flask.md").read_text("utf-8"), re.MULTILINE)
    assert len(read) == 5
    assert set(rows) == read


def test_the_reference_names_every_exit_status() -> None:
    section = REFERENCE.partition("\n## Command line\n")[2]
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}
    assert listed == {cli.DONE, cli.FAILED, cli.USAGE, cli.INTERRUPTED}


def test_the_pictures_show_what_the_commands_print_now() -> None:
    """Run `python docs/pictures.py` where they do not."""
    command = [sys.executable, str(ROOT / "docs/pictures.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_picture_is_on_the_page_and_says_in_words_what_it_shows() -> None:
    shown = re.findall(r"!\[([^\]]+)\]\(pictures/([^)]+)\)", (ROOT / "docs/command-line.md").read_text("utf-8"))
    assert {name for _, name in shown} == {file.name for file in (ROOT / "docs/pictures").iterdir()}
    assert all(len(words) > 20 for words, _ in shown)
