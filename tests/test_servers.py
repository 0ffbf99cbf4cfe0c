"""The artifact behind real servers, as the reference shows it: they hand out the variants as they are."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from assetbuild.runtime.media_types import TYPES
from tests.conftest import Project, toml
from tests.server import BROTLI, ask, free_port, serving
from tests.server import nginx as started_nginx
from tests.test_docs import ROOT, blocks

REFERENCE = ROOT / "docs/reference.md"

#: A text as people write them.
WORDS = " ".join(re.findall(r"[a-z]+", REFERENCE.read_text("utf-8")))


# In Python: the port is open before the process starts, so that nobody has to wait for it.

WSGI = """
import socket, sys, waitress
from {module} import {name}
def nothing(environ, start_response):
    start_response("404 Not Found", [("Content-Length", "0")])
    return []
application = {name}(nothing, root=sys.argv[2], prefix="static/", immutable_file_test=sys.argv[3])
waitress.serve(application, sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""

ASGI = """
import socket, sys, uvicorn
from servestatic import ServeStaticASGI
application = ServeStaticASGI(None, root=sys.argv[2], prefix="static/", immutable_file_test=sys.argv[3])
config = uvicorn.Config(application, log_level="warning", lifespan="off")
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""


def immutable_test() -> str:
    """The regular expression that the reference gives."""
    (found,) = set(re.findall(r'immutable_file_test=r"(.*?)"', REFERENCE.read_text("utf-8")))
    return str(found)


@contextlib.contextmanager
def python(code: str, dist: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening, (dist.parent / "server.log").open("wb") as log:
        command = [sys.executable, "-c", code, str(listening.fileno()), str(dist), immutable_test()]
        process = subprocess.Popen(command, pass_fds=[listening.fileno()], stdout=log, stderr=log)
        try:
            yield listening.getsockname()[1]
        finally:
            process.terminate()
            process.wait()


def whitenoise(dist: Path) -> AbstractContextManager[int]:
    return python(WSGI.format(module="whitenoise", name="WhiteNoise"), dist)


def servestatic_wsgi(dist: Path) -> AbstractContextManager[int]:
    return python(WSGI.format(module="servestatic", name="ServeStatic"), dist)


def servestatic_asgi(dist: Path) -> AbstractContextManager[int]:
    return python(ASGI, dist)


# nginx


@contextlib.contextmanager
def nginx(dist: Path) -> Iterator[int]:
    """nginx with what the reference shows, but for folder and port."""
    (block,) = (block.text for block in blocks(REFERENCE) if block.language == "nginx")
    assert "listen 80;" in block
    assert "alias /srv/app/dist/;" in block
    port, folder = free_port(), dist.parent
    block = block.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/srv/app/dist/", f"{dist}/")
    types = " ".join(f"{type_} {suffix};" for suffix, type_ in TYPES.items())
    command = started_nginx(folder, f"types {{ {types} }}\n{block}", ahead=BROTLI)
    with serving(command, port, folder / "server.log"):
        yield port


SERVERS: dict[str, Callable[[Path], AbstractContextManager[int]]] = {
    "WhiteNoise": whitenoise,
    "ServeStatic (WSGI)": servestatic_wsgi,
    "ServeStatic (ASGI)": servestatic_asgi,
    "nginx": nginx,
}

#: What is asked for, and what comes.
WANTED = {
    None: "",
    "identity": "",
    "zstd": "",
    "gzip": "gzip",
    "br": "br",
    "gzip, deflate, br, zstd": "br",  # A browser.
}
SUFFIX = {"": "", "gzip": ".gz", "br": ".br"}


@pytest.mark.parametrize("server", SERVERS)
def test_variants_are_served_as_they_are(project: Project, server: str) -> None:
    project.write(
        {
            "assetbuild.toml": toml(sources=["assets"], keep_names=["robots.txt"]),
            "assets/css/app.css": f"/*! {WORDS} */ a {{ background: url(../img/a.png) }}",
            "assets/js/app.js": f'const words = "{WORDS}";',
            "assets/img/sprite.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><desc>{WORDS}</desc></svg>',
            "assets/img/a.png": b"\x89PNG" + random.Random(2).randbytes(5000),
            "assets/robots.txt": f"# {WORDS}\n",
        }
    ).compile()
    files = project.tree()
    assets = project.manifest["assets"]
    with SERVERS[server](project.folder / "dist") as port:
        for logical_path, entry in assets.items():
            for accept, coding in WANTED.items():
                answer = ask(port, "/static/" + entry["path"], accept)
                said = f"{server}: {logical_path}, accepting {accept}: {answer.headers}"
                coding = coding if "variants" in entry else ""
                assert answer.status == 200, said
                assert answer.body == files[entry["path"] + SUFFIX[coding]], said
                assert answer.headers.get("content-encoding", "") == coding, said
                assert answer.headers["content-length"] == str(len(answer.body)), said
                assert answer.headers["content-type"].partition(";")[0] == entry["type"], said
                if "variants" in entry and (coding or server != "nginx"):  # nginx says it only of what is compressed.
                    assert "accept-encoding" in answer.headers["vary"].lower(), said
                kept = entry["path"] == logical_path
                assert ("immutable" in answer.headers["cache-control"]) is not kept, said
        assert ask(port, "/static/css/absent.css", "br").status == 404
