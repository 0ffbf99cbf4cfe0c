"""The live-reload server: tells pages which files were replaced, and what is wrong. One thread of `assetbuild watch`.

The page comes from the application, on another port and so of another origin. What follows from that:

- `Host` is in a list, compared exactly, on every request: a name that an attacker points at this machine is not in it.
- `Origin`, where sent, is http or https on a host of that same list at any port, since the application's port is not known
  here, or one of `allowed_origins`, whole. The answer names exactly that origin; never `*`, never `null`.
- Both URLs hold a token, which only pages of the application have. A page of another program on this machine, on another
  port, passes the check of its origin and still learns nothing.
- The tag loads the script with `crossorigin`, so that `Cross-Origin-Resource-Policy: same-origin` can stand on every answer:
  browsers apply it to requests without CORS, which thereby get nothing at all.

The channel is one-way. Each event is the whole state (digest, last rebuilds, problems), so that an event that is missed, seen
twice, or superseded while a slow page reads does no harm, and nothing is queued.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from urllib.parse import urlsplit

from assetbuild.dev.request import MAX_HEAD, Asked, Gate, RefusedError, is_host, is_origin, judge, token_of
from assetbuild.dev.shown import shown
from assetbuild.errors import Problem, printable

PORT = 35779
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MAX_CONNECTIONS = 100
MAX_CHANNELS = 32
_IDLE = 10.0  # seconds for a head to come, and for an answer to be taken
_HEARTBEAT = 15.0  # seconds of silence after which a comment finds out who is gone
_STEPS = 32
_MOST_CHANGES = 500
_MOST_LOGGED = 100

_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a rebuild replaced. digest: the new manifest's. paths: logical path → public path before and after; None where
    the asset was not there, or is no more."""

    digest: str
    paths: Mapping[str, tuple[str | None, str | None]]


