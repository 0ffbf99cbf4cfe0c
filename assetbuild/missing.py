"""References that name nothing: what the `missing` policy makes of each, and the message that helps to mend it."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from assetbuild.errors import Problem, Severity
from assetbuild.link import aim, relative
from assetbuild.patterns import Pattern
from assetbuild.references import Reference

#: Beyond this many candidates a spelling is not searched for: the search takes time with each.
CANDIDATES = 500
#: Nor after this many searches: with so much missing, it is no matter of spelling.
SEARCHES = 200


class Missing(NamedTuple):
    """A reference that names nothing. line, column: in the source as written, or 0."""

    logical_path: str
    shown: str
    line: int
    column: int
    reference: Reference


def severity(path: str, reference: Reference, policy: Sequence[tuple[Pattern, str]]) -> Severity | None:
    """What the first matching line of the policy says of the file that refers; None: ignore. A source map that is not there
    hurts no one: at most a warning."""
    word = next((word for pattern, word in policy if pattern.matches(path)), "error")
    if word == "ignore":
        return None
    return "warning" if word == "warn" or reference.kind == "sourcemap" else "error"


def unlinked(found: Missing) -> Problem:
    """The warning about what names a file that is published under another name, and is no reference."""
    path = unquote(found.reference.path)
    what = f'"{path}" in new URL() is left as it is written, and names a file that is published under another name'
    hint = f'write "./{path}", or name the file in keep_names'
    return Problem(found.shown, found.line, found.column, what, hint, "warning")


class Report:
    """Writes the messages. The tree is indexed once, so that a hundred thousand missing references are no matter."""

    def __init__(
        self, tree: Collection[str], excluded: Collection[str], parts: Mapping[str, str] = {}, base_url: str = "/"
    ) -> None:
        """parts: the bundle of each source that is published in it alone, by logical path."""
        self.tree = tree
        self.base_url = base_url
        self.parts = parts
        self.excluded = excluded
        self.spellings: dict[str, str | None] = {}
        self.by_case: dict[str, str] = {}
        self.by_name: dict[str, list[str]] = defaultdict(list)
        self.by_folder: dict[str, list[str]] = defaultdict(list)
        for path in sorted(tree):
            self.by_case.setdefault(path.lower(), path)
            self.by_name[posixpath.basename(path)].append(path)
            self.by_folder[posixpath.dirname(path)].append(path)

    def problem(self, missing: Missing, severity: Severity) -> Problem:
        written = unquote(missing.reference.path)
        climbs = self._wanted(missing).startswith("../")
        what = f'"{written}" {"climbs out of the tree" if climbs else "is in no source root"}'
        hint = self.advice(missing)
        if bundle := self.parts.get(self._wanted(missing)):
            what = f'"{written}" is a part of the bundle "{bundle}" and not published on its own'
            hint = f'refer to the bundle, or set publish_parts = true in [bundles."{bundle}"]'
            return Problem(missing.shown, missing.line, missing.column, what, hint, severity)
        if missing.reference.kind == "sourcemap":
            what = f'the source map "{written}" is in no source root'
            hint = "its comment is dropped"
        elif not hint and severity == "error":
            hint = "put it there, or let it pass by `missing` in the configuration"
        return Problem(missing.shown, missing.line, missing.column, what, hint, severity)

    def _wanted(self, missing: Missing) -> str:
        return aim(missing.logical_path, missing.reference, self.base_url) or ""

    def advice(self, missing: Missing) -> str:
        """What may help, or ""."""
        wanted = self._wanted(missing)
        from_top = re.sub(r"^(\.{0,2}/)+", "", unquote(missing.reference.path))

        def as_written(target: str) -> str:
            return f'"{unquote(relative(missing.logical_path, target, missing.reference.kind))}"'

        if wanted in self.excluded:
            return "the file is there but excluded: see `exclude` and `keep_names`"
        parts = wanted.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        if folder := next((path for path in above if path in self.excluded), ""):
            return f'whatever is in the folder "{folder}" is passed over: see `exclude` and `keep_names`'
        stem, suffix = posixpath.splitext(wanted)
        if suffix.lower() in (".scss", ".sass", ".less", ".styl", ".ts", ".tsx", ".jsx", ".coffee"):
            for target in (stem + ".css", stem + ".js"):
                if target in self.tree:
                    return f"it is compiled to {as_written(target)}"
        for added in (".js", ".mjs", ".css", "/index.js"):
            if wanted + added in self.tree:
                return f"{as_written(wanted + added)} is there: browsers add nothing to a name"
        if wanted.lower() in self.by_case:
            return f"{as_written(self.by_case[wanted.lower()])} differs in letter case only"
        if from_top in self.tree:
            return f"{as_written(from_top)} is there"
        near = self.spelling(wanted)
        return f"did you mean {as_written(near)}?" if near else ""

    def spelling(self, wanted: str) -> str | None:
        """The path that was probably meant: of the same name elsewhere, or with a similar name in the same folder."""
        same_name = self.by_name.get(posixpath.basename(wanted), [])[:CANDIDATES]
        if len(same_name) == 1:
            return same_name[0]
        if wanted not in self.spellings and len(self.spellings) < SEARCHES:
            siblings = self.by_folder.get(posixpath.dirname(wanted), [])[:CANDIDATES]
            found = difflib.get_close_matches(wanted, same_name or siblings, 1, 0.0 if same_name else 0.7)
            self.spellings[wanted] = found[0] if found else None
        return self.spellings.get(wanted)
