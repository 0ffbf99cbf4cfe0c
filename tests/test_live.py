"""The live-reload server, spoken to over raw sockets as a hostile page, a broken client and a browser would."""

from __future__ import annotations

import gc
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from assetbuild.dev import live
from assetbuild.dev.live import MAX_CHANNELS, MAX_CONNECTIONS, PORT, Changes, LiveReload
from assetbuild.dev.shown import without_machine
from assetbuild.errors import Problem

PAGE = "http://127.0.0.1:5000"


@pytest.fixture
def server() -> Iterator[LiveReload]:
    started = LiveReload(port=0)
    started.start()
    yield started
    # Whatever a test did, the process answers.
    try:
        assert status(ask(started)) == 200
    finally:
        started.stop()


def connect(server: LiveReload) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=10)


def target(server: LiveReload, path: str = "/client.js") -> str:
    return f"{path}?{urlsplit(server.url).query}"


def head(server: LiveReload, *headers: str, method: str = "GET", path: str | None = None) -> bytes:
    lines = [f"{method} {path or target(server)} HTTP/1.1", *(headers or ("Host: 127.0.0.1",)), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def send(server: LiveReload, data: bytes) -> bytes:
    with connect(server) as made:
        made.sendall(data)
        answer = b""
        while got := made.recv(65536):
            answer += got
        return answer


def ask(server: LiveReload, *headers: str, method: str = "GET", path: str | None = None) -> bytes:
    return send(server, head(server, *headers, method=method, path=path))


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def fields(answer: bytes) -> dict[str, str]:
    lines = answer.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


class Channel:
    """An event stream; states come as they arrive."""

    def __init__(self, server: LiveReload) -> None:
        self.socket = connect(server)
        self.socket.sendall(head(server, "Host: 127.0.0.1", f"Origin: {PAGE}", path=target(server, "/events")))
        self.file = self.socket.makefile("rb")
        self.status = int((self.file.readline().split() or [b"", b"0"])[1])
        while self.file.readline().strip():
            pass

    def state(self) -> dict[str, Any]:
        for line in self.file:
            if line.startswith(b"data: "):
                found: dict[str, Any] = json.loads(line[6:])
                return found
        raise EOFError

    def close(self) -> None:
        self.file.close()
        self.socket.close()


# Who may ask


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost:1234", "[::1]", "[::1]:80"])
def test_a_loopback_host_is_answered(server: LiveReload, host: str) -> None:
    assert status(ask(server, f"Host: {host}")) == 200


BAD_HOSTS = [
    "evil.com",
    "localhost.evil.com",
    "localhost.",
    "localhost.:80",
    "user@localhost",
    "user:x@127.0.0.1",
    "",
    "localhost:",
]
BAD_HOSTS += [
    "localhost:x",
    "localhost:99999",
    "[::1",
    "127.0.0.1.evil.com",
    "127.1",
    "0.0.0.0",
    "localhost evil.com",
    "a,localhost",
]


@pytest.mark.parametrize("path", ["/client.js", "/events"])
@pytest.mark.parametrize("host", BAD_HOSTS)
def test_any_other_host_is_refused(server: LiveReload, host: str, path: str) -> None:
    assert status(ask(server, f"Host: {host}", path=target(server, path))) == 403


@pytest.mark.parametrize(
    "headers", [("Accept: */*",), ("Host: localhost", "Host: localhost"), ("Host: localhost", "host: evil.com")]
)
def test_no_host_and_two_hosts_are_refused(server: LiveReload, headers: tuple[str, ...]) -> None:
    assert status(ask(server, *headers)) == 403


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:8000", "https://[::1]", "http://127.0.0.1"])
def test_a_page_on_an_allowed_host_gets_its_own_origin(server: LiveReload, origin: str) -> None:
    answer = ask(server, "Host: 127.0.0.1", f"Origin: {origin}")
    assert (status(answer), fields(answer)["access-control-allow-origin"], fields(answer)["vary"]) == (200, origin, "Origin")


BAD_ORIGINS = ["null", "*", "", "http://evil.com", "http://localhost.evil.com", "http://localhost.", "http://user@localhost"]
BAD_ORIGINS += [
    "http://localhost/",
    "ftp://localhost",
    "localhost",
    "file://",
    "http://localhost:99999",
    "http://localhost http://a",
]


@pytest.mark.parametrize("origin", BAD_ORIGINS)
def test_a_page_of_any_other_origin_is_refused_and_may_not_read_why(server: LiveReload, origin: str) -> None:
    answer = ask(server, "Host: 127.0.0.1", f"Origin: {origin}", path=target(server, "/events"))
    assert status(answer) == 403
    assert "access-control-allow-origin" not in fields(answer)


def test_two_origins_are_refused(server: LiveReload) -> None:
    assert status(ask(server, "Host: localhost", f"Origin: {PAGE}", f"Origin: {PAGE}")) == 403


@pytest.mark.parametrize(
    "query", ["", "?", "?token=", "?token=x", "?token=\u00e9", "?token=%ff", "?tokens={0}", "?token={0}&token={0}"]
)
@pytest.mark.parametrize("path", ["/client.js", "/events"])
def test_without_the_token_nothing_is_told(server: LiveReload, path: str, query: str) -> None:
    token = urlsplit(server.url).query.removeprefix("token=")
    assert status(ask(server, path=path + query.format(token))) in (400, 403)


def test_a_name_and_an_origin_that_were_asked_for_are_answered() -> None:
    server = LiveReload(port=0, allowed_hosts=["Dev.test"], allowed_origins=["http://app.example:8000"])
    server.start()
    try:
        assert status(ask(server, "Host: dev.test:1")) == 200
        assert status(ask(server, "Host: sub.dev.test")) == 403
        assert status(ask(server, "Host: dev.test", "Origin: https://dev.test:9")) == 200
        assert status(ask(server, "Host: dev.test", "Origin: http://app.example:8000")) == 200
        assert status(ask(server, "Host: dev.test", "Origin: http://app.example:8001")) == 403
        assert status(ask(server, "Host: app.example:8000")) == 403
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2"])
def test_beyond_loopback_hosts_must_be_named(host: str) -> None:
    with pytest.raises(ValueError, match="is not loopback: name the hosts"):
        LiveReload(host)
    server = LiveReload("0.0.0.0", 0, allowed_hosts=["dev.test"])
    server.start()
    assert server.url.startswith("http://dev.test:")
    server.stop()


@pytest.mark.parametrize("name", ["*", "http://a.test", "a.test:80", "a.test.", ".test", "", "a/b"])
def test_what_is_no_host_and_no_origin_is_told(name: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        LiveReload(allowed_hosts=[name])
    with pytest.raises(ValueError, match="is no origin"):
        LiveReload(allowed_origins=[name + "/"])


# What may be asked


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get", "X"])
def test_only_get_and_head_are_answered(server: LiveReload, method: str) -> None:
    answer = ask(server, method=method)
    assert (status(answer), fields(answer)["allow"]) == (405, "GET, HEAD")


def test_head_is_get_without_a_body(server: LiveReload) -> None:
    whole, top = ask(server), ask(server, method="HEAD")
    assert whole.startswith(top)
    assert len(whole) - len(top) == int(fields(top)["content-length"])
    assert ask(server, method="HEAD", path=target(server, "/events")).endswith(b"\r\n\r\n")


BAD_PATHS = [
    "/../etc/passwd",
    "/%2e%2e/etc/passwd",
    "//client.js",
    "/a%2fb",
    "/a%5Cb",
    "/a\\b",
    "/%00",
    "/%ff",
    "client.js",
    "*",
]
BAD_PATHS += [
    "http://127.0.0.1/client.js",
    "/client.js#x",
    "/@fs/etc/passwd",
    "/client%252ejs",
    "/live.py",
    "/",
    "/" + "a" * 2048,
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_no_other_path_leads_anywhere(server: LiveReload, path: str) -> None:
    answer = ask(server, path=f"{path}?{urlsplit(server.url).query}")
    assert status(answer) in (400, 404, 414)
    assert len(answer.split(b"\r\n\r\n")[1]) < 40


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: local\x00host\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(server: LiveReload, data: bytes) -> None:
    assert status(send(server, data)) in (400, 403)


@pytest.mark.parametrize("header", ["Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: x"])
def test_a_body_is_refused(server: LiveReload, header: str) -> None:
    assert status(ask(server, "Host: localhost", header)) == 400


def test_every_answer_is_closed_to_other_sites_to_caches_and_to_guesses(server: LiveReload) -> None:
    requests = [head(server), head(server, "Host: evil.com"), head(server, method="POST"), head(server, path="/"), b"x\r\n\r\n"]
    requests += [
        head(server, method="HEAD", path=target(server, "/events")),
        head(server, "Host: localhost", "X: " + "x" * 9000),
    ]
    for request in requests:
        found = fields(send(server, request))
        assert found["cross-origin-resource-policy"] == "same-origin"
        assert found["x-content-type-options"] == "nosniff"
        assert found["cache-control"] == "no-store"
        assert found.get("access-control-allow-origin") is None


# Limits


def test_a_head_has_at_most_eight_kilobytes(server: LiveReload) -> None:
    assert status(ask(server, "Host: localhost", "X: " + "x" * 7000)) == 200
    assert status(ask(server, "Host: localhost", "X: " + "x" * 8192)) == 431


def test_who_sends_no_head_is_put_out(server: LiveReload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_IDLE", 0.05)
    with connect(server) as made:
        made.sendall(b"GET /")
        assert made.recv(1) == b""


def test_channels_and_connections_are_counted_and_given_back(server: LiveReload) -> None:
    channels = [Channel(server) for _ in range(MAX_CHANNELS)]
    assert [channel.state()["digest"] for channel in channels] == [""] * MAX_CHANNELS
    assert _channel_status(server) == 503
    idle = [connect(server) for _ in range(MAX_CONNECTIONS - MAX_CHANNELS)]
    with connect(server) as refused:
        refused.settimeout(5)
        assert refused.recv(1) == b""
    for channel in channels:
        channel.close()
    for made in idle:
        made.close()
    # The server hears of it a moment later.
    until = time.monotonic() + 10
    while (found := _channel_status(server)) != 200 and time.monotonic() < until:
        time.sleep(0.02)
    assert found == 200


def _channel_status(server: LiveReload) -> int:
    return status(ask(server, method="HEAD", path=target(server, "/events")) or b"- 0")


def test_the_log_has_no_control_characters_and_tells_a_thing_once() -> None:
    lines: list[str] = []
    server = LiveReload(port=0, log=lines.append)
    server.start()
    for _ in range(3):
        ask(server, "Host: a\x1b[31m")
        ask(server, "Host: \t\tevil.com")
    for number in range(300):
        ask(server, f"Host: h{number}.test")
    server.stop()
    assert 'live reload: 403, the host "evil.com" is not allowed' in lines
    assert len(lines) == len(set(lines)) == 100
    assert all(line.isprintable() and len(line) <= 300 for line in lines)


# What is told


def test_a_page_hears_of_rebuilds_and_problems_and_of_the_mending(server: LiveReload) -> None:
    server.rebuilt(Changes("d1", {"a.css": (None, "a.1.css")}))
    channel = Channel(server)
    assert channel.state() == {"digest": "d1", "steps": [], "problems": []}
    server.rebuilt(Changes("d2", {"a.css": ("a.1.css", "a.2.css"), "b.css": ("b.1.css", "b.1.css")}))
    step = {"from": "d1", "to": "d2", "changes": [["a.css", "a.1.css", "a.2.css"]]}
    assert channel.state() == {"digest": "d2", "steps": [step], "problems": []}
    server.failed([Problem("", 0, 0, "broken", "mend it")])
    assert channel.state()["problems"][0]["message"] == "broken"
    server.rebuilt(Changes("d2", {}))
    assert channel.state() == {"digest": "d2", "steps": [step], "problems": []}
    channel.close()


def test_the_history_is_bounded(server: LiveReload) -> None:
    for number in range(200):
        server.rebuilt(Changes(str(number), {f"{n}.css": ("a", "b") for n in range(501 if number == 199 else 1)}))
    channel = Channel(server)
    steps = channel.state()["steps"]
    channel.close()
    assert [step["to"] for step in steps] == [str(number) for number in range(168, 200)]
    assert [step["changes"] is None for step in steps] == [False] * 31 + [True]


def test_a_problem_has_its_line_and_no_path_of_the_machine(
    server: LiveReload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/var/lib")  # The way there climbs to the top.
    (tmp_path / "a.css").write_text("one\n\tt\x1bwo\nthree")
    (tmp_path / "of other").mkdir()
    server.failed(
        [
            Problem(
                "a.css",
                2,
                1,
                f'"{tmp_path}/of other/x.css" is not in /usr/lib/python3/x; /static/app.css is',
                f"see {tmp_path}/b or ../b; {os.path.relpath(os.path.expanduser('~'))}/c d/e",
            ),
            Problem(str(tmp_path / "a.css"), 9, 1, "no such line"),
            Problem("/usr/lib/y/z.css", 1, 1, "elsewhere"),
            Problem(os.path.relpath("/usr/lib/y/z.css"), 1, 1, f"{os.path.relpath('/usr/lib/x.css')}:1 has the same name"),
        ]
    )
    channel = Channel(server)
    first, second, third, fourth = channel.state()["problems"]
    channel.close()
    assert (first["file"], first["line"], first["text"]) == ("a.css", 2, "    t\\x1bwo")
    assert first["message"] == '"of other/x.css" is not in …/x; /static/app.css is'
    assert first["hint"] == "see b or ../b; …/c d/e"
    assert (fourth["file"], fourth["message"]) == ("…/z.css", "…/x.css:1 has the same name")
    assert (second["file"], second["text"], third["file"]) == ("a.css", "", "…/z.css")


def test_a_reference_that_climbs_is_no_path_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/usr")
    assert without_machine('"../img/gone.png" and ../etc/x/y.css') == '"../img/gone.png" and …/y.css'


# Start and end


def test_the_next_run_has_the_address_of_the_last_and_another_port_where_that_is_taken() -> None:
    first = LiveReload(port=0)
    first.start()
    other = LiveReload(resume=first.url)
    other.start()
    assert urlsplit(other.url).query == urlsplit(first.url).query
    assert urlsplit(other.url).port != urlsplit(first.url).port
    other.stop()
    url = first.url
    first.stop()
    again = LiveReload(resume=url)
    again.start()
    assert again.url == url
    again.stop()


@pytest.mark.parametrize("resume", ["", "x", "http://[", "http://a:b/?token=1", "http://127.0.0.1/?token=short"])
def test_an_address_that_is_none_is_not_taken_over(resume: str) -> None:
    server = LiveReload(resume=resume)
    assert server._ports[0] == PORT
    assert len(server._gate.token) == 43


def test_the_end_closes_channels_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    server = LiveReload(port=0)
    server.stop()
    server.start()
    channel = Channel(server)
    channel.state()
    server.stop()
    server.stop()
    with pytest.raises((EOFError, ConnectionResetError)):
        channel.state()
    channel.close()
    server.rebuilt(Changes("d", {}))
    assert set(threading.enumerate()) <= before


def test_a_refused_target_is_told_without_its_token() -> None:
    told: list[str] = []
    started = LiveReload(port=0, log=told.append)
    started.start()
    try:
        for path in ("//client.js", "/client.js%2f..", "/nothing"):
            assert status(ask(started, path=target(started, path))) in (400, 404)
        assert status(ask(started, "Host: 127.0.0.1", f"Origin: {PAGE}", f"Origin: {PAGE}")) == 403
    finally:
        started.stop()
    assert len(told) == 4
    assert "more than one Origin" in told[-1]
    assert not any(urlsplit(started.url).query.partition("=")[2] in line for line in told)


def test_what_no_file_can_be_made_for_is_told_all_the_same(server: LiveReload, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("os.getcwd", gone)
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._get_default_tempdir", gone)
    server.failed([Problem("a.css", 1, 1, "No space left on device: /tmp/x/y.css")])
    with connect(server) as made:
        made.sendall(head(server, path=target(server, "/events")))
        told = b""
        while b"No space left on device" not in told:
            got = made.recv(65536)
            assert got, told
            told += got


def test_what_the_loop_meets_is_told_in_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    started = LiveReload(port=0, log=told.append)
    started.start()
    try:
        assert started._loop
        started._loop.call_soon_threadsafe(
            started._loop.call_exception_handler, {"message": "socket.accept() out of system resource"}
        )
        assert status(ask(started)) == 200
    finally:
        started.stop()
    assert told == ["live reload: socket.accept() out of system resource"]
    assert capfd.readouterr().err == ""


def test_who_has_just_connected_is_let_go_in_the_end() -> None:
    for _ in range(30):
        started = LiveReload(port=0)
        started.start()
        made = [connect(started) for _ in range(3)]
        started.stop()
        for one in made:
            one.close()
    gc.collect()  # What was left open is told of here, which is an error.
