"""Filters: text in, text out. A filter answers two questions: what does it make of this text, and what, besides the text,
decides the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from assetbuild.references import Note

if TYPE_CHECKING:  # A build that has nothing to do reads no language.
    from assetbuild.syntax.js.spans import Lexed

Language = Literal["css", "js", "other"]

#: Which of a webassets filter's hooks are called: in webassets `open` and `input` are for each part of a bundle, `concat` and
#: `output` for the parts joined. A source that is no part goes through all of them.
Hooks = Literal["all", "parts", "whole"]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a filter may know of the source whose text it is given.

    logical_path: the source's path in the tree, before any suffix changed.
    file: the absolute path of the file on disk.
    roots: the absolute paths of the source roots, the first wins.
    language: what the text is when the filter sees it.
    prefixes: what the logical paths of the files below each root begin with, "" or with a `/` at its end.
    """

    logical_path: str
    file: str
    roots: tuple[str, ...]
    language: Language
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a filter made: the text; the absolute paths of further files that it read; warnings, whose offsets are in the
    text that it was given; whether it refused to do its work and handed the text back as it was; how the text reads,
    where the filter has read JavaScript; the absolute paths of folders, there or not, in which it looked for a file in vain."""

    text: str
    read: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    refused: bool = False
    lexed: Lexed | None = None
    sought: tuple[str, ...] = ()


class Filter(Protocol):
    """One step of a chain. Instances are cheap, made for one file, and used once."""

    @property
    def name(self) -> str:
        """The name as it stands in the configuration."""

    @property
    def keeps_meaning(self) -> bool:
        """Whether the output has the input's tokens in the input's order (a checked minifier): then the k-th reference of
        the output is the k-th of the input."""

    @property
    def pure(self) -> bool:
        """Whether the text and the options alone decide the output: no further file is read."""

    def identity(self) -> tuple[str, ...]:
        """Everything besides the text that decides the output: tool, version, implementation, options."""

    def apply(self, text: str, unit: Unit) -> Filtered:
        """What it makes of the text. Raises FilterError."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A filter that has nothing to do at this stage of a bundle: the text stays."""

    name: str
    keeps_meaning: bool = True
    pure: bool = True

    def identity(self) -> tuple[str, ...]:
        return ("idle",)

    def apply(self, text: str, unit: Unit) -> Filtered:  # noqa: ARG002
        return Filtered(text)


class FilterError(Exception):
    """A filter could not do its work.

    message: one sentence without the file's and the filter's name; the caller adds both.
    line, column: from 1 in the file `file` (the unit's own where that is ""), or 0.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0, file: str = "") -> None:
        super().__init__(message, line, column, file)
        self.message = message
        self.line = line
        self.column = column
        self.file = file


class FilterUnavailableError(FilterError):
    """The filter's name is unknown, or what it needs is not installed: a mistake of the configuration (exit status 2)."""


Settings = Mapping[str, object]
