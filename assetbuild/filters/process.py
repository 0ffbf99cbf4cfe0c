"""External tools: bytes in, bytes out, and nothing of them outlives the call, the time limit, or the process that called.

A tool is run without a shell, in a session of its own behind `supervisor.py`, which kills its whole process group when
the caller closes the lifeline or dies, be it by SIGKILL. Only a descendant that moves into a process group of its own
gets away from that.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assetbuild.filters import FilterError, FilterUnavailableError

#: Seconds that a tool may take.
TIME_LIMIT = 60.0
#: Bytes of output that are taken.
OUTPUT_LIMIT = 64 << 20
#: Bytes of standard error that are kept; the rest is read and dropped.
ERROR_LIMIT = 64 << 10
#: Characters of a tool's message that are passed on.
SENTENCE_LIMIT = 300

_SUPERVISOR = str(Path(__file__).with_name("supervisor.py"))


@dataclass(frozen=True, slots=True)
class Finished:
    """What a tool left: its exit status (a negative one is the signal that ended it), standard output, standard error."""

    status: int
    stdout: bytes
    stderr: bytes


def find(program: str, *, cwd: str | None = None, path: str | None = None) -> str | None:
    """The absolute path of a program, or None: a name is looked for in `path` (default: $PATH), a path is taken from
    `cwd` (default: the working folder)."""
    if os.sep in program:
        candidate = os.path.abspath(os.path.join(cwd or os.curdir, program))
        return candidate if os.path.isfile(candidate) and os.access(candidate, os.X_OK) else None
    found = shutil.which(program, path=path)
    return os.path.abspath(found) if found else None


@dataclass(frozen=True, slots=True)
class Running:
    """A tool at work behind the supervisor: it ends when it wants to, when `stop` is called, or with this process."""

    program: str
    process: subprocess.Popen[bytes]
    lifeline: socket.socket

    def status(self, patience: float) -> int:
        """The exit status, once it has ended (a negative one is the signal that ended it). patience: seconds.

        Raises TimeoutError, FilterUnavailableError where it could not be started.
        """
        self.lifeline.settimeout(max(0.001, patience))
        kind, _, number = self.lifeline.recv(64).decode().partition(" ")
        if kind == "errno":
            raise FilterUnavailableError(f'the program "{self.program}" cannot be started: {os.strerror(int(number))}')
        if kind != "exit":
            raise FilterError(f'"{os.path.basename(self.program)}" was lost: what watches over it was killed')
        return int(number)

    def stop(self) -> None:
        """End everything of it that still runs, and wait for that."""
        with contextlib.suppress(OSError):
            self.lifeline.shutdown(socket.SHUT_RDWR)
        self._close()
        self.process.wait()

    def disown(self) -> None:
        """In a process that was forked while it ran: let go of it, so that it ends with the process that started it."""
        self._close()
        # Nobody else's child is waited for, and Popen would warn of it.
        self.process.returncode = 0

    def _close(self) -> None:
        for stream in (self.lifeline, self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()


def start(argv: Sequence[str], *, cwd: str | None = None, env: Mapping[str, str] | None = None, scratch: str = "") -> Running:
    """Start a tool, with pipes to all three of its streams; the arguments reach it exactly as they are.

    env: its whole environment, default the caller's. scratch: a folder that is removed when the caller is killed, or gives
    the tool up. Raises FilterUnavailableError where the program is missing, FilterError where it cannot be started at all.
    """
    env = os.environ if env is None else env
    program = find(argv[0], cwd=cwd, path=env.get("PATH"))
    if program is None:
        raise FilterUnavailableError(f'the program "{argv[0]}" was not found')
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-I", "-S", _SUPERVISOR, str(theirs.fileno()), scratch, program, *argv[1:]]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=env,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            ours.close()
            raise FilterError(f'"{os.path.basename(argv[0])}" could not be started: {error}') from error
    return Running(program, process, ours)


def run(
    argv: Sequence[str],
    data: bytes = b"",
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    time_limit: float = TIME_LIMIT,
    output_limit: int = OUTPUT_LIMIT,
    scratch: str = "",
) -> Finished:
    """Run a tool to its end.

    data: its standard input. time_limit: seconds. output_limit: bytes. The rest is as for `start`.
    Raises FilterUnavailableError where the program is missing or cannot be started, FilterError at a limit. A status other
    than 0 is no error here (see `failure`).
    """
    name = os.path.basename(argv[0])
    running = start(argv, cwd=cwd, env=env, scratch=scratch)
    try:
        deadline = time.monotonic() + time_limit
        stdout, stderr = _exchange(running.process, data, deadline, output_limit, name)
        # A tool may close its outputs long before it ends.
        status = running.status(deadline - time.monotonic())
    except TimeoutError:
        raise FilterError(f'"{name}" did not end within {time_limit:g} seconds and was stopped') from None
    finally:
        # Everything that still runs ends here, whether the exchange ended well or not.
        running.stop()
    return Finished(status, stdout, stderr)


def _exchange(
    process: subprocess.Popen[bytes], data: bytes, deadline: float, output_limit: int, name: str
) -> tuple[bytes, bytes]:
    """Feed standard input and read both outputs until their end. Raises TimeoutError at the deadline."""
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    assert stdin is not None
    assert stdout is not None
    assert stderr is not None
    read = {stdout.fileno(): bytearray(), stderr.fileno(): bytearray()}
    rest = memoryview(data)
    with selectors.DefaultSelector() as selector:
        for stream in (stdout, stderr):
            selector.register(stream, selectors.EVENT_READ)
        if rest:
            os.set_blocking(stdin.fileno(), False)
            selector.register(stdin, selectors.EVENT_WRITE)
        else:
            stdin.close()
        while selector.get_map():
            left = deadline - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready and time.monotonic() >= deadline:
                raise TimeoutError
            for key, _ in ready:
                if key.fileobj is stdin:
                    try:
                        rest = rest[os.write(key.fd, rest[: 1 << 16]) :]
                    except BlockingIOError:
                        continue
                    except BrokenPipeError:
                        rest = rest[:0]  # A tool need not read all that it is given.
                    if not rest:
                        selector.unregister(stdin)
                        stdin.close()
                    continue
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    selector.unregister(key.fileobj)
                elif key.fileobj is stdout:
                    read[key.fd] += piece
                    if len(read[key.fd]) > output_limit:
                        raise FilterError(f'"{name}" wrote more than {output_limit} bytes and was stopped')
                else:
                    read[key.fd] += piece[: ERROR_LIMIT - len(read[key.fd])]
    return bytes(read[stdout.fileno()]), bytes(read[stderr.fileno()])


def decoded(output: bytes, name: str) -> str:
    """A tool's output as text. Raises FilterError where it is not UTF-8."""
    try:
        return output.decode()
    except UnicodeDecodeError as error:
        byte = output[error.start]
        raise FilterError(f'"{name}" wrote what is not UTF-8: byte 0x{byte:02x} at position {error.start}') from error


