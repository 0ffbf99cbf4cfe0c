"""What happened, for people and for machines."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from assetbuild import report
from assetbuild.errors import Problem
from assetbuild.report import Progress, Reporter
from assetbuild.runtime.manifest import Entry


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(*problems: Problem, quiet: bool = False) -> list[str]:
    stream = io.StringIO()
    Reporter(stream, quiet=quiet, environ={}).problems(problems)
    return stream.getvalue().splitlines()


ERROR = Problem("css/app.css", 12, 8, '"../img/logo.png" is in no source root', "did you mean?")
WARNING = Problem("a.js", 1, 1, "this does not lex", severity="warning")


def test_a_problem_is_one_line_with_its_place_and_what_helps() -> None:
    assert written(ERROR) == ['css/app.css:12:8: "../img/logo.png" is in no source root; did you mean?']


def test_a_warning_says_so() -> None:
    assert written(WARNING) == ["warning: a.js:1:1: this does not lex"]


def test_errors_come_before_warnings_and_a_count_at_the_end() -> None:
    other = Problem("b.css", 2, 1, "x")
    earlier = Problem("b.css", 1, 10, "x")
    lines = written(WARNING, other, ERROR, earlier)
    assert [line.split(": ")[0] for line in lines] == [
        "b.css:1:10",
        "b.css:2:1",
        "css/app.css:12:8",
        "warning",
        "3 errors, 1 warning",
    ]


def test_quiet_leaves_warnings_out_of_lines_and_count() -> None:
    assert written(WARNING, ERROR, quiet=True) == [str(ERROR)]
    assert written(WARNING, quiet=True) == []


@pytest.mark.parametrize("bad", ["\x1b[2J", "\r", "\x07", "\n", "\x9b", "\u202e", "\udc80"])
def test_no_control_character_reaches_the_terminal(bad: str) -> None:
    problem = Problem(f"a{bad}b", 1, 1, f"c{bad}d", f"e{bad}f")
    stream = Terminal()
    reporter = Reporter(stream, environ={"NO_COLOR": "1"})
    reporter.problems([problem])
    reporter.line(f"x{bad}y")
    lines = stream.getvalue().split("\n")
    assert len(lines) == 3
    assert not any(bad in line for line in lines)


@pytest.mark.parametrize(
    ("terminal", "environ", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": ""}, False),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "xterm"}, True),
    ],
)
def test_colour_is_for_terminals_unless_one_says_otherwise(terminal: bool, environ: Mapping[str, str], coloured: bool) -> None:
    stream = Terminal() if terminal else io.StringIO()
    reporter = Reporter(stream, environ=environ)
    reporter.problems([ERROR, WARNING])
    assert ("\x1b[" in stream.getvalue()) == coloured


def test_colours_change_nothing_but_colours() -> None:
    stream = Terminal()
    Reporter(stream, environ={}).problems([ERROR, WARNING])
    plain = stream.getvalue()
    for code in ("\x1b[31;1m", "\x1b[33;1m", "\x1b[1m", "\x1b[0m"):
        plain = plain.replace(code, "")
    assert plain.splitlines() == written(ERROR, WARNING)


def test_what_nobody_reads_any_more_is_lost_without_a_fault() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w", encoding="utf-8")
    reporter = Reporter(stream, environ={})
    reporter.line("a")
    reporter.line("b")
    with pytest.raises(BrokenPipeError):
        stream.close()


# ---- progress


def test_a_bar_appears_on_a_terminal_once_the_time_has_come() -> None:
    stream = Terminal()
    progress = Progress(Reporter(stream, environ={}))
    progress("compile", 1, 10)
    assert stream.getvalue() == ""
    progress.next = 0.0
    progress("compile", 5, 10)
    assert "compile  [###############---------------] 5/10" in stream.getvalue()
    progress("compile", 6, 10)
    assert "6/10" not in stream.getvalue()


def test_the_bar_goes_before_anything_else_is_written() -> None:
    stream = Terminal()
    reporter = Reporter(stream, environ={})
    reporter.bar("bar")
    reporter.line("line")
    reporter.line("line")
    reporter.bar("bar")
    reporter.clear()
    reporter.clear()
    assert stream.getvalue() == "bar\r\x1b[Kline\nline\nbar\r\x1b[K"


@pytest.mark.parametrize(("stream", "quiet"), [(io.StringIO(), False), (Terminal(), True)])
def test_there_is_no_bar_elsewhere_nor_when_quiet(stream: io.StringIO, quiet: bool) -> None:
    progress = Progress(Reporter(stream, quiet=quiet, environ={}))
    progress.next = 0.0
    progress("compile", 1, 2)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("done", "total"), [(0, 0), (0, 5), (5, 5), (7, 5)])
def test_a_bar_keeps_its_width(done: int, total: int) -> None:
    drawn = Progress(Reporter(io.StringIO(), environ={})).drawn("link", done, total)
    assert drawn.index("]") - drawn.index("[") == Progress.WIDTH + 1


# ---- numbers


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (10_240, "10.2 kB"),
        (9_994, "9.99 kB"),
        (9_996, "10.0 kB"),
        (99_960, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (150_000_000, "150 MB"),
        (2_000_000_000_000_000, "2000 TB"),
    ],
)
def test_sizes_have_three_digits_and_a_unit(number: int, text: str) -> None:
    assert report.size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 ms"), (0.085, "85 ms"), (0.9996, "1.0 s"), (1.24, "1.2 s"), (59.96, "1 min 0 s"), (125.4, "2 min 5 s")],
)
def test_times_have_a_unit_that_suits_them(seconds: float, text: str) -> None:
    assert report.duration(seconds) == text


def test_amounts_are_counted_in_words() -> None:
    assert report.amount(1, "file") == "1 file"
    assert report.amount(0, "file") == "0 files"
    assert report.amount(10_000, "file") == "10,000 files"
    assert report.count([]) == "no problems"
    assert report.count([ERROR]) == "1 error"
    assert report.count([WARNING, WARNING]) == "2 warnings"


# ---- results


ASSETS: dict[str, Entry] = {
    "js/a.js": {"path": "js/a.123456789abc.js", "integrity": "", "size": 12_345, "type": "text/javascript"},
    "a\tb\n.css": {
        "path": "a\tb\n.123456789abc.css",
        "integrity": "",
        "size": 5,
        "type": "text/css",
        "variants": {"gzip": 4, "br": 3},
    },
}


def test_a_list_for_scripts_has_tabs_and_bytes() -> None:
    assert list(report.listed(ASSETS, aligned=False)) == [
        "a\\tb\\n.css\ta\\tb\\n.123456789abc.css\t5\tbr 3\tgzip 4",
        "js/a.js\tjs/a.123456789abc.js\t12345",
    ]


def test_a_list_for_people_has_columns_and_units() -> None:
    first, second = report.listed({"js/a.js": ASSETS["js/a.js"], "b.js": ASSETS["js/a.js"]}, aligned=True)
    assert first == "b.js     js/a.123456789abc.js  12.3 kB"
    assert second == "js/a.js  js/a.123456789abc.js  12.3 kB"


def test_an_empty_list_has_no_lines() -> None:
    assert list(report.listed({}, aligned=True)) == list(report.listed({}, aligned=False)) == []


def test_a_failure_is_a_document_with_every_field_of_every_problem() -> None:
    document = json.loads(json.dumps(report.failure_data([WARNING, ERROR])))
    assert document == {
        "ok": False,
        "problems": [
            {
                "file": "css/app.css",
                "line": 12,
                "column": 8,
                "message": '"../img/logo.png" is in no source root',
                "hint": "did you mean?",
                "severity": "error",
            },
            {"file": "a.js", "line": 1, "column": 1, "message": "this does not lex", "hint": "", "severity": "warning"},
        ],
    }


def test_the_reporter_writes_to_standard_error_by_default(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Reporter(environ={}).line(str(tmp_path))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"{tmp_path}\n")
