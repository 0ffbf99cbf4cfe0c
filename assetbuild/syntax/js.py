"""JavaScript (ECMAScript 2025): where its comments, strings, templates and regular expressions are, and whether two texts
have the same tokens.

One compiled expression walks over everything that can be read without knowing its surroundings; only a slash and a
template substitution need them. Brackets are matched when a slash behind one asks, never before. Every loop moves
forward, so the time is linear in the text, and nothing recurses with its depth.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Literal, NamedTuple

from assetbuild.syntax import Difference, LexError

Kind = Literal["comment", "string", "template", "regexp"]
_Hard = Literal["regexp", "head", "middle", "tail", "html", "hashbang"]


class Span(NamedTuple):
    """A stretch that is no code: a comment, a string, a piece of a template with its delimiters (`a${ or }b${ or }c`), or
    a regular expression with its flags. start, end: characters from 0."""

    kind: Kind
    start: int
    end: int


# ECMAScript 2025, 12.2 White Space and 12.3 Line Terminators. Python's \s is another set.
_BLANK = " \t\v\f\xa0\ufeff\u1680\u2000-\u200a\u202f\u205f\u3000"
_BLANKS = " \t\v\f\xa0\ufeff\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
_END = "\n\r\u2028\u2029"
_SPACE = _BLANKS + _END
_LINE_COMMENT = rf"//[^{_END}]*+"
_BLOCK_COMMENT = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/"
_STRING = r""""[^"\\\n\r]*+(?:\\(?:\r\n|[\s\S])[^"\\\n\r]*+)*+"|'[^'\\\n\r]*+(?:\\(?:\r\n|[\s\S])[^'\\\n\r]*+)*+'"""
_TEMPLATE = r"`[^`\\$]*+(?:(?:\\[\s\S]|\$(?!\{))[^`\\$]*+)*+`"
_OPAQUE = rf"{_STRING}|{_LINE_COMMENT}|{_BLOCK_COMMENT}|{_TEMPLATE}"

_PLAIN = re.compile(rf"""(?:[^'"`/]++|{_OPAQUE})*+""")
_PLAIN_IN_BRACES = re.compile(rf"""(?:[^'"`/{{}}]++|{_OPAQUE})*+""")
_HTML = r"<(?!!--)|-(?!->)"
_PLAIN_HTML = re.compile(rf"""(?:[^'"`/<\-]++|{_HTML}|{_OPAQUE})*+""")
_PLAIN_HTML_IN_BRACES = re.compile(rf"""(?:[^'"`/{{}}<\-]++|{_HTML}|{_OPAQUE})*+""")
_TEMPLATE_CHARACTERS = re.compile(r"[^`\\$]*+(?:(?:\\[\s\S]|\$(?!\{))[^`\\$]*+)*+")
# 12.9.5: a class ends at its first bracket, with the v flag too; what nests there is for the pattern's own grammar.
_REGEXP = re.compile(
    rf"/(?:[^\\/\[{_END}]++|\\[^{_END}]|\[[^\]\\{_END}]*+(?:\\[^{_END}][^\]\\{_END}]*+)*+\])++/"
    r"(?:[\w$\u200c\u200d]++|\\u[0-9a-fA-F]{4})*+"
)
_REST_OF_LINE = re.compile(rf"[^{_END}]*+")

# From a place that is known to be code over whole strings and comments; slashes between two hard spans are divisions. A
# line comment counts only with its line end, so that a walk cut off inside one does not take the cut for its end.
_CODE = re.compile(rf"""(?:[^'"`/]++|{_STRING}|{_LINE_COMMENT}(?=[{_END}])|{_BLOCK_COMMENT}|{_TEMPLATE}|/(?![/*]))*+""")
_OPAQUE_AT = re.compile(_OPAQUE)
_NEXT_OPAQUE = re.compile(rf"""(?:[^'"`/]++|/(?![/*]))*+({_OPAQUE}|\Z)""")
_NEXT_COMMENT = re.compile(rf"""(?:[^'"`/]++|{_STRING}|{_TEMPLATE}|/(?![/*]))*+({_LINE_COMMENT}|{_BLOCK_COMMENT}|\Z)""")
_NEXT_BRACKET = re.compile(
    rf"""(?:[^'"`/()\[\]{{}}c]++|c(?!lass(?![\w$\\]))|(?<=[\w$\\#])c|{_OPAQUE}|/(?![/*]))*+(class|[()\[\]{{}}]|\Z)"""
)
_NEXT_COLON = re.compile(
    rf"""(?:[^'"`/()\[\]{{}}?:;]++|\?\.(?![0-9])|\?\?|{_STRING}|{_LINE_COMMENT}|{_BLOCK_COMMENT}|{_TEMPLATE}"""
    r"""|/(?![/*]))*+([()\[\]{}?:;]|\Z)"""
)

_WORD_END = re.compile(r"(?<![\w$\\\u200c\u200d])[a-z]{2,10}\Z")
_ESCAPE_END = re.compile(r"\\u\{[0-9a-fA-F]{1,8}\}\Z")
_NEWLINE = re.compile(rf"[{_END}]")
_OPERATORS = frozenset(
    (
        "await",
        "case",
        "default",
        "delete",
        "extends",
        "in",
        "instanceof",
        "new",
        "of",
        "throw",
        "typeof",
        "void",
    )
)
# A slash behind these words begins a regular expression; `of`, `yield` and `await` depend on where they stand.
_BEFORE_REGEXP = _OPERATORS | {
    "break",
    "continue",
    "debugger",
    "do",
    "else",
    "finally",
    "return",
    "try",
    "yield",
}
_RESTRICTED = frozenset(("break", "continue", "return", "yield", "debugger"))
_STATEMENT_HEADS = frozenset(("for", "if", "while", "with"))


class Lexed:
    """A text that was read: its hard spans (regular expressions, templates with substitutions, HTML-like comments, the
    hashbang); between two of them everything can be read without knowing its surroundings."""

    __slots__ = (
        "_comments",
        "_depth",
        "_known",
        "_opaque",
        "ends",
        "goal_mattered",
        "kinds",
        "module",
        "starts",
        "text",
    )

    def __init__(self, text: str, module: bool) -> None:
        self.text = text
        self.module = module
        self.goal_mattered = False
        self.kinds: list[_Hard] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self._known = 0
        self._opaque = (0, 0)
        self._depth = (0, 0, 0)
        self._comments: dict[int, int] | None = None

    def is_code(self, offset: int) -> bool:
        """Whether the offset is outside every comment, string, template text and regular expression; asked in rising
        order, all questions together take linear time."""
        if offset < self._known:
            self._known, self._opaque = 0, (0, 0)
        index = bisect_right(self.starts, offset) - 1
        begin = 0
        if index >= 0:
            begin = self.ends[index]
            if offset < begin:
                return False
        if self._opaque[0] < offset < self._opaque[1]:
            return False
        if begin <= self._known <= offset:
            begin = self._known
        found = _CODE.match(self.text, begin, offset)
        assert found is not None
        self._known = found.end()
        if self._known == offset:
            return True
        opaque = _OPAQUE_AT.match(self.text, self._known)
        self._opaque = opaque.span() if opaque else (0, 0)
        return False

    def is_property(self, offset: int) -> bool:
        """Whether a word is behind a dot, as in `a.import`, and no spread. The offset is in code, or the answer is idle."""
        text = self.text
        end = offset
        while True:
            start = end
            while end and text[end - 1] in _SPACE:
                end -= 1
            if end == 0:
                return False
            if text[end - 1] == "/":
                if self._comments is None:
                    self._comments = {stop: start for start, stop in self.comments()}
                end = self._comments.get(end, 0)
                continue
            if text[end - 1] != ".":
                return False
            line = text.rfind("//", max(text.rfind("\n", 0, end), 0), end) if "\n" in text[end:start] else -1
            if line >= 0 and not self.is_code(end - 1):
                return False
            return text[max(end - 3, 0) : end] != "..."

    def depth(self, offset: int) -> int:
        """How many brackets are open round an offset in code; asked in rising order, in linear time."""
        hard, position, depth = self._depth if self._depth[1] <= offset else (0, 0, 0)
        while True:
            stop = self.starts[hard] if hard < len(self.starts) else len(self.text)
            for found in _NEXT_BRACKET.finditer(self.text, position, min(stop, offset)):
                bracket = found.group(1)
                if bracket and bracket != "class":
                    depth += 1 if bracket in "([{" else -1
            if stop >= offset:
                break
            depth += {"head": 1, "tail": -1}.get(self.kinds[hard], 0)
            position = self.ends[hard]
            hard += 1
        self._depth = (hard, offset, depth)
        return depth

    def runs(self) -> Iterator[tuple[int, int]]:
        """The stretches between the hard spans."""
        position = 0
        for start, end in zip(self.starts, self.ends, strict=True):
            yield position, start
            position = end
        yield position, len(self.text)

    def spans(self) -> Iterator[Span]:
        """Every comment, string, template piece and regular expression, in order."""
        text = self.text
        hard: list[_Hard | None] = [*self.kinds, None]
        for kind, (start, end) in zip(hard, self.runs(), strict=True):
            # A stretch ends where a hard span begins, so nothing in it reaches beyond its end.
            for found in _NEXT_OPAQUE.finditer(text, start, end):
                first = found.start(1)
                if first == end:
                    break
                character = text[first]
                soft: Kind = "comment" if character == "/" else "template" if character == "`" else "string"
                yield Span(soft, first, found.end())
            if kind is not None:
                named: Kind = "comment"
                if kind == "regexp":
                    named = "regexp"
                elif kind in ("head", "middle", "tail"):
                    named = "template"
                index = bisect_right(self.starts, end) - 1
                yield Span(named, self.starts[index], self.ends[index])

    def comments(self) -> Iterator[tuple[int, int]]:
        """Start and end of every comment."""
        for span in self.spans():
            if span.kind == "comment":
                yield span.start, span.end

    def masked(self, mark: str) -> str:
        """The text with a stand-in for each hard span, which any tool that knows strings and brackets reads rightly:
        see STAND_INS. `mark` is a character that the text does not have."""
        if not self.starts:
            return self.text
        parts: list[str] = []
        position = 0
        text = self.text
        for kind, start, end in zip(self.kinds, self.starts, self.ends, strict=True):
            parts.append(text[position:start])
            before, after = STAND_INS[kind]
            if before:
                parts.append(before)
                parts.append(mark)
            parts.append(after)
            position = end
        parts.append(text[position:])
        return "".join(parts)

    def marked(self) -> list[tuple[_Hard, str]]:
        """Kind and text of the hard spans that have a mark in the masked text."""
        return [
            (kind, self.text[start:end])
            for kind, start, end in zip(self.kinds, self.starts, self.ends, strict=True)
            if STAND_INS[kind][0]
        ]

    def hashbang(self) -> str:
        """The first line where it is a hashbang comment, else an empty text."""
        return self.text[: self.ends[0]] if self.kinds and self.kinds[0] == "hashbang" else ""


# What stands before and behind the mark. A regular expression ends like a name, since what follows would become its flags;
# a template's pieces are brackets, so that a substitution is read as code. Comments leave a blank.
STAND_INS: dict[_Hard, tuple[str, str]] = {
    "regexp": ('"', '"_'),
    "head": ("`", "`("),
    "middle": (")`", "`("),
    "tail": (")`", "`"),
    "html": ("", " "),
    "hashbang": ("", ""),
}
_MARKS = "\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x7f"


def unused_mark(*texts: str) -> str:
    """A control character that none of the texts has, for Lexed.masked; "" where they have all of them."""
    for mark in _MARKS:
        if not any(mark in text for text in texts):
            return mark
    return ""


class _Scanner:
    """Reads one text with one goal."""

    def __init__(self, text: str, module: bool) -> None:
        self.text = text
        self.lexed = Lexed(text, module)
        self.html = not module and ("<!--" in text or "-->" in text)
        # The bracket walk: how far it came, what is open, and what it knows of what is closed.
        self.walked = 0
        self.next_hard = 0
        self.open: list[int] = [-1]
        self.heads: set[int] = set()
        self.parents: dict[int, int] = {}
        self.openers: dict[int, int] = {}
        self.closers: dict[int, int] = {}
        self.pending_classes: dict[int, list[int]] = {}
        self.class_of: dict[int, int] = {}
        self.position = 0
        self.divisions: list[int] = []
        # The comment walk.
        self.commented = 0
        self.comment_hard = 0
        self.comment_starts: list[int] = []
        self.comment_ends: list[int] = []
        # What was decided.
        self.expressions: dict[int, bool] = {}
        self.colons: dict[int, bool] = {}
        self.colon_walks: dict[int, tuple[int, int]] = {}
        self.async_walks: dict[int, tuple[int, int]] = {}

    def add(self, kind: _Hard, start: int, end: int) -> int:
        lexed = self.lexed
        lexed.kinds.append(kind)
        lexed.starts.append(start)
        lexed.ends.append(end)
        return end

    def scan(self) -> Lexed:
        text = self.text
        length = len(text)
        plain = _PLAIN_HTML if self.html else _PLAIN
        in_braces = _PLAIN_HTML_IN_BRACES if self.html else _PLAIN_IN_BRACES
        position = self.position = 0
        if text.startswith(("#!", "\ufeff#!")):
            line = _REST_OF_LINE.match(text)
            assert line is not None
            position = self.add("hashbang", 0, line.end())
        substitutions: list[int] = []  # how many braces are open in each template substitution
        heads: list[int] = []
        walk = plain
        while True:
            found = walk.match(text, position)
            assert found is not None
            position = self.position = found.end()
            if position == length:
                break
            character = text[position]
            if character == "/":
                following = text[position + 1 : position + 2]
                if following == "*":
                    raise LexError("this comment has no end", position)
                if self.slash_begins_regexp(position):
                    regexp = _REGEXP.match(text, position)
                    if regexp is None:
                        raise LexError("this regular expression has no end", position)
                    position = self.add("regexp", position, regexp.end())
                else:
                    self.divisions.append(position)
                    position += 1
            elif character == "{":
                substitutions[-1] += 1
                position += 1
            elif character == "`" or (character == "}" and substitutions[-1] == 0):
                first = character == "`"
                characters = _TEMPLATE_CHARACTERS.match(text, position + 1)
                assert characters is not None
                end = characters.end()
                if text.startswith("${", end):
                    if first:
                        substitutions.append(0)
                        heads.append(position)
                        walk = in_braces
                    position = self.add("head" if first else "middle", position, end + 2)
                elif end == length:
                    raise LexError("this template has no end", position if first else heads[-1])
                else:  # a backtick, and not in a template without substitutions: those are plain
                    position = self.add("tail", position, end + 1)
                    substitutions.pop()
                    heads.pop()
                    if not substitutions:
                        walk = plain
            elif character == "}":
                substitutions[-1] -= 1
                position += 1
            elif character == "<":
                position = self.html_comment(position)
            elif character == "-":
                before = self.token_end(position)
                if before == 0 or _NEWLINE.search(text, before, position):
                    position = self.html_comment(position)
                else:
                    position += 2
            else:
                raise LexError("this string has no end", position)
        if substitutions:
            raise LexError("this template has no end", heads[-1])
        return self.lexed

    def html_comment(self, position: int) -> int:
        line = _REST_OF_LINE.match(self.text, position)
        assert line is not None
        return self.add("html", position, line.end())

    # --- comments and tokens before a place -----------------------------------------------------------------------

    def comment_before(self, end: int) -> int:
        """The start of the comment that covers end - 1, or -1."""
        text = self.text
        lexed = self.lexed
        # Up to where the scan stands: a place between two tokens.
        while self.commented < self.position:
            stop = self.position
            if self.comment_hard < len(lexed.starts):
                stop = lexed.starts[self.comment_hard]
            for found in _NEXT_COMMENT.finditer(text, self.commented, stop):
                if found.start(1) == stop:
                    break
                self.comment_starts.append(found.start(1))
                self.comment_ends.append(found.end())
            self.commented = stop
            if self.comment_hard < len(lexed.starts):
                index = self.comment_hard
                if lexed.kinds[index] in ("html", "hashbang"):
                    self.comment_starts.append(lexed.starts[index])
                    self.comment_ends.append(lexed.ends[index])
                self.commented = lexed.ends[index]
                self.comment_hard += 1
        index = bisect_right(self.comment_starts, end - 1) - 1
        if index >= 0 and self.comment_ends[index] >= end:
            return self.comment_starts[index]
        return -1

    def token_end(self, position: int) -> int:
        """The end of the last token before a place; 0 where there is none."""
        text = self.text
        while True:
            end = position
            while True:
                low = max(end - 64, 0)
                stripped = text[low:end].rstrip(_SPACE)
                end = low + len(stripped)
                if stripped or not low:
                    break
            if end == 0:
                return 0
            comment = -1
            if text[end - 1] == "/":
                division = bisect_right(self.divisions, end - 1)
                if (division and self.divisions[division - 1] == end - 1) or self.hard_ending_at(end) == "regexp":
                    return end
                comment = self.comment_before(end)
            elif end != position and _NEWLINE.search(text, end, position):
                # The line may end in a comment. A long one is not searched, or it might be again and again.
                line = text.rfind("\n", max(end - 500, 0), end)
                if line < 0 or self.html or text.find("//", line, end) >= 0:
                    comment = self.comment_before(end)
            if comment < 0:
                return end
            position = comment

    def hard_ending_at(self, end: int) -> _Hard | None:
        index = bisect_right(self.lexed.starts, end - 1) - 1
        if index >= 0 and self.lexed.ends[index] == end:
            return self.lexed.kinds[index]
        return None

    def word_before(self, end: int) -> str:
        """The keyword-like word that ends at a place and is no property's name, or ""."""
        text = self.text
        found = _WORD_END.search(text, max(end - 12, 0), end)
        if found is None:
            return ""
        start = found.start()
        if start == end - 12 and start > 0 and re.match(r"[\w$\\\u200c\u200d]", text[start - 1]):
            return ""
        if start and text[start - 1] == "}" and _ESCAPE_END.search(text, max(start - 14, 0), start):
            return ""
        if start and text[start - 1] == "#":
            return ""
        before = self.token_end(start)
        if before and text[before - 1] == "." and text[max(before - 3, 0) : before] != "...":
            # `1.` ends in a dot that takes no property, but no word can follow it.
            return ""
        return found.group()

    # --- brackets ---------------------------------------------------------------------------------------------------

    def walk_brackets(self, target: int) -> None:
        """Matches all brackets before a place."""
        lexed = self.lexed
        text = self.text
        while self.walked < target:
            stop = target
            hard = self.next_hard < len(lexed.starts) and lexed.starts[self.next_hard] < target
            if hard:
                stop = lexed.starts[self.next_hard]
            open_, parents, openers, closers = self.open, self.parents, self.openers, self.closers
            for found in _NEXT_BRACKET.finditer(text, self.walked, stop):
                place = found.start(1)
                if place == stop:
                    break
                character = text[place]
                if character in _CLOSED_BY:
                    if self.pending_classes and character == "{" and open_[-1] in self.pending_classes:
                        self.class_body(place)
                    parents[place] = open_[-1]
                    open_.append(place)
                elif character == "c":
                    self.class_keyword(place)
                else:
                    start = open_.pop()
                    if start < 0 or _CLOSED_BY.get(text[start]) != character or start in self.heads:
                        raise LexError("this bracket closes nothing", place)
                    openers[place] = start
                    closers[start] = place
            self.walked = stop
            if not hard:
                break
            kind = lexed.kinds[self.next_hard]
            if kind == "head":
                self.push(stop)
            elif kind == "tail":
                self.pop(stop)
            elif kind == "middle":
                self.pop(stop)
                self.push(stop)
            self.walked = lexed.ends[self.next_hard]
            self.next_hard += 1

    def push(self, position: int) -> None:
        self.parents[position] = self.open[-1]
        self.open.append(position)
        self.heads.add(position)

    def pop(self, position: int) -> None:
        start = self.open.pop()
        if start not in self.heads:
            raise LexError("this bracket is not closed", max(start, 0))
        self.openers[position] = start
        self.closers[start] = position

    def class_keyword(self, position: int) -> None:
        before = self.token_end(position)
        is_name = before and self.text[before - 1] == "." and self.text[max(before - 3, 0) : before] != "..."
        if not is_name and _CLASS_HEAD.match(self.text, position):
            self.pending_classes.setdefault(self.open[-1], []).append(position)

    def class_body(self, position: int) -> None:
        """Whether this brace opens the body of the class whose head is being read, and not something in its heritage."""
        before = self.token_end(position)
        if self.word_before(before) == "extends":
            return
        closes = self.text[before - 1] == ")" and before - 1 in self.openers
        if closes and self.function_keyword(self.openers[before - 1]) >= 0:
            return
        waiting = self.pending_classes[self.open[-1]]
        self.class_of[position] = waiting.pop()
        if not waiting:
            del self.pending_classes[self.open[-1]]

    def opener_of(self, closer: int) -> int:
        """Where the bracket was opened that is closed at this place."""
        self.walk_brackets(closer + 1)
        opener = self.openers.get(closer)
        if opener is None:
            raise LexError("this bracket closes nothing", closer)
        return opener

    def parenthesis(self, closer: int) -> int:
        """opener_of for a round bracket; a short look back answers most questions without a walk."""
        text = self.text
        depth = 1
        start = closer
        low = max(closer - 1000, 0)
        for _ in range(40):
            inner = start
            start = text.rfind("(", low, inner)
            if start < 0:
                break
            depth += text.count(")", start, inner) - 1
            if depth == 0:
                if self.is_plain(start, closer):
                    return start
                break
        return self.opener_of(closer)

    def is_plain(self, start: int, end: int) -> bool:
        """Whether a stretch that ends in code is code from its first character: it reads as one, and began in no line
        comment. Quotes cannot deceive: each swaps code with one kind of string, so two readings that begin differently
        never end alike; escapes, templates and slashes that are no division could."""
        text = self.text
        if not _SIMPLE.fullmatch(text, start, end):
            return False
        slashes = text.count("/", start, end)
        if slashes and slashes != bisect_right(self.divisions, end) - bisect_right(self.divisions, start):
            return False
        if not _NEWLINE.search(text, start, end):
            return True
        line = max(text.rfind("\n", max(start - 500, 0), start), 0)
        return (line > 0 and "//" not in text[line:start]) and not self.html

    def enclosing(self, position: int) -> int:
        """The opening bracket round a place that the bracket walk has come to, or -1."""
        self.walk_brackets(position)
        return self.open[-1]

    # --- decisions --------------------------------------------------------------------------------------------------

    def slash_begins_regexp(self, position: int) -> bool:
        return not self.ends_operand(self.token_end(position))

    def ends_operand(self, end: int) -> bool:
        """Whether the token that ends here completes an operand, so that a slash behind it divides."""
        if end == 0:
            return False
        text = self.text
        character = text[end - 1]
        if character in "\"'`]":
            return True
        if character == ")":
            opener = self.parenthesis(end - 1)
            return not self.heads_statement(opener)
        if character == "}":
            if _ESCAPE_END.search(text, max(end - 14, 0), end):
                return True
            return self.brace_is_expression(self.opener_of(end - 1))
        if character == "/":
            return self.hard_ending_at(end) == "regexp"
        if character in "+-":
            if not self.is_double(end):
                return False
            before = self.token_end(end - 2)
            if _NEWLINE.search(text, before, end - 2) or (before and text[before - 1] in "+-"):
                return False
            return self.ends_operand(before)
        if character == ".":
            # `1.` is a number, `a1.` is not.
            return bool(_NUMBER_END.search(text, max(end - 40, 0), end))
        if character in "(,=:[!&|?{;*%^~<>@":
            return False
        if self.hard_ending_at(end) is not None:
            return True
        word = self.word_before(end)
        if word not in _BEFORE_REGEXP:
            return True
        if word == "of":
            return not self.of_is_operator(end - 2)
        if word == "yield":
            return not self.in_generator(end)
        if word == "await":
            return not self.await_is_operator(end)
        return False

    def is_double(self, end: int) -> bool:
        """Whether ++ or -- ends here, and not a + behind a ++."""
        text = self.text
        character = text[end - 1]
        start = end - 1
        while start and text[start - 1] == character:
            start -= 1
        return (end - start) % 2 == 0

    def heads_statement(self, opener: int) -> bool:
        """Whether a round bracket belongs to if, for, while or with: what follows it begins a statement."""
        end = self.token_end(opener)
        word = self.word_before(end)
        if word == "await":
            word = self.word_before(self.token_end(end - 5))
            return word == "for"
        return word in _STATEMENT_HEADS

    def of_is_operator(self, start: int) -> bool:
        """Whether this `of` is that of a for statement: what is before it ends a binding."""
        opener = self.enclosing(start)
        if opener < 0 or self.text[opener] != "(" or not self.heads_statement(opener):
            return False
        flips = False
        while True:
            end = self.token_end(start)
            character = self.text[end - 1]
            if character in ")]}":
                return not flips
            if not re.match(r"[\w$\u200c\u200d]|[^\x00-\x7f]", character):
                return flips
            word = self.word_before(end)
            if word in ("const", "let", "var", "using"):
                return flips
            if word != "of":
                return not flips
            flips = not flips
            start = end - 2

    def in_generator(self, position: int) -> bool:
        """Whether the nearest function round a place is a generator, in which `yield` is an operator."""
        opener = self.enclosing(position)
        while opener >= 0:
            if self.text[opener] == "{":
                header = self.function_header(opener)
                if header:
                    return "*" in header
            opener = self.parents[opener]
        return False

    def await_is_operator(self, position: int) -> bool:
        if self.lexed.module:
            self.lexed.goal_mattered = True
            return True
        opener = innermost = self.enclosing(position)
        while opener >= 0:
            if self.text[opener] == "{":
                header = self.function_header(opener)
                if header:
                    if "async" in header:
                        return True
                    break
            opener = self.parents[opener]
        # An async arrow without braces has no bracket of its own.
        upto, seen = self.async_walks.get(innermost, (max(innermost, 0), -1))
        seen = max(seen, self.text.rfind("async", upto, position))
        self.async_walks[innermost] = (max(position - 5, 0), seen)
        return seen >= 0

    def function_header(self, opener: int) -> str:
        """What is known of the function whose body this brace opens: "function", with "async" and "*" where it has them;
        "" where it opens no function's body."""
        end = self.token_end(opener)
        text = self.text
        header = ""
        if text[max(end - 2, 0) : end] == "=>":
            end = self.token_end(end - 2)
            if text[end - 1] == ")":
                start = self.opener_of(end - 1)
            else:
                start = end - len(re.search(r"[\w$]*\Z", text[max(end - 200, 0) : end]).group())  # type: ignore[union-attr]
            return "function async" if self.word_before(self.token_end(start)) == "async" else "function"
        if text[end - 1] != ")":
            return ""
        parenthesis = self.opener_of(end - 1)
        if self.heads_statement(parenthesis):
            return ""
        end = self.token_end(parenthesis)
        word = self.word_before(end)
        if word in ("switch", "catch"):
            return ""
        keyword = self.function_keyword(parenthesis)
        if keyword >= 0:
            header = text[keyword:end] if end - keyword < 200 else text[keyword : keyword + 200]
            star = "*" in header
            is_async = self.word_before(self.token_end(keyword)) == "async"
            return "function" + (" async" if is_async else "") + (" *" if star else "")
        # A method: its name, then what stands before the name.
        character = text[end - 1]
        if character == "]":
            start = self.opener_of(end - 1)
        elif character in "\"'":
            start = text.rfind(character, 0, end - 1)
        else:
            start = end - len(re.search(r"#?[\w$]*\Z", text[max(end - 200, 0) : end]).group())  # type: ignore[union-attr]
        end = self.token_end(start)
        star = end > 0 and text[end - 1] == "*"
        if star:
            end = self.token_end(end - 1)
        is_async = self.word_before(end) == "async"
        return "function" + (" async" if is_async else "") + (" *" if star else "")

    def function_keyword(self, parenthesis: int) -> int:
        """Where `function` stands whose parameters begin here, or -1."""
        end = self.token_end(parenthesis)
        text = self.text
        if self.word_before(end) == "function":
            return end - 8
        if end and text[end - 1] != "*":
            name = re.search(r"(?:[\w$\u200c\u200d\\]|[^\x00-\x7f])*\Z", text[max(end - 1000, 0) : end])
            assert name is not None
            if not name.group():
                return -1
            end = self.token_end(end - len(name.group()))
        if end and text[end - 1] == "*":
            end = self.token_end(end - 1)
        return end - 8 if self.word_before(end) == "function" else -1

    def brace_is_expression(self, opener: int) -> bool:
        """Whether what this brace opens is an operand: an object literal, or the body of a function or class expression."""
        known = self.expressions.get(opener)
        if known is None:
            known = self.expressions[opener] = self.decide_brace(opener)
        return known

    def decide_brace(self, opener: int) -> bool:
        text = self.text
        if opener in self.class_of:
            return not self.begins_statement(self.class_of[opener], self.parents[opener])
        end = self.token_end(opener)
        if end == 0:
            return False
        character = text[end - 1]
        hard = self.hard_ending_at(end)
        if hard is not None:
            return hard in ("head", "middle")
        if character in ";{}]\"'`":
            return False
        if character == ")":
            keyword = self.function_keyword(self.opener_of(end - 1))
            return keyword >= 0 and not self.begins_statement(keyword, self.parents[opener])
        if character == ":":
            return self.colon_in_expression(end - 1, self.parents[opener])
        if character in "+-":
            return not self.is_double(end)
        if character in "(,=[!&|?*%^~</":
            return True
        if character == ">":
            return text[max(end - 2, 0) : end] != "=>"
        word = self.word_before(end)
        return self.operator_word(word, end, opener)

    def operator_word(self, word: str, end: int, following: int) -> bool:
        """Whether an operand must follow this word."""
        if word in ("return", "yield"):
            return not _NEWLINE.search(self.text, end, following)
        if word == "of":
            return self.of_is_operator(end - 2)
        return word in _OPERATORS

    def begins_statement(self, start: int, parent: int) -> bool:
        """Whether the keyword `function` or `class` at this place begins a declaration."""
        text = self.text
        while True:
            end = self.token_end(start)
            if end == 0:
                return True
            character = text[end - 1]
            hard = self.hard_ending_at(end)
            if hard is not None:
                return hard not in ("head", "middle")
            if character in ";{})]\"'`":
                return True
            if character == ":":
                return not self.colon_in_expression(end - 1, parent)
            if character in "+-":
                return self.is_double(end)
            if character in "(,=[!&|?*%^~<>/.":
                return False
            word = self.word_before(end)
            if word == "async" and not _NEWLINE.search(text, end, start):
                start = end - 5
                continue
            if word == "default":
                return True
            return not self.operator_word(word, end, start)

    def colon_in_expression(self, colon: int, parent: int) -> bool:
        """Whether a colon belongs to a conditional or a property, and not to a label, `case` or `default`."""
        if parent >= 0:
            if self.text[parent] != "{":
                return True
            if parent in self.class_of:
                return True
            end = self.token_end(parent)
            is_body = end > 0 and self.text[end - 1] == ")"
            if not is_body and self.brace_is_expression(parent):
                return True
        known = self.colons.get(colon)
        if known is None:
            self.walk_colons(colon, parent)
            known = self.colons.get(colon, False)
        return known

    def walk_colons(self, target: int, parent: int) -> None:
        """Matches ? and : between a bracket and a place in it, over whole inner brackets."""
        text = self.text
        lexed = self.lexed
        position, questions = self.colon_walks.get(parent, (parent + 1, 0))
        if parent < 0 and position == 0 and lexed.kinds and lexed.kinds[0] == "hashbang":
            position = lexed.ends[0]
        while position <= target:
            index = bisect_right(lexed.starts, position - 1)
            stop = lexed.starts[index] if index < len(lexed.starts) else len(text)
            found = _NEXT_COLON.match(text, position, stop)
            if found is None or not found.group(1):
                if index >= len(lexed.starts):
                    break
                position = self.closers[stop] if lexed.kinds[index] in ("head", "middle") else lexed.ends[index]
                continue
            place = found.start(1)
            position = place + 1
            character = found.group(1)
            if character in "([{":
                closer = self.closers.get(place)
                if closer is None:
                    break
                position = closer + 1
            elif character == "?":
                questions += 1
            elif character == ";":
                questions = 0
            elif character == ":":
                self.colons[place] = questions > 0
                questions = max(questions - 1, 0)
        self.colon_walks[parent] = (position, questions)


_CLASS_HEAD = re.compile(rf"class(?:[{_BLANK}{_END}]++|{_LINE_COMMENT}|{_BLOCK_COMMENT})*+(?:[{{\w$\\]|[^\x00-\x7f])")
_SIMPLE = re.compile(r"""(?:[^"'`\\]++|"[^"\\()\n\r]*+"|'[^'\\()\n\r]*+')*+""")
_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}
_NUMBER_END = re.compile(r"(?<![\w$.\\])[0-9][0-9_]*\.\Z")


def scan(text: str, module: bool | None = None) -> Lexed:
    """Reads a script or a module; None: a module if it has static `import` or `export`, or `import.meta`.

    Raises LexError.
    """
    if module is not None:
        return _Scanner(text, module).scan()
    if "import" not in text and "export" not in text:
        return _Scanner(text, False).scan()
    try:
        lexed = _Scanner(text, True).scan()
    except LexError:
        return _Scanner(text, False).scan()
    if has_module_syntax(lexed):
        return lexed
    if lexed.goal_mattered or any(lexed.is_code(place) for place in places(text, "<!--", "-->")):
        return _Scanner(text, False).scan()
    lexed.module = False
    return lexed


def places(text: str, *words: str) -> list[int]:
    """Where any of the words occurs, in order."""
    places: list[int] = []
    for word in words:
        place = text.find(word)
        while place >= 0:
            places.append(place)
            place = text.find(word, place + 1)
    places.sort()
    return places


_TRIVIA = rf"(?:[{_BLANK}{_END}]++|{_LINE_COMMENT}|{_BLOCK_COMMENT})*+"
_MODULE_SYNTAX = re.compile(
    rf"import{_TRIVIA}(?:[\"'{{*]|(?:(?<![\w$])|(?<=import))(?!as\b)[\w$\\]|[^\x00-\x7f]|\.{_TRIVIA}meta(?![\w$]))"
    rf"|export{_TRIVIA}(?:[{{*]|(?:default|const|let|var|function|class|async)(?![\w$\\]))"
)
_MODULE_WORD = re.compile(r"(?<![\w$\\#])(?:im|ex)port(?![\w$\\:])")


def has_module_syntax(lexed: Lexed) -> bool:
    """Whether the text has static `import` or `export`, or `import.meta`."""
    text = lexed.text
    for start in places(text, "import", "export"):
        shaped = _MODULE_WORD.match(text, start) and _MODULE_SYNTAX.match(text, start)
        if shaped and lexed.is_code(start) and not lexed.is_property(start):
            return True
    return False


def is_module(text: str) -> bool:
    """Whether a text is a module: it has static `import` or `export`, or `import.meta`. Raises LexError."""
    return scan(text).module


# --- tokens -----------------------------------------------------------------------------------------------------------

_NAME = r"[^\x00-#%-/:-@\[-\^`{-\x7f\xa0\ufeff\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
# Comments without a line end; the others count as one.
_INLINE_COMMENT = rf"/\*[^*{_END}]*+(?:\*(?!/)[^*{_END}]*+)*+\*/"
# A line end before these ends no statement: nothing that begins with them can follow one, so that a semicolon is not
# inserted (12.10.1), and they are in no restricted production but as listed: => ++ -- are left out. A star is too: it
# begins a generator behind a class field.
_CONTINUES = r"[)\]},;?:<>&|^%]|\.(?![0-9])|=(?!>)|!=|[+\-]=|\*[*=]|/|\Z"
_TOKEN = re.compile(
    rf"(?:[{_BLANK}]++|{_LINE_COMMENT}|{_INLINE_COMMENT})*+"
    rf"(?:(?=[{_END}/])(?:[{_END}]|{_BLOCK_COMMENT}){_TRIVIA}(?={_CONTINUES}))?+"
    r"(?:("
    r"[()\[\]{};,:~]"
    r"|0[xXoObB]" + _NAME + r"*+"
    r"|[0-9][0-9_]*+\.?+[0-9_]*+(?:[eE][+\-]?+[0-9_]++)?+" + _NAME + r"*+"
    r"|\.[0-9][0-9_]*+(?:[eE][+\-]?+[0-9_]++)?+" + _NAME + r"*+"
    rf"|#?+(?:{_NAME}++|\\(?:u\{{[^}}]*+\}})?+)++"
    r"|\.(?:\.\.)?+"
    rf"|{_STRING}|{_TEMPLATE}"
    r"|=(?:==?+|>)?+|\+[+=]?+|-[\-=]?+|!(?:==?+)?+|&&?+=?+|\|\|?+=?+|\?(?:\.(?![0-9])|\?=?+)?+|\*\*?+=?+|<<?+=?+"
    rf"|>(?:>>?+)?+=?+|[%^]=?+|/(?![/*])=?+|[^{_BLANK}{_END}/]"
    r")"
    # Behind a token that ends no statement: the rest of the gap.
    rf"(?:(?<=[{{(\[;,=:?!~&|^%*<>/]){_TRIVIA}"
    rf"|(?:(?<=[^0-9_]\.)|(?<=[^+]\+)|(?<=[^\-]-)){_TRIVIA})?+"
    # A gap with a line end that may matter: an empty token.
    rf"|(?:[{_END}]|{_BLOCK_COMMENT}){_TRIVIA}|\Z)"
)
_LEADING = re.compile(_TRIVIA)


def _tokens(masked: str) -> list[str]:
    """The tokens of a masked text, with an empty one between two where a line end might matter."""
    if "\r" in masked:
        masked = masked.replace("\r\n", "\n").replace("\r", "\n")
    start = _LEADING.match(masked)
    assert start is not None
    tokens = _TOKEN.findall(masked, start.end())
    while tokens and not tokens[-1]:
        tokens.pop()
    return tokens


# The quick comparison joins everything between the gaps (blanks, comments, line ends) and drops the gaps in which nothing
# can merge and no line end can matter; equal results mean equal tokens. It may miss equal texts, never the reverse.
_INLINE = rf"(?:[{_BLANK}]++|{_INLINE_COMMENT})++"
_GAP = rf"(?:[{_BLANK}{_END}]++|{_LINE_COMMENT}|{_BLOCK_COMMENT})++"
_NO_NAME = r"""[!"#%-\-:-?\[\]\^`{|}~]"""
_PIECE = re.compile(
    rf"(?:(?=[{_BLANK}{_END}/])(?:"
    # The common ones first.
    r"[ \t]++(?=[()\[\]{};,:])"
    r"|(?<=[()\[\]{};,:=&|?])[ \t]++(?=[\w$\"'`(\[{!])"
    r"|(?<=[\w$])[ \t]++(?=[=+\-*<>&|?!\"'`])"
    r"|"
    rf"(?<=[{{(\[;,:~]){_GAP}"
    rf"|{_GAP}(?=[)\]}},;:]|\Z)"
    rf"|(?<=[=&|^%*>?!/]){_GAP}(?=[^=<>&|*/?.])"
    rf"|(?<=[\w$]){_INLINE}(?={_NO_NAME})"
    rf"|(?<=[)\]}}\"'`]){_INLINE}(?=[^{_END}/])"
    rf"|(?<=[A-Za-z$]){_INLINE}(?=\.)|(?<=\.\.\.){_GAP}(?=[^0-9.])|(?<=[^0-9_.]\.){_GAP}(?=[^0-9.])"
    rf"|(?<=[^+]\+){_GAP}(?=[^+=])|(?<=[^\-]-){_GAP}(?=[^\-=>])|(?<=<){_GAP}(?=[^=<>&|*/?.])"
    rf"|(?:(?<=\+\+)|(?<=--)){_INLINE}(?=[^+\-=>.{_END}/])"
    rf"|(?<=[\w$)\]}}\"'`]){_GAP}(?=[?<>&|^%]|=(?!>)|!=|[+\-]=|\*[*=]|/)"
    rf"|(?<=[A-Za-z$)\]}}\"'`]){_GAP}(?=\.(?![0-9]))|(?:(?<=[A-Za-z$][0-9])|(?<=[A-Za-z$][0-9][0-9])){_GAP}(?=\.(?![0-9]))"
    rf"|(?<=\+\+){_GAP}(?=[<>&|^%?*/]|==|!=)|(?<=--){_GAP}(?=[<>&|^%?*/]|==|!=)"
    rf"))?+"
    rf"(?:(?=[{_BLANK}/])(?:[{_BLANK}]++|{_INLINE_COMMENT}|{_LINE_COMMENT})++(?=[{_END}]|/\*))?+"
    # A comment that begins a gap stays as it is: then the texts differ here, and the slow comparison decides.
    rf"((?:[^{_BLANK}{_END}'\"`/]++|{_STRING}|{_TEMPLATE}|/(?![/*]))++|[{_BLANK}{_END}]|{_BLOCK_COMMENT}|\Z)"
    rf"(?:(?<=[{_BLANK}{_END}]){_TRIVIA})?+"
)
_SEPARATORS = dict.fromkeys(_BLANKS, " ") | dict.fromkeys(_END, "\n")


def _canonical(masked: str) -> str:
    start = _LEADING.match(masked)
    assert start is not None
    separator = _SEPARATORS.get
    return "".join([separator(piece, piece) for piece in _PIECE.findall(masked, start.end())])


def first_difference(source: str, output: str, module: bool | None = None) -> Difference | None:
    """Where two texts begin to differ in their tokens or in the line ends that could matter to automatic semicolon
    insertion (ECMAScript 2025, 12.10); None where they do not. White space, comments and other line ends do not count.

    Raises LexError for a source that does not lex; an output that does not is a difference at the place.
    """
    return difference(scan(source, module), output)


def difference(source: Lexed, output: str) -> Difference | None:
    """first_difference for a source that was read already."""
    try:
        other = scan(output, source.module)
    except LexError as error:
        return Difference((min(error.offset, len(source.text)), error.offset))
    if source.hashbang() != other.hashbang():
        return Difference((0, 0))
    mark = unused_mark(source.text, output)
    if not mark:
        return Difference((0, 0))
    masked_left = source.masked(mark)
    masked_right = other.masked(mark)
    hard_left = source.marked()
    hard_right = other.marked()
    if (
        hard_left == hard_right
        # A name can end in a brace where it has \u{61}.
        and "\\u{" not in masked_left
        and "\\u{" not in masked_right
        and _canonical(masked_left) == _canonical(masked_right)
    ):
        return None
    left = _tokens(masked_left)
    right = _tokens(masked_right)
    if left == right and hard_left == hard_right:
        return None
    return Difference(
        (
            _place(source, mark, left, right, hard_left, hard_right),
            _place(other, mark, right, left, hard_right, hard_left),
        )
    )


def _place(
    lexed: Lexed,
    mark: str,
    mine: list[str],
    other: list[str],
    hard_mine: list[tuple[_Hard, str]],
    hard_other: list[tuple[_Hard, str]],
) -> int:
    """The offset, in the text as written, of the first token or hard span that the other text has otherwise."""
    starts = [s for s, k in zip(lexed.starts, lexed.kinds, strict=True) if STAND_INS[k][0]]
    index = next((i for i, (a, b) in enumerate(zip(hard_mine, hard_other, strict=False)) if a != b), -1)
    by_hard = len(lexed.text)
    if index >= 0:
        by_hard = starts[index]
    if mine == other:
        return by_hard
    count = next((i for i, (a, b) in enumerate(zip(mine, other, strict=False)) if a != b), min(len(mine), len(other)))
    return min(by_hard, _token_offset(lexed, mark, count))


def _token_offset(lexed: Lexed, mark: str, count: int) -> int:
    masked = lexed.masked(mark)
    normal = masked.replace("\r\n", " \n").replace("\r", "\n")
    leading = _LEADING.match(normal)
    assert leading is not None
    offset = len(normal)
    for number, found in enumerate(_TOKEN.finditer(normal, leading.end())):
        if number == count:
            offset = found.start(1)
            if offset < 0:
                gap = _NEWLINE.search(normal, found.start())
                offset = gap.start() if gap else found.start()
            break
    # From the masked text back to the text: the growth of every stand-in before the place.
    shift = 0
    for kind, start, end in zip(lexed.kinds, lexed.starts, lexed.ends, strict=True):
        before, after = STAND_INS[kind]
        size = len(before) + len(after) + (1 if before else 0)
        if start - shift >= offset:
            break
        if start - shift + size > offset:
            return start
        shift += (end - start) - size
    return min(offset + shift, len(lexed.text))


def guarded(masked: str, guard: str) -> str:
    """A masked text in which comments are gone but for those that begin with /*!, line ends that may matter and blanks that
    part two tokens have a guard behind them (a character that counts as a name's and that the text does not have), and
    other gaps are closed or one blank."""
    normal = masked.replace("\r\n", "\n").replace("\r", "\n")
    parts: list[str] = []
    position = 0
    fresh = True
    for found in _TOKEN.finditer(normal):
        token = found.group(1)
        if not token:
            parts += [comment for comment in _BANG.findall(found.group()) if comment]
            if not fresh and found.end() < len(normal):
                parts.append("\n" + guard)
            fresh = True
            position = found.end()
            continue
        start, end = found.span(1)
        gap = normal[position:start]
        if "/*!" in gap:
            parts += [comment for comment in _BANG.findall(gap) if comment]
        if gap and not fresh and _MERGES.match(normal[position - 1] + token[:1]):
            parts.append(" " + guard)
        elif gap and not fresh:
            parts.append(" ")
        parts.append(token)
        fresh = False
        position = end
    return "".join(parts)


_BANG = re.compile(rf"{_LINE_COMMENT}|(/\*![^*]*+(?:\*(?!/)[^*]*+)*+\*/)|{_BLOCK_COMMENT}")
# What rjsmin would join, or part from what it needs: a number and a dot, a slash and a regular expression, <!-- and -->.
_MERGES = re.compile(r"[0-9_]\.|/\"|<!|->")
