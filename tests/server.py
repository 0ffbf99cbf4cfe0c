"""Real servers: processes that are asked until they answer, and that end with the test that started them."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

NGINX_MODULE = Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")
PATIENCE = 60.0  # seconds after which a server that has not answered counts as dead


def missing(reason: str) -> NoReturn:
    # On a continuous integration server a judge that does not sit is a failure, not a footnote.
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def nginx_program() -> str:
    """The program, with the module that serves `.br` files; skips the test where one of them is missing."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        missing("nginx is not installed")
    if not NGINX_MODULE.exists():
        missing(f"{NGINX_MODULE} is not installed (libnginx-mod-http-brotli-static)")
    return program


BROTLI = f"load_module {NGINX_MODULE};\n"


def nginx_folders(folder: Path) -> str:
    """The directives that keep what nginx writes in a folder."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def nginx(folder: Path, within: str, *, ahead: str = "") -> list[str]:
    """Write a configuration into a folder, and return the command that starts nginx with it, in front. within: the block
    `http`'s. ahead: what stands before all of it; the braces of both are single."""
    program = nginx_program()
    text = f"{ahead}daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
    text += f"http {{\naccess_log off;\n{nginx_folders(folder)}\n{within}\n}}\n"
    (folder / "nginx.conf").write_text(text, "utf-8")
    return [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    command: Sequence[str], port: int, log: Path, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A server that is started, and that takes connections on this port of 127.0.0.1. log: where it says what it says."""
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"{command} takes no connections: {log.read_text()}"
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


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