class LiveReload:
    """The server. Every method may be called from any thread, and none waits for a browser.

    host: an address to listen on. port: 0 is one that the system chooses; without one PORT, or the one of `resume`, and where
    that is taken a chosen one. allowed_hosts: names and addresses, without ports, by which pages may ask, besides the loopback
    ones; must be given where `host` is not loopback, and the first one then stands in the script's URL. allowed_origins: those
    of pages that are on none of these hosts. resume: the script's URL of the last run, whose token and port are taken over so
    that pages which are open connect again. log: gets one line for each refused request of a new kind.

    Raises ValueError for hosts and origins that are none.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int | None = None,
        *,
        allowed_hosts: Iterable[str] = (),
        allowed_origins: Iterable[str] = (),
        resume: str | None = None,
        log: Callable[[str], object] = lambda _: None,
    ) -> None:
        listed = tuple(name.lower() for name in allowed_hosts)
        origins = frozenset(origin.lower() for origin in allowed_origins)
        for name in listed:
            if not is_host(name):
                raise ValueError(f'"{name}" is no host: give its name or address, without a scheme and a port')
        for origin in origins:
            if not is_origin(origin):
                raise ValueError(f'"{origin}" is no origin: give scheme, host and port, like http://app.test:8000')
        shown_host = f"[{host}]" if ":" in host else host
        if shown_host not in LOOPBACK and not listed:
            raise ValueError(f'"{host}" is not loopback: name the hosts by which pages may ask, with allowed_hosts')
        self._host = host
        self._url_host = listed[0] if shown_host not in LOOPBACK else shown_host
        self._ports = _ports(port, resume)
        token = (token_of(resume) if resume else "") or secrets.token_urlsafe(32)
        self._gate = Gate(frozenset((*LOOPBACK, *listed)), origins, token)
        self._log = log
        self._logged: set[str] = set()
        self._script = resources.files("assetbuild.dev").joinpath("client.js").read_bytes()
        self._digest = ""
        self._steps: list[dict[str, object]] = []
        self._port = 0
        self._problems: list[dict[str, str | int]] = []
        self._state = b""
        self._lock = threading.Lock()
        self._channels: set[asyncio.Event] = set()
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._publish()

    @property
    def url(self) -> str:
        """The script's, token included: what goes into the manifest as `live_reload`. Raises RuntimeError before start()."""
        if not self._port:
            raise RuntimeError("the live-reload server has not been started")
        return f"http://{self._url_host}:{self._port}/client.js?token={self._gate.token}"

    @property
    def where(self) -> str:
        """The address to listen on, and the port."""
        return f"[{self._host}]:{self._ports[0]}" if ":" in self._host else f"{self._host}:{self._ports[0]}"

    def start(self) -> None:
        """Listens, and answers from a thread. Raises OSError where the address cannot be had."""
        self._socket = self._listen()
        self._port = self._socket.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="live-reload", daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Closes every connection and ends the thread. Does nothing before start(), and the second time."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._end.set)
        thread.join()
        self._loop = self._thread = None

    def rebuilt(self, changes: Changes) -> None:
        """A build succeeded, and its manifest is in place: pages take up what changed, and the panel goes."""
        with self._lock:
            if self._digest and changes.digest != self._digest:
                few = len(changes.paths) <= _MOST_CHANGES
                pairs = sorted((path, *names) for path, names in changes.paths.items() if names[0] != names[1]) if few else None
                step: dict[str, object] = {"from": self._digest, "to": changes.digest, "changes": pairs}
                self._steps = [*self._steps, step][-_STEPS:]
            self._digest = changes.digest
            self._problems = []
            self._publish()

    def failed(self, problems: Iterable[Problem]) -> None:
        """A build failed: pages show the problems, with the lines they are in, until one succeeds."""
        found = shown(problems)
        with self._lock:
            self._problems = found
            self._publish()

    def _publish(self) -> None:
        state = {"digest": self._digest, "steps": self._steps, "problems": self._problems}
        self._state = b"data: " + json.dumps(state).encode() + b"\n\n"
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a loop that has just ended
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for channel in self._channels:
            channel.set()

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        for port in self._ports:
            try:
                return socket.create_server((self._host, port), family=family, backlog=MAX_CONNECTIONS)
            except OSError:
                if port == self._ports[-1]:
                    raise
        raise AssertionError

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # asyncio's own would print a traceback, as where no more sockets can be opened.
        self._loop.set_exception_handler(lambda _, context: self._report(f"live reload: {context['message']}"))
        server = await asyncio.start_server(self._met, sock=self._socket, limit=MAX_HEAD)
        ready.set()
        await self._end.wait()
        # Who has just been accepted gets a task first: a server that is closed already would leave the socket open.
        assert self._socket is not None
        with contextlib.suppress(NotImplementedError):  # Not every loop has readers.
            self._loop.remove_reader(self._socket)
        await _turns()
        server.close()
        for task, writer in tuple(self._tasks.items()):
            task.cancel()
            writer.transport.abort()  # A task that has not begun yet does nothing any more.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _turns()  # Transports close in a turn of their own.

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._connected(reader, writer))
        self._tasks[task] = writer
        task.add_done_callback(self._tasks.pop)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await self._asked(reader)
            if asked.path == "/events" and len(self._channels) >= MAX_CHANNELS:
                raise RefusedError(503, f"there are {MAX_CHANNELS} channels already", asked.origin)
        except RefusedError as refused:
            self._report(f"live reload: {refused.status}, {refused}")
            body = f"{_REASONS[refused.status]}\n".encode()
            writer.write(_head(refused.status, "text/plain; charset=utf-8", refused.origin, len(body)) + body)
            await _flush(writer)
            return
        if asked.path == "/events":
            writer.write(_head(200, "text/event-stream; charset=utf-8", asked.origin, None))
            if asked.method == "GET":
                await self._channel(reader, writer)
        else:
            writer.write(_head(200, "text/javascript; charset=utf-8", asked.origin, len(self._script)))
            writer.write(self._script if asked.method == "GET" else b"")
        await _flush(writer)

    async def _asked(self, reader: asyncio.StreamReader) -> Asked:
        try:
            async with asyncio.timeout(_IDLE):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise RefusedError(431, f"a head of more than {MAX_HEAD} bytes") from None
        if len(head) > MAX_HEAD:
            raise RefusedError(431, f"a head of more than {MAX_HEAD} bytes")
        return judge(head, self._gate, ("/client.js", "/events"))

    async def _channel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Sends the state now and whenever it changes, until the page is gone."""
        changed = asyncio.Event()
        self._channels.add(changed)
        # A page sends nothing more: whatever comes, or the end, ends the channel.
        gone = asyncio.ensure_future(reader.read(1))
        gone.add_done_callback(lambda _: changed.set())
        try:
            text = self._state
            while not gone.done() and not self._end.is_set():
                writer.write(text)
                await _flush(writer)
                try:
                    async with asyncio.timeout(_HEARTBEAT):
                        await changed.wait()
                    changed.clear()
                    text = self._state
                except TimeoutError:
                    text = b": still here\n\n"
        finally:
            self._channels.discard(changed)
            gone.cancel()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await gone

    def _report(self, line: str) -> None:
        """Whoever can reach the port could fill a log, so each line is told once, and only so many."""
        text = printable(line)[:300]
        if text not in self._logged and len(self._logged) < _MOST_LOGGED:
            self._logged.add(text)
            self._log(text)


async def _turns() -> None:
    """Lets the loop do what is due, and what comes of that."""
    for _ in range(5):
        await asyncio.sleep(0)


async def _flush(writer: asyncio.StreamWriter) -> None:
    """Raises TimeoutError for a reader that does not take what it asked for."""
    async with asyncio.timeout(_IDLE):
        await writer.drain()


def _head(status: int, media_type: str, origin: str | None, size: int | None) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        f"Content-Type: {media_type}",
        "Cache-Control: no-store",
        "Cross-Origin-Resource-Policy: same-origin",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
        "Vary: Origin",
    ]
    if size is not None:
        lines.append(f"Content-Length: {size}")
    if status == 405:
        lines.append("Allow: GET, HEAD")
    if origin is not None:
        lines.append(f"Access-Control-Allow-Origin: {origin}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answers(url: str) -> bool:
    """Whether the server that made this script's URL is running, on this machine."""
    import http.client  # Only where a watch has been before.

    try:
        asked = urlsplit(url)
        host = f"[{asked.hostname}]" if ":" in (asked.hostname or "") else asked.hostname
        if host not in LOOPBACK:
            return False
        connection = http.client.HTTPConnection(str(asked.hostname), asked.port, timeout=1.0)
        with contextlib.closing(connection):
            connection.request("HEAD", f"{asked.path}?{asked.query}")
            answer = connection.getresponse()
            # Another server on this port may answer whatever it is asked.
            ours = _head(200, "text/javascript; charset=utf-8", None, None).decode().split("\r\n")
            told = {f"{name}: {value}" for name, value in answer.getheaders()}
            return answer.status == 200 and told.issuperset(filter(None, ours[1:]))
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _ports(port: int | None, resume: str | None) -> tuple[int, ...]:
    """The ports to try, in this order."""
    if port is not None:
        return (port,)
    try:
        last = urlsplit(resume).port if resume else None
    except ValueError:
        last = None
    return (last or PORT, 0)
