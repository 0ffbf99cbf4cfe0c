"""Django's templates, by a small lexer of ours: Django need not be installed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assetbuild.templates import Named

# As django.template.base.tag_re: a tag ends in the line that it begins in.
_DJANGO_TAG = re.compile(r"\{%(.*?)%\}|\{\{.*?\}\}|\{#.*?#\}")
_DJANGO_MARK = re.compile(r"\{%\s*(?:load|static|asset|asset_tag|asset_integrity)\s")
_DJANGO_NAMING = re.compile(
    r"\s*(?:static|asset|asset_tag|asset_integrity)\s+"
    r"""(?:(?P<literal>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(?=\s|\Z)|(?P<dynamic>\S))"""
)


def is_django(text: str) -> bool:
    return _DJANGO_MARK.search(text) is not None


def named(text: str) -> Iterator[Named]:
    until = ""
    for tag in _DJANGO_TAG.finditer(text):
        if tag[1] is None:
            continue
        content = tag[1].strip()
        word = content.partition(" ")[0]
        if until:
            if content == until or (until == "endcomment" and word == until):
                until = ""
        elif word == "comment":
            until = "endcomment"
        elif word == "verbatim":
            until = f"end{content}"
        elif naming := _DJANGO_NAMING.match(tag[1]):
            literal = naming["literal"]
            # A folder is what a script puts names behind.
            if literal is None or literal[1:-1].endswith("/"):
                yield Named(None, 0)
            else:
                quote = literal[0]
                path = literal[1:-1].replace("\\" + quote, quote).replace("\\\\", "\\")
                yield Named(path, tag.start(1) + naming.start("literal") + 1)
