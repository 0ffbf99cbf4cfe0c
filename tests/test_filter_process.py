"""External tools, run for real: every tool here is a script that the test wrote."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild.filters import FilterError, FilterUnavailableError
from assetbuild.filters import process as processes

Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Write an executable script; by default one in Python."""

    def write(body: str, name: str = "tool", interpreter: str = sys.executable) -> str:
        file = tmp_path / name
        file.write_text(f"#!{interpreter}\n{textwrap.dedent(body)}")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return str(file)

    return write


def gone(pid: int) -> bool:
    """Whether a process has ended; what has died and not been waited for counts as ended."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
        if listed.stdout.strip().startswith("Z") or not listed.stdout.strip():
            return True
        time.sleep(0.02)
    return False


def pid_in(file: Path) -> int:
    for _ in range(500):
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.02)
    raise AssertionError(f"{file} was never written")


def test_standard_input_reaches_the_tool_and_its_output_comes_back(script: Script) -> None:
    tool = script("import sys; sys.stdout.write(sys.stdin.read().upper())")
    assert processes.run([tool], b"abc").stdout == b"ABC"


def test_bytes_are_neither_decoded_nor_translated() -> None:
    data = bytes(range(256)) + b"\r\n\r\xef\xbb\xbf"
    assert processes.run(["cat"], data).stdout == data


def test_more_than_a_pipe_holds_goes_both_ways_at_once() -> None:
    data = os.urandom(1 << 20)
    assert processes.run(["cat"], data).stdout == data


@pytest.mark.parametrize("argument", ["{input}", "{0.__class__}", "a b", "$(id)", "; ls", "*", "", "-", "é", "a\nb", '"'])
def test_an_argument_reaches_the_tool_exactly_as_it_is(script: Script, argument: str) -> None:
    tool = script("import sys; sys.stdout.buffer.write(sys.argv[1].encode())")
    assert processes.run([tool, argument]).stdout.decode() == argument


def test_the_exit_status_is_reported(script: Script) -> None:
    assert processes.run([script("raise SystemExit(3)")]).status == 3


def test_a_signal_that_ended_the_tool_is_a_negative_status(script: Script) -> None:
    assert processes.run([script("import os; os.kill(os.getpid(), 11)")]).status == -11


def test_a_tool_need_not_read_what_it_is_given(script: Script) -> None:
    assert processes.run([script("print('done')")], b"x" * (1 << 20)) == processes.Finished(0, b"done\n", b"")


def test_the_tool_runs_in_the_folder_that_is_asked_for(script: Script, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    tool = script("import os; print(os.getcwd())")
    assert processes.run([tool], cwd=str(tmp_path / "inner")).stdout.decode().strip() == str(tmp_path / "inner")


def test_the_tool_sees_the_environment_that_is_given_and_no_other(script: Script) -> None:
    tool = script("import os; print(sorted(k for k in os.environ if not k.startswith('_') and k != 'LC_CTYPE'))")
    assert processes.run([tool], env={"A": "1"}).stdout == b"['A']\n"


def test_a_broken_pipe_ends_the_tool_as_on_a_command_line() -> None:
    assert processes.run(["sh", "-c", "yes | head -n 1"]).stdout == b"y\n"


def test_a_program_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(FilterUnavailableError, match='the program "no-such-tool" was not found'):
        processes.run(["no-such-tool"])


def test_a_file_that_is_no_program_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "tool"
    file.write_text("not a program")
    with pytest.raises(FilterUnavailableError, match="was not found"):
        processes.run([str(file)])
    file.chmod(0o755)
    with pytest.raises(FilterUnavailableError, match="cannot be started: Exec format error"):
        processes.run([str(file)])


def test_an_argument_with_a_nul_is_an_error_in_one_sentence() -> None:
    with pytest.raises(FilterError, match='"cat" could not be started'):
        processes.run(["cat", "a\0b"])


def test_a_tool_that_hangs_is_stopped_at_the_time_limit(script: Script) -> None:
    with pytest.raises(FilterError, match=r'"tool" did not end within 0\.2 seconds and was stopped'):
        processes.run([script("import time; time.sleep(600)")], time_limit=0.2)


def test_a_tool_that_ignores_every_polite_signal_is_stopped_too(script: Script, tmp_path: Path) -> None:
    tool = script(f"""
        import os, signal, time
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
        time.sleep(600)
    """)
    with pytest.raises(FilterError, match="was stopped"):
        processes.run([tool], time_limit=1)
    assert gone(pid_in(tmp_path / "pid"))


def test_a_tool_that_closes_its_outputs_and_stays_is_stopped_at_the_time_limit(script: Script) -> None:
    tool = script("import os, time; os.close(1); os.close(2); time.sleep(600)")
    with pytest.raises(FilterError, match="was stopped"):
        processes.run([tool], time_limit=0.5)


def test_the_child_of_a_child_ends_at_the_time_limit(script: Script, tmp_path: Path) -> None:
    tool = script(f"sleep 600 & echo $! > {tmp_path}/pid; wait", interpreter="/bin/sh")
    with pytest.raises(FilterError, match="was stopped"):
        processes.run([tool], time_limit=1)
    assert gone(pid_in(tmp_path / "pid"))


def test_what_a_tool_leaves_running_ends_with_it(script: Script, tmp_path: Path) -> None:
    tool = script(f"sleep 600 & echo $! > {tmp_path}/pid; echo done", interpreter="/bin/sh")
    assert processes.run([tool]).stdout == b"done\n"
    assert gone(pid_in(tmp_path / "pid"))


def test_a_tool_that_writes_without_end_is_stopped() -> None:
    with pytest.raises(FilterError, match='"yes" wrote more than 100000 bytes and was stopped'):
        processes.run(["yes"], output_limit=100_000)


def test_only_the_head_of_standard_error_is_kept(script: Script) -> None:
    tool = script("import sys; sys.stderr.write('x' * 1_000_000); print('done')")
    finished = processes.run([tool])
    assert (finished.stdout, len(finished.stderr)) == (b"done\n", processes.ERROR_LIMIT)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_and_no_file_of_a_tool_outlives_the_process_group_that_called_it(
    script: Script, tmp_path: Path, number: int
) -> None:
    tool = script(f"sleep 600 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/pid; wait", interpreter="/bin/sh")
    (tmp_path / "scratch").mkdir()
    code = f"from assetbuild.filters import process; process.run([{tool!r}], scratch={str(tmp_path / 'scratch')!r})"
    caller = subprocess.Popen([sys.executable, "-c", code], process_group=0)
    tools = [pid_in(tmp_path / "child"), pid_in(tmp_path / "pid")]
    os.killpg(caller.pid, number)
    caller.wait()
    assert [gone(pid) for pid in tools] == [True, True]
    for _ in range(500):
        if not (tmp_path / "scratch").exists():
            return
        time.sleep(0.02)
    raise AssertionError("the folder for temporary files is still there")


def test_an_interrupted_call_ends_its_tool(script: Script, tmp_path: Path) -> None:
    tool = script(f"echo $$ > {tmp_path}/pid; sleep 600", interpreter="/bin/sh")
    code = f"from assetbuild.filters import process; process.run([{tool!r}])"
    caller = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    pid = pid_in(tmp_path / "pid")
    caller.send_signal(signal.SIGINT)
    caller.wait()
    assert gone(pid)


def test_a_call_leaves_no_open_file_behind(script: Script) -> None:
    tool = script("raise SystemExit(1)")
    processes.run([tool])
    before = sorted(os.listdir("/dev/fd"))
    for _ in range(3):
        processes.run([tool])
        with pytest.raises(FilterError):
            processes.run(["yes"], output_limit=1000)
    assert sorted(os.listdir("/dev/fd")) == before


def test_output_that_is_not_utf8_is_an_error_that_names_the_byte() -> None:
    with pytest.raises(FilterError, match='"tool" wrote what is not UTF-8: byte 0xff at position 1'):
        processes.decoded(b"a\xff", "tool")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("", ""),
        ("Unknown word.", "Unknown word"),
        ("\x1b[31merror\x1b[0m: \x1b]0;t\x07bad", "error: bad"),
        (
            "node:internal/modules:1080\n  throw err;\n  ^\n\nError: Cannot find module 'x'\n    at f (a.js:1:1)",
            "Error: Cannot find module 'x'",
        ),
        ("Some warning\nParseError: Unrecognised input in - on line 1", "ParseError: Unrecognised input in - on line 1"),
        ("a.ts(1,5): error TS2322: Type 'x'.", "a.ts(1,5): error TS2322: Type 'x'"),
        (
            'Could not find an option named "--x".\n\n--[no-]error-css  When an error occurs',
            'Could not find an option named "--x"',
        ),
        ('Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no', "ValueError: no"),
        ("Error parsing block:\n   a{\n\nunexpected end", "Error parsing block: unexpected end"),
        ("Error: bad in - on line 2:\n\n2  b:@zz\n3 }", "Error: bad in - on line 2"),
        ("bell\x07 and\ttab", "bell� and tab"),
    ],
)
def test_the_first_line_that_says_what_is_wrong_is_the_message(said: str, sentence: str) -> None:
    assert processes.first_error(said) == sentence


def test_a_long_message_is_cut() -> None:
    assert processes.sentence("x" * 1000) == "x" * (processes.SENTENCE_LIMIT - 1) + "…"


def test_a_failure_names_the_status_and_the_tools_words() -> None:
    finished = processes.Finished(2, b"", b"Error: no\n    at f (x.js)\n")
    assert processes.failure(finished, "lessc").message == '"lessc" failed with status 2: Error: no'


def test_a_tool_that_fails_on_standard_output_is_quoted_too() -> None:
    assert processes.failure(processes.Finished(1, b"it broke.", b""), "tsc").message == '"tsc" failed with status 1: it broke'


def test_a_crash_is_told_from_a_failure() -> None:
    assert processes.failure(processes.Finished(-11, b"", b""), "tool").message == '"tool" was ended by signal 11'
