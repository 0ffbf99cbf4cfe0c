"""The comments by which a library says what it is: name, version, licence. What is not certain is nothing: no name is made of a
description, no licence of the mere mention of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assetbuild.syntax import LexError, css, js
from assetbuild.syntax.js.spans import places

#: Package of npm by the name that its banners have, folded. Whatever is not here has no package: names are no one's.
_PACKAGES = {
    "animate.css": "animate.css",
    "backbone.js": "backbone",
    "bootstrap": "bootstrap",
    "bulma.io": "bulma",
    "chart.js": "chart.js",
    "clipboard.js": "clipboard",
    "datatables": "datatables.net",
    "dompurify": "dompurify",
    "flatpickr": "flatpickr",
    "font awesome free": "@fortawesome/fontawesome-free",
    "jquery": "jquery",
    "jquery javascript library": "jquery",
    "jquery ui": "jquery-ui",
    "moment.js": "moment",
    "normalize.css": "normalize.css",
    "pico css": "@picocss/pico",
    "select2": "select2",
    "sortable": "sortablejs",
    "swiper": "swiper",
    "underscore.js": "underscore",
    "video.js": "video.js",
    "vue": "vue",
    "vue.js": "vue",
}
#: Banners of Bootstrap's parts name the part, too.
_PART = re.compile(r"(Bootstrap) (?:Grid|Reboot|Utilities|[a-z-]+\.js)")

#: Licences by what they are called. The identifiers are SPDX's (https://spdx.org/licenses/).
_CALLED = {
    "MIT": r"MIT",
    "Apache-2.0": r"Apache(?:[ -]Licen[sc]e)?,?[ -]*(?:Version )?v?2(?:\.0)?",
    "BSD-2-Clause": r"(?:BSD[ -]2[ -]Clause|2[ -]Clause[ -]BSD|Simplified BSD)",
    "BSD-3-Clause": r"(?:BSD[ -]3[ -]Clause|3[ -]Clause[ -]BSD|New BSD)",
    "ISC": r"ISC",
    "MPL-2.0": r"(?:MPL|Mozilla Public Licen[sc]e)[ ,-]*(?:Version )?v?2\.0",
    "OFL-1.1": r"(?:SIL )?(?:OFL|Open Font Licen[sc]e)[ ,-]*(?:Version )?v?1\.1",
    "CC-BY-4.0": r"CC[ -]BY[ -]4\.0",
    "CC0-1.0": r"CC0(?:[ -]1\.0)?",
    "Unlicense": r"Unlicense",
}
IDENTIFIERS = frozenset(_CALLED)
#: Where one is named as the licence, and not in passing: behind such a word in the same sentence, before "license", or alone
#: between bars.
_NAMED = {
    name: re.compile(
        rf"(?:licen[sc]e[ds]?|released|distributed|available)\b(?:[^|.\n]|\.(?=\d)){{0,60}}?(?<![\w.-]){called}(?![\w-])"
        rf"|(?<![\w./-]){called}[ ,-]*licen[sc]"
        rf"|(?:^|\||\s-\s|\()\s*{called}\s*(?:$|\||\))"
        rf"|(?:Icons|Fonts|Code): {called}(?![\w-])",
        re.IGNORECASE | re.MULTILINE,
    )
    for name, called in _CALLED.items()
}
#: Pages, and words, that say it.
_SAYS = (
    (
        "MIT",
        re.compile(r"opensource\.org/licenses/(?:MIT\b|mit-license)|(?:jquery\.org|lodash\.com|datatables\.net)/license\b"),
    ),
    ("MIT", re.compile(r"Permission is hereby granted, free of charge, to any person obtaining\s+a copy\s+of\s+this software")),
    ("Apache-2.0", re.compile(r"apache\.org/licenses/LICENSE-2\.0")),
    ("BSD-3-Clause", re.compile(r"opensource\.org/licenses/BSD-3-Clause")),
    ("MPL-2.0", re.compile(r"mozilla\.org/MPL/2\.0")),
)
#: Families of which it takes more than the word to know which licence is meant.
_FAMILY = re.compile(
    r"(?<![\w./-])(?:[AL]?GPL(?:v?\d[\d.]*)?|BSD|Apache|MPL|Mozilla Public|CC[ -]BY[\w-]*|Creative Commons|EPL|CDDL)\b"
)
_SPDX = re.compile(r"SPDX-License-Identifier:[ \t]*([\w.+() -]*[\w.+)])")
_TAGGED = re.compile(
    r"@licen[sc]e[ \t]+(\(?[A-Za-z0-9][\w.+-]*(?: (?:OR|AND|WITH) [\w.+-]+)*\)?)[ \t]*(?=$|@|\|)", re.MULTILINE
)

_VERSION = r"v?(?P<version>\d+\.\d+(?:\.\d+)*(?:[-+][0-9A-Za-z][0-9A-Za-z.+-]*)?)"
_NAME = r"(?P<name>@?[^\W_](?:[\w./+&'@-]| (?=[\w@&]))*?)"
_FIRST = re.compile(rf"{_NAME}(?:[^\S\n]+[^\w\s]+)??[ ,:-]+{_VERSION}(?=$|[ ]*[|(<,\[–—-]|[ ]+(?:by @|https?:|\*))")
_ONE_WORD = re.compile(r"(?P<name>@?[^\W_][\w./-]*)(?=$| - | \()")
_TAGS = re.compile(rf"@name[ ]+(?P<name>\S+)[ ]+@version[ ]+{_VERSION}(?= )")
_VERSION_LINE = re.compile(rf"^@?version\b[ :-]*{_VERSION}[ ]*$", re.IGNORECASE | re.MULTILINE)
_UNVERSIONED = re.compile(r"(?P<name>Lodash)(?: \(Custom Build\))? <https?://")


@dataclass(frozen=True, slots=True)
class Banner:
    """What a comment says of a library. licences: SPDX identifiers, or one expression, sorted. package: its name in npm, where
    that is certain, or "". offset: where the comment begins."""

    name: str
    version: str
    licences: tuple[str, ...]
    package: str
    offset: int


def banners(text: str, suffix: str) -> list[Banner]:
    """The libraries that a text of this kind (".css", ".js", …) has in it by its comments, in order."""
    found = []
    for offset, comment in _comments(text, suffix):
        banner = _banner(_plain(comment), offset)
        if banner is not None:
            found.append(banner)
    return found


# ---- comments

_LEADING = re.compile(r"\ufeff?\s*(?:@charset \"[^\"\n]*\";\s*)?(/\*[\s\S]*?\*/|//[^\n]*(?:\n[ \t]*//[^\n]*)*)")
#: What stands before the first statement is looked at, whatever it is; behind it, what is meant to stay when all else goes.
_MEANT = ("/*!", "@license", "@licence", "@preserve", "SPDX-License-Identifier")
#: A banner names its library in its first line, and is no book.
_LONGEST_LINE, _LONGEST = 200, 20_000


def _comments(text: str, suffix: str) -> Iterator[tuple[int, str]]:
    end = 0
    while leading := _LEADING.match(text, end):
        yield leading.start(1), leading[1]
        end = leading.end()
    if not any(word in text[end:] for word in _MEANT):
        return
    try:
        if suffix == ".css":
            spans = [(token.start, token.end) for token in css.tokens(text) if token.type == "comment" and token.start >= end]
        elif suffix in (".js", ".mjs", ".cjs"):
            lexed = js.scan(text, js.goal("x" + suffix))
            begins = [place for place in places(text, "/*") if place >= end and lexed.is_code(place)]
            spans = [(place, close + 2) for place in begins if (close := text.find("*/", place + 2)) >= 0]
        else:
            return  # Of other languages nothing tells for certain what a comment is.
    except LexError:
        return
    for start, close in spans:
        comment = text[start:close]
        if any(word in comment for word in _MEANT):
            yield start, comment


def _plain(comment: str) -> str:
    """The text of a comment: its lines without what frames them."""
    if comment.startswith("/*"):
        lines = comment[:_LONGEST].removeprefix("/*").removesuffix("*/").lstrip("*!").splitlines()
    else:
        lines = [line.strip().lstrip("/").lstrip("!") for line in comment[:_LONGEST].splitlines()]
    lines = [line.strip(" \t*=#~_-") for line in lines]
    return "\n".join(line for line in lines if line)


# ---- what they say


def _banner(text: str, offset: int) -> Banner | None:
    named = _identity(text)
    licences = _licences(text)
    if named is None or not licences:
        return None
    name, version = named
    if part := _PART.fullmatch(name):
        name = part[1]
    package = _PACKAGES.get(name.lower(), "")
    if re.fullmatch(r"@[a-z0-9~-][a-z0-9._~-]*/[a-z0-9~-][a-z0-9._~-]*", name):
        package = name  # Only npm has names of this form.
    return Banner(name, version, licences, package, offset)


def _identity(text: str) -> tuple[str, str] | None:
    """Name and version."""
    first = re.sub(r"^@(?:licen[sc]e|preserve)\s+", "", text)
    if tags := _TAGS.match(first[:_LONGEST_LINE]):
        return tags["name"], tags["version"]
    line = first.partition("\n")[0][:_LONGEST_LINE]
    if (whole := _FIRST.match(line)) and _is_name(whole["name"]):
        return whole["name"], whole["version"]
    if (word := _ONE_WORD.match(line)) and (version := _VERSION_LINE.search(first)) and word["name"].lower() not in _WORDS:
        return word["name"], version["version"]
    known = _UNVERSIONED.match(line)
    return (known["name"], "") if known else None


_WORDS = frozenset(("a", "an", "copyright", "file", "licence", "license", "mit", "the", "this", "version"))


def _is_name(name: str) -> bool:
    """Whether these words are a name and not the begin of a sentence."""
    words = name.split(" ")
    capital = all(re.search(r"[A-Z0-9.@]", word) for word in words)
    return words[0].lower() not in _WORDS and (len(words) == 1 or (len(words) <= 4 and capital))


def _licences(text: str) -> tuple[str, ...]:
    if declared := _SPDX.search(text) or _TAGGED.search(text):
        expression = declared[1].strip()
        if declared.re is _SPDX or expression in _CALLED or " " in expression:
            return (expression,)
    found = {name for name, expression in _NAMED.items() if expression.search(text)}
    found.update(name for name, expression in _SAYS if expression.search(text))
    rest = text
    for name in found:
        rest = re.sub(rf"(?:{_CALLED[name]})(?![\w-])", "", rest, flags=re.IGNORECASE)
    return () if _FAMILY.search(re.sub(r"https?://\S*", "", rest)) else tuple(sorted(found))
