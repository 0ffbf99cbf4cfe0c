"""Problems as a page may show them: the text of the line, and no path of the machine."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable

from assetbuild.errors import Problem, printable

MAX_PROBLEMS = 50
_MAX_TEXT = 2000
_MAX_LINE = 300
_MAX_FILE = 4 * 1024 * 1024
_ABSOLUTE = re.compile(r"(?<![\w./:~-])/[^\s\"'`<>()|:;,]+")
_CLIMBING = re.compile(r"(?<![\w./:~-])((?:\.\./)+)([^\s\"'`<>()|:;,./][^\s\"'`<>()|:;,/]*)/")


def shown(problems: Iterable[Problem]) -> list[dict[str, str | int]]:
    """What the panel gets, at most MAX_PROBLEMS of them: severity, file, line, column, message, hint, and the line's text."""
    return [
        {
            "severity": problem.severity,
            "file": _printable(without_machine(problem.file)),
            "line": problem.line,
            "column": problem.column,
            "message": _printable(without_machine(problem.message)),
            "hint": _printable(without_machine(problem.hint)),
            "text": without_machine(line_text(problem.file, problem.line)),
        }
        for problem in list(problems)[:MAX_PROBLEMS]
    ]


def line_text(file: str, line: int) -> str:
    """A line of a source, without its end and cut to 300 characters; "" where it cannot be read."""
    if not file or line < 1:
        return ""
    try:
        status = os.stat(file)
        # A FIFO would block when it is opened.
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_FILE:
            return ""
        with open(file, encoding="utf-8-sig", errors="replace", newline=None) as opened:
            found = next((text for number, text in enumerate(opened, 1) if number == line), "")
    except (OSError, ValueError):
        return ""
    return printable(found.rstrip("\n").replace("\t", "    "))[:_MAX_LINE]


def without_machine(text: str) -> str:
    """The text with paths below the working folder made relative, and the last name only of every other path that is absolute,
    or that climbs to the top of the file system."""
    try:
        here = os.getcwd()
    except OSError:
        here = ""  # It is gone.
    if here:
        text = text.replace(here + os.sep, "")
    depth = here.strip(os.sep).count(os.sep) + 1
    text = _CLIMBING.sub(lambda found: f"/{found[2]}/" if _is_top(found, depth) else found[0], text)
    # They may hold blanks, which would end a path below. To ask for the folder for temporary files may make a file in it, which
    # may be what is impossible just now.
    for folder in (sys.prefix, os.path.expanduser("~"), os.environ.get("TMPDIR") or "/tmp", here):
        if len(folder) > 1:
            text = text.replace(folder + os.sep, "…/")
    return _ABSOLUTE.sub(_shortened, text)


def _is_top(found: re.Match[str], depth: int) -> bool:
    """Whether a path climbs out of so many folders, to one of the machine's: a reference in a text may have as many dots."""
    return found[1].count("/") >= depth and os.path.isdir("/" + found[2])


def _shortened(found: re.Match[str]) -> str:
    """/static/app.css is a URL's path, not the machine's, unless the machine has a folder /static."""
    path = found[0]
    first, _, rest = path[1:].partition("/")
    return f"…/{path.rstrip('/').rpartition('/')[2]}" if first and rest and os.path.isdir("/" + first) else path


def _printable(text: str) -> str:
    return printable(text)[:_MAX_TEXT]
