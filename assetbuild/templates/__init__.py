"""The text of a template → the paths that it names, and where each stands. No template is run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """A path that a template names, and where its first character stands in the text; None: it is no literal."""

    path: str | None
    offset: int


class RefusedError(Exception):
    """The template language refuses a template, in a line from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(line, why)
        self.line = line
        self.why = why
