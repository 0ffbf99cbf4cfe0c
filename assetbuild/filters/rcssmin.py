"""rcssmin, and the proof that it changed nothing: what it makes of a style sheet is taken only where its tokens are those of
the source. What it is known to get wrong is first put out of its reach and put back afterwards; the proof is always about the
final text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from assetbuild.filters import Filtered, FilterUnavailableError, Unit
from assetbuild.references import Note
from assetbuild.syntax import LexError, css, expression
from assetbuild.syntax.css import comparison

# Goes up when the same rcssmin would lead to another text here.
_REVISION = "2"

# The value of a custom property that is blank: rcssmin makes it empty, which is not the same for every browser.
_BLANK_VALUE = expression(r":[ \t\r\n\f]++(?=[;}])")
_URL_AND_BEYOND = expression(r"[uU][rR][lL][^\x00-\x7f]")
_PRIVATE_USE = range(0xE000, 0xF900)


def _load() -> tuple[Callable[..., str], str]:
    try:
        import rcssmin
    except ImportError:
        raise FilterUnavailableError('rcssmin needs the build extra: pip install "assetbuild[build]"') from None
    return rcssmin.cssmin, rcssmin.__version__


class RCSSMin:
    """The filter `rcssmin`: blanks, comments and idle semicolons go, `/*! … */` stays. A style sheet of which no such text
    can be proved to mean the same is handed back as it was, with a note."""

    name = "rcssmin"
    keeps_meaning = True
    pure = True

    def __init__(self) -> None:
        self._minify, self._version = _load()

    def identity(self) -> tuple[str, ...]:
        """The C and the Python build of one version make different texts, so the build is told apart."""
        build = "python" if hasattr(self._minify, "__code__") else "c"
        return ("rcssmin", self._version, build, _REVISION)

    def apply(self, text: str, unit: Unit) -> Filtered:  # noqa: ARG002
        # rcssmin looks for the end of every comment anew, which takes quadratic time where there is none.
        if text.rfind("/*") > text.rfind("*/") and (mistake := _mistake(text)):
            return Filtered(text, notes=(mistake,), refused=True)
        mark = next((chr(code) for code in _PRIVATE_USE if chr(code) not in text), None)
        if mark is None:
            return _refused(text, 0)
        head = "\ufeff" if text.startswith("\ufeff") else ""
        try:
            minified = head + self._minified(text[len(head) :], mark)
        except UnicodeError:  # It takes the first byte of a character behind "url" for a whole one.
            beyond = _URL_AND_BEYOND.search(text)
            return _refused(text, beyond.start() if beyond else 0)
        if comparison.first_difference(text, minified) is None:
            return Filtered(minified)
        minified = head + self._minified_with_care(text, mark)
        difference = comparison.first_difference(text, minified)
        return Filtered(minified) if difference is None else _refused(text, difference.left)

    def _minified(self, text: str, mark: str) -> str:
        guarded = _BLANK_VALUE.sub(f":{mark}", text)
        minified: str = self._minify(guarded, keep_bang_comments=True)
        minified = minified.replace(f":{mark}", ": ")
        # The semicolon at the very end may be that of a statement (`@layer a, b;`).
        if text.rstrip(" \t\r\n\f").endswith(";") and not minified.endswith(";"):
            minified += ";"
        return minified

    def _minified_with_care(self, text: str, mark: str) -> str:
        strings: list[str] = []
        guarded = "".join(_guarded(text, mark, strings))
        minified: str = self._minify(f"{guarded}{mark}{{}}", keep_bang_comments=True)

        def restored(match: re.Match[str]) -> str:
            if match[1]:
                return strings[int(match[1])]
            return " " if match[2] else ""

        minified = minified.removesuffix(f"{mark}{{}}").removesuffix(f"{mark} {{}}")
        return re.sub(rf'"{mark}([0-9]+)"|{mark}(_)?', restored, minified)


def _mistake(text: str) -> Note | None:
    try:
        css.check(text)
    except LexError as error:
        return Note(error.offset, f"{error.message}; published as it was written")
    return None


def _refused(text: str, offset: int) -> Filtered:
    note = _mistake(text) or Note(offset, "rcssmin would change the meaning here; published as it was written")
    return Filtered(text, notes=(note,), refused=True)


def _guarded(text: str, mark: str, strings: list[str]) -> Iterator[str]:
    """The text with strings replaced by names, blank values filled, blanks before a colon held in place in selectors, blanks
    beside a colon and semicolons in the values of custom properties, and comments that stand without a blank between two
    tokens taken out."""
    found = [token for token in css.tokens(text) if token.type != "comment" or not _is_idle(text, token)]
    preludes = _in_preludes(found)
    custom = _in_custom_values(text, found)
    for index, token in enumerate(found):
        follower = found[index + 1].type if index + 1 < len(found) else ""
        if token.type == "string":
            strings.append(text[token.start : token.end])
            yield f'"{mark}{len(strings) - 1}"'
            continue
        if token.type == "whitespace" and index - 1 in custom and found[index - 1].type == "colon":
            yield mark
        yield text[token.start : token.end]
        if token.type == "whitespace" and index:
            before = found[index - 1].type
            if before == "colon" and follower in ("semicolon", "}"):
                yield f"{mark}_"
            elif follower == "colon" and (index in preludes or index in custom):
                yield mark
        elif token.type == "semicolon" and index in custom:
            yield mark


def _is_idle(text: str, comment: css.Token) -> bool:
    """Whether a comment stands between two tokens that stay two tokens without it, and has no blank beside it."""
    if text.startswith("!", comment.start + 2) or not 0 < comment.start <= comment.end < len(text):
        return False
    before, after = text[comment.start - 1], text[comment.end]
    return before not in " \t\r\n\f/" and (after in "#&:" or (after == "." and not text[comment.end + 1 :][:1].isdigit()))


def _in_preludes(found: list[css.Token]) -> set[int]:
    """The numbers of the tokens that stand before a `{`, back to the last brace or semicolon."""
    numbers: set[int] = set()
    start = 0
    for number, token in enumerate(found):
        if token.type == "{":
            numbers.update(range(start, number))
        if token.type in ("{", "}", "semicolon"):
            start = number + 1
    return numbers


def _in_custom_values(text: str, found: list[css.Token]) -> set[int]:
    """The numbers of the tokens in the values of custom properties."""
    numbers: set[int] = set()
    expected = "name"  # then "colon", "end" of the value, or none: another declaration or rule
    depth = 0
    for number, token in enumerate(found):
        if expected == "end":
            if depth == 0 and token.type in ("semicolon", "}"):
                expected = "name"
                continue
            numbers.add(number)
            if token.type in ("{", "(", "[", "function"):
                depth += 1
            elif token.type in ("}", ")", "]"):
                depth = max(depth - 1, 0)
        elif token.type in ("semicolon", "{", "}"):
            expected = "name"
        elif token.type not in ("whitespace", "comment"):
            if expected == "colon" and token.type == "colon":
                expected, depth = "end", 0
            else:
                is_name = expected == "name" and token.type == "ident" and text.startswith("--", token.start)
                expected = "colon" if is_name else ""
    return numbers