def failure(finished: Finished, name: str) -> FilterError:
    """What to raise for an exit status other than 0: the tool's own first words about it."""
    said = first_error(finished.stderr.decode(errors="replace")) or first_error(finished.stdout.decode(errors="replace"))
    if finished.status < 0:
        how = f'"{name}" was ended by signal {-finished.status}'
    else:
        how = f'"{name}" failed with status {finished.status}'
    return FilterError(f"{how}: {said}" if said else how)


_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
#: A stack's frames, what Node and Python print around an error, rules and arrows below a piece of code.
_NOISE = re.compile(r"\s*(?:at .+[:(]|node:|Node\.js v|throw |Traceback |File \"|[\^~\-|=\s]*$)")
#: `error TS2322:`, `ParseError:`, `fatal:` and their like, not any line that has the word.
_ERROR = re.compile(r"(?:\b\w*(?:Error|Exception)|\b(?:[Ee]rror|ERROR|[Ff]atal))\b[^:]{0,20}:")


def first_error(text: str) -> str:
    """The line of a tool's output that says what is wrong, as a sentence without its full stop; "" where there is none."""
    lines = [line for line in _ESCAPES.sub("", text).splitlines() if not _NOISE.match(line)]
    line = next((line for line in lines if _ERROR.search(line)), lines[0] if lines else "")
    if line.rstrip().endswith(":"):
        # A heading: the reason stands at the end, unless only a piece of the source does.
        line = f"{line} {lines[-1]}" if lines[-1] != line and lines[-1].lstrip()[:1].isalpha() else line.rstrip()[:-1]
    return sentence(line)


def sentence(text: str) -> str:
    """Any message on one line, without control characters and its full stop, cut where it is long."""
    words = " ".join(_ESCAPES.sub("", text).split())
    words = "".join(c if c.isprintable() else "�" for c in words)
    if len(words) > SENTENCE_LIMIT:
        words = words[: SENTENCE_LIMIT - 1].rstrip() + "…"
    return words.removesuffix(".")
