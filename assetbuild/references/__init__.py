"""References: the places in a text that name another file. A scanner takes text and gives spans; it never touches the disk
and does not know which files exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["url", "import", "module", "sourcemap"]


@dataclass(frozen=True, slots=True)
class Reference:
    """One place in a text that names another file.

    start, end: the span of the path alone, in characters: no quotes, no blanks around it, no ?query, no #fragment.
    path: what stands there with the language's own escapes decoded (CSS escapes, JavaScript escapes, XML entities);
        percent escapes are still in it, since they belong to the URL and not to the language.
    kind: "url" (CSS url() and its like, SVG, web manifest), "import" (CSS @import), "module" (JavaScript: the text that
        replaces the path must begin with ./ or ../), "sourcemap" (the comment).
    whole: the span of what must go where the reference itself must go: the whole comment for "sourcemap" (with the line
        end before it where that leaves no empty line), the whole rule with its semicolon for "import"; else (start, end).
    instead: what must stay where a "sourcemap" goes, so that what it parted stays parted.
    """

    start: int
    end: int
    path: str
    kind: Kind
    whole: tuple[int, int]
    instead: str = ""

    def __reduce__(self) -> tuple[type[Reference], tuple[object, ...]]:
        # Many of these come from the workers, and what dataclasses do for slots asks each for the names of its fields.
        return Reference, (self.start, self.end, self.path, self.kind, self.whole, self.instead)


@dataclass(frozen=True, slots=True)
class Note:
    """Something a scanner or a filter wants said: a warning at an offset (characters from 0) of the text it was given."""

    offset: int
    message: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanner found: references by their start, non-overlapping; notes; the span of the last `sourceMappingURL=`
    comment, whatever it names, and what must stay where it goes (see Reference.instead); what names a file and is no reference,
    since it does not begin as one has to (`new URL("a.png", import.meta.url)`)."""

    references: tuple[Reference, ...]
    notes: tuple[Note, ...] = ()
    map_comment: tuple[int, int] | None = None
    map_instead: str = ""
    bare: tuple[Reference, ...] = ()


# A scheme by RFC 3986, 3.1. A file that is called `data.png` has no colon and so no scheme.
# What the URL standard takes away before it reads a URL: C0 controls and blanks at its ends, tabs and line ends.
_IGNORED = re.compile(r"\A[\x00-\x20]+|[\x00-\x20]+\Z|[\t\n\r]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def is_local(path: str) -> bool:
    """Whether a URL may name a file of the tree: `path` is what stands before ?query and #fragment, escapes decoded.

    Anything with a scheme, `//host`, an empty path (a fragment or a query alone) and a folder (`.`, `..`, a path that ends
    in /) is left alone; an absolute /path may be local, which only the configuration's base URL tells.
    """
    if not path.isprintable() or path[:1] == " ":
        path = _IGNORED.sub("", path)
    if not path or path.startswith(("//", "\\\\", "/\\", "\\/")) or _SCHEME.match(path):
        return False
    return not path.endswith("/") and path.rsplit("/", 1)[-1] not in (".", "..")


def substitute(text: str, replacements: Iterable[tuple[int, int, str]]) -> str:
    """The text with new text put into spans; spans are in order and do not overlap."""
    parts: list[str] = []
    position = 0
    for start, end, new in replacements:
        parts.append(text[position:start])
        parts.append(new)
        position = end
    parts.append(text[position:])
    return "".join(parts)
