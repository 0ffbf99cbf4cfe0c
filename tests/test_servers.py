"""The artifact behind real servers, as the reference shows it: they hand out the variants as they are."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

from assetbuild.media_types import TYPES
from tests.conftest import Project, toml
from tests.test_docs import ROOT, blocks

REFERENCE = ROOT / "docs/reference.md"
NGINX_MODULE = Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")

#: A text as people write them.
WORDS = " ".join(re.findall(r"[a-z]+", REFERENCE.read_text("utf-8")))


def _missing(reason: str) -> NoReturn:
    # On a continuous integration server a judge that does not sit is a failure, not a footnote.
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Answer(NamedTuple):
    """headers: with names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(port: int, path: str, accept: str | None, method: str = "GET") -> Answer:
    """One request; nothing of the answer is unpacked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers={} if accept is None else {"Accept-Encoding": accept})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


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

NGINX = """
load_module {module};
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    types {{ {types} }}
    {paths}
    {block}
}}
"""


@contextlib.contextmanager
def nginx(dist: Path) -> Iterator[int]:
    """nginx with what the reference shows, but for folder and port."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        _missing("nginx is not installed")
    if not NGINX_MODULE.exists():
        _missing(f"{NGINX_MODULE} is not installed (libnginx-mod-http-brotli-static)")
    (block,) = (block.text for block in blocks(REFERENCE) if block.language == "nginx")
    assert "listen 80;" in block
    assert "alias /srv/app/dist/;" in block
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    folder = dist.parent
    block = block.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/srv/app/dist/", f"{dist}/")
    types = " ".join(f"{type_} {suffix};" for suffix, type_ in TYPES.items())
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        NGINX.format(module=NGINX_MODULE, folder=folder, types=types, paths=paths, block=block), encoding="utf-8"
    )
    with (folder / "server.log").open("wb") as log:
        command = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            for _ in range(400):
                assert process.poll() is None, (folder / "server.log").read_text()
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait()


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
