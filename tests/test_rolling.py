"""A rolling deploy with the real programs: processes of two releases and the files of one, behind nginx."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import server
from tests.conftest import Project

PAGE = """
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server
sys.path.insert(0, sys.argv[2])
from assetbuild import Assets
assets = Assets(sys.argv[1])

class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments):
        pass

def page(environ, answer):
    answer("200 OK", [("Content-Type", "text/html"), ("X-Release", sys.argv[3])])
    return [(assets.tag("css/app.css") + assets.tag("js/app.js", type="module")).encode()]

server = make_server("127.0.0.1", 0, page, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""

NGINX = """
upstream app {{ {processes} }}
server {{
    listen 127.0.0.1:{port};
    {static}
    location / {{ proxy_pass http://app; }}
}}
"""
ROOT = str(Path(__file__).parent.parent)


def compiled(folder: Path, colour: str, output: str, *words: str) -> None:
    """A release: the style sheet, the module that the script imports, and so the script, have other names in each."""
    Project(folder).write(
        {
            "assetbuild.toml": "compress = []\n",
            "assets/css/app.css": f"p {{ color: {colour}; background: url(../img/dot.svg) }}",
            "assets/img/dot.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><!-- {colour} --></svg>',
            "assets/js/app.js": 'import "./part.js";',
            "assets/js/part.js": f'window.colour = "{colour}";',
        }
    )
    command = [sys.executable, "-m", "assetbuild", "compile", "--quiet", "--output", output, *words]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PYTHONPATH": ROOT})


@contextlib.contextmanager
def process(folder: Path, release: str) -> Iterator[int]:
    command = [sys.executable, "-c", PAGE, str(folder / release), ROOT, release]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout
            yield int(started.stdout.readline())
        finally:
            started.kill()


@contextlib.contextmanager
def nginx(folder: Path, release: str, ports: list[int]) -> Iterator[str]:
    """The files of one release, and pages of the processes in turn."""
    command = [sys.executable, "-m", "assetbuild", "serve-config", "nginx", "--output", release]
    told = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT}
    )
    port = server.free_port()
    processes = " ".join(f"server 127.0.0.1:{one};" for one in ports)
    text = NGINX.format(processes=processes, port=port, static=told.stdout)
    with server.serving(server.nginx(folder, text, ahead=server.BROTLI), port, folder / "nginx.log"):
        yield f"http://127.0.0.1:{port}"


def get(url: str) -> tuple[bytes, str]:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read(), str(answer.headers.get("X-Release"))


def loaded(url: str) -> tuple[str, set[str]]:
    """The release of a page, and the colours that its files speak of: a browser would refuse those of another integrity."""
    page, release = get(url)
    colours = set[str]()
    tags = re.findall(r"<(?:link|script)[^>]*>", page.decode())
    assert len(tags) == 2
    for tag in tags:
        (path,) = re.findall(r'(?:href|src)="([^"]*)"', tag)
        (integrity,) = re.findall(r'integrity="sha256-([^"]*)"', tag)
        data, _ = get(url + path)
        assert base64.b64encode(hashlib.sha256(data).digest()).decode() == integrity
        text = data.decode()
        for name in re.findall(r'(?:url\(|import\s*")([^")]*)', text):
            text += get(url + path.rpartition("/")[0] + "/" + name)[0].decode()
        colours |= set(re.findall(r"red|blue", text))
    return release, colours


def test_pages_of_old_and_new_processes_load_all_their_files_from_either_release(tmp_path: Path) -> None:
    """The second release carries the first one's files along; after a rollback, the first one carries the second one's."""
    compiled(tmp_path, "red", "old")
    compiled(tmp_path, "blue", "new", "--previous", "old")
    compiled(tmp_path, "red", "back", "--previous", "new")
    with process(tmp_path, "old") as old, process(tmp_path, "new") as new:
        for release in ("new", "back"):
            with nginx(tmp_path, release, [old, new]) as url:
                found = [loaded(url) for _ in range(4)]
                assert sorted(found) == [("new", {"blue"})] * 2 + [("old", {"red"})] * 2


def test_without_the_files_of_the_earlier_release_its_pages_break(tmp_path: Path) -> None:
    compiled(tmp_path, "red", "old")
    compiled(tmp_path, "blue", "new")
    with (
        process(tmp_path, "old") as old,
        nginx(tmp_path, "new", [old]) as url,
        pytest.raises(urllib.error.HTTPError, match="404"),
    ):
        loaded(url)
