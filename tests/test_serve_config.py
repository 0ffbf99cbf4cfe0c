"""What serve-config prints is accepted by the real server, and real requests are answered right."""

from __future__ import annotations

import contextlib
import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from assetbuild import cli
from tests.conftest import Project, toml
from tests.server import BROTLI, ask, free_port, missing, nginx, serving
from tests.test_servers import SUFFIX, WANTED, WORDS

IMMUTABLE = "public, max-age=31536000, immutable"

FILES: dict[str, str | bytes] = {
    "assets/css/app.css": f"/*! {WORDS} */ a {{ background: url(../img/a.png) }}",
    "assets/js/app.mjs": f'export const words = "{WORDS}";',
    "assets/js/app.mjs.map": "{}",
    "assets/img/a.png": b"\x89PNG" + random.Random(2).randbytes(5000),
    "assets/LICENSE": f"{WORDS}",
    "assets/a b.TXT": "blank",
    "assets/robots.txt": f"# {WORDS}\n",
    "assets/kept/other.0123456789ab.js": f'const words = "{WORDS}";',
    "assets/.well-known/é+(x).txt": "mail",
}
KEPT = ["robots.txt", "kept/**", ".well-known/**"]

NGINX = """
gzip on;
gzip_vary on;
gzip_types *;
server {{
    listen 127.0.0.1:{port};
    include {folder}/block;
    location ~ \\.css$ {{ return 418; }}
}}
"""

CADDY = """
{{
	admin off
	auto_https off
	storage file_system {folder}/caddy
}}
http://127.0.0.1:{port} {{
	import {folder}/block
	respond 418
}}
"""


def command(server: str, folder: Path, port: int) -> tuple[list[str], list[str]]:
    """How the server is asked whether it accepts its configuration, and how it is started."""
    if server == "nginx":
        start = nginx(folder, NGINX.format(folder=folder, port=port), ahead=BROTLI)
        return [*start, "-t"], start
    program = shutil.which("caddy") or missing("caddy is not installed")
    (folder / "conf").write_text(CADDY.format(folder=folder, port=port), encoding="utf-8")
    start = [program, "run", "--adapter", "caddyfile", "--config", str(folder / "conf")]
    return [program, "validate", *start[2:]], start


@contextlib.contextmanager
def configured(server: str, folder: Path, block: str) -> Iterator[int]:
    """The server with what was printed, once it has said that it accepts it; gives its port."""
    folder.mkdir()
    (folder / "block").write_text(block, encoding="utf-8")
    port = free_port()
    asked, start = command(server, folder, port)
    environ = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    accepted = subprocess.run(asked, capture_output=True, text=True, env=environ, check=False)
    assert accepted.returncode == 0, accepted.stderr
    assert "[warn]" not in accepted.stderr
    with serving(start, port, folder / "log", env=environ):
        yield port


