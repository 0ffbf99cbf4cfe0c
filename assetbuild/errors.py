"""The few ways a build fails. A problem says where, what and what next, and carries fields: reports format it, nothing
parses it back."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from assetbuild.runtime.manifest import printable as printable

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong.

    file: a path as one would type it from the working folder, or "" where no file is to blame.
    line, column: counted from 1, in characters; 0 where there is no place in the file to point at.
    message: what is wrong, in one sentence without a full stop at its end.
    hint: what to do about it, or "".
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Severity = field(default="error", compare=False)

    def __str__(self) -> str:
        where = printable(self.file)
        if self.line:
            where += f":{self.line}:{self.column}"
        text = f"{where}: {self.message}" if where else self.message
        return printable(f"{text}; {self.hint}" if self.hint else text)


class AssetbuildError(Exception):
    """Base of what the build raises on purpose; `problems` holds everything of its kind, sorted."""

    exit_status = 1

    def __init__(self, problems: Iterable[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            problems = Problem("", 0, 0, problems)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[AssetbuildError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class ConfigError(AssetbuildError):
    """Wrong configuration, options, names of filters, or output folder: exit status 2."""

    exit_status = 2


class BuildError(AssetbuildError):
    """Something is wrong with the sources: exit status 1."""


class Lines:
    """The lines of a text, looked for once, however many places in it are told; a line ends at \\n, \\r\\n or \\r, as editors
    count."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts: list[int] | None = None

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1 and in characters, of an offset; a byte order mark is no character of its line."""
        if self._starts is None:
            self._starts = [0, *(end.end() for end in _LINE_END.finditer(self.text))]
        line = bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        if start == 0 < offset and self.text.startswith("\ufeff"):
            start = 1
        return line, offset - start + 1


_LINE_END = re.compile(r"\r\n|\n|\r")


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Lines.place, for one place."""
    return Lines(text).place(offset)