def printed(server: str, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.chdir(project.folder)
    capsys.readouterr()
    assert cli.main(["serve-config", server]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("server", ["nginx", "caddy"])
@pytest.mark.parametrize(("base_url", "prefix"), [("https://cdn.example.com/a%20b/", "/a%20b/"), ("/", "/")])
def test_the_server_answers_right_with_what_is_printed(
    server: str,
    base_url: str,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    # The folder that the artifact lies in begins with a dot, and has a blank and a quote in it.
    home = Project(tmp_path / '.a "b')
    home.folder.mkdir()
    home.write({**FILES, "assetbuild.toml": toml(sources=["assets"], keep_names=KEPT, base_url=base_url)}).compile()
    (home.folder / "dist/.assetbuild-journal").write_text("x")
    (home.folder / "dist/css/.hidden.css").write_text("x")
    files, assets = home.tree(), home.manifest["assets"]
    wrong = []
    with configured(server, tmp_path / "server", printed(server, home, monkeypatch, capsys)) as port:
        for logical_path, entry in assets.items():
            path = entry["path"].replace(" ", "%20").replace("é", "%C3%A9")
            for accept, wanted in WANTED.items():
                answer = ask(port, prefix + path, accept)
                coding = wanted if "variants" in entry else ""
                expected = {
                    "status": 200,
                    "body": files[entry["path"] + SUFFIX[coding]],
                    "content-encoding": coding,
                    "content-type": entry["type"],
                    "cache-control": "no-cache" if entry["path"] == logical_path else IMMUTABLE,
                    "vary": "Accept-Encoding",
                    "access-control-allow-origin": "*" if "//" in base_url else "",
                }
                real = {"status": answer.status, "body": answer.body}
                real |= {name: answer.headers.get(name, "") for name in expected if name not in real}
                wrong += [
                    (logical_path, accept, key, real[key], expected[key]) for key in expected if real[key] != expected[key]
                ]
        assert [fault if fault[2] != "body" else fault[:3] for fault in wrong] == []
        manifest = ask(port, prefix + "manifest.json", None)
        assert (manifest.status, manifest.headers["cache-control"]) == (200, "no-cache")
        assert manifest.headers["content-type"] == "application/json"
        absent = ("css/absent.0123456789ab.css", "css/absent.css", ".assetbuild-journal", "css/.hidden.css", "%2e/x", "css/")
        for path in absent:
            answer = ask(port, prefix + path, "br")
            assert answer.status in (403, 404), path
            assert "immutable" not in answer.headers.get("cache-control", ""), path
        if prefix != "/":
            assert ask(port, "/other.txt", None).status in (404, 418)


@pytest.mark.parametrize("server", ["nginx", "caddy"])
def test_without_variants_none_are_asked_for(
    server: str, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    project.write({"assets/a.css": f"/*! {WORDS} */", "assetbuild.toml": toml(compress=[])}).compile()
    block = printed(server, project, monkeypatch, capsys)
    assert not re.search("brotli|gzip|precompressed|Vary", block)
    with configured(server, tmp_path / "server", block) as port:
        assert ask(port, "/static/" + project.public("a.css"), None).headers["cache-control"] == IMMUTABLE


@pytest.mark.parametrize(("server", "folder"), [("nginx", "a$b"), ("caddy", "a{b}")])
def test_a_path_that_the_server_cannot_be_told_is_refused(
    server: str, folder: str, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"assets/a.css": "", "assetbuild.toml": toml(output=folder)}).compile()
    monkeypatch.chdir(project.folder)
    assert cli.main(["serve-config", server]) == 2
    assert "in a path has another meaning for" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [{"type": "a/b; } location / { root /"}, {"type": "text/css", "path": "a.c;s"}, {"type": "a\x1bb/c"}], ids=str
)
@pytest.mark.parametrize("server", ["nginx", "caddy"])
def test_nothing_of_a_hostile_manifest_becomes_a_directive(
    server: str,
    wrong: dict[str, str],
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project.write({"assets/a.css": ""}).compile()
    manifest = json.loads((project.folder / "dist/manifest.json").read_text())
    manifest["assets"]["a.css"] |= wrong
    (project.folder / "dist/manifest.json").write_text(json.dumps(manifest))
    monkeypatch.chdir(project.folder)
    assert cli.main(["serve-config", server]) == 2
    said = capsys.readouterr()
    assert (said.out, "is not its media type" in said.err, "\x1b" in said.err) == ("", True, False)


def test_the_environment_wins_over_the_manifest_and_an_artifact_must_be_there(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.folder)
    assert cli.main(["serve-config", "nginx"]) == 1
    project.write({"assets/a.css": ""}).compile()
    monkeypatch.setenv("ASSETBUILD_BASE_URL", "/other/")
    assert "location ^~ /other/ {\n" in printed("nginx", project, monkeypatch, capsys)
    assert cli.main(["serve-config", "apache"]) == 2
