"""JavaScript read backward: what stands before a place, over blanks and comments."""

from __future__ import annotations

import re
from bisect import bisect_right

from assetbuild.syntax import expression
from assetbuild.syntax.js.grammar import (
    BLANKS,
    LINE_END,
    NAME_CHARACTER,
    NEWLINE,
    SPACE,
    takes_property,
)
from assetbuild.syntax.js.spans import NEXT_COMMENT, Hard, Lexed

_WORD_END = expression(rf"(?<!{NAME_CHARACTER})(?<!\\)[a-z]{{2,10}}\Z")
ESCAPE_END = expression(r"\\u\{[0-9a-fA-F]{1,8}\}\Z")
_NAME_RUN = expression(rf"{NAME_CHARACTER}*+")
_STATEMENT_HEADS = frozenset(("for", "if", "while", "with"))


class LookBack:
    """Looks back from a place between two tokens.

    position: how far the scan came; divisions: the slashes that it found to divide, in order. html: whether `<!--` and `-->`
    begin comments (ECMAScript 2025, B.1.1).
    """

    def __init__(self, lexed: Lexed, html: bool) -> None:
        self.text = lexed.text
        self.lexed = lexed
        self.html = html
        # Told by the scan.
        self.position = 0
        self.divisions: list[int] = []
        # The comment walk.
        self.commented = 0
        self.comment_hard = 0
        self.comment_starts: list[int] = []
        self.comment_ends: list[int] = []

    def comment_before(self, end: int) -> int:
        """The start of the comment that covers end - 1, or -1."""
        text = self.text
        lexed = self.lexed
        # Up to where the scan stands: a place between two tokens.
        while self.commented < self.position:
            stop = self.position
            if self.comment_hard < len(lexed.starts):
                stop = lexed.starts[self.comment_hard]
            for found in NEXT_COMMENT.finditer(text, self.commented, stop):
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
                stripped = text[low:end].rstrip(SPACE)
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
            elif end != position and NEWLINE.search(text, end, position):
                # The line may end in a comment. A long one is not searched, or it might be again and again.
                line = text.rfind("\n", max(end - 500, 0), end)
                if line < 0 or self.html or text.find("//", line, end) >= 0:
                    comment = self.comment_before(end)
            if comment < 0:
                return end
            position = comment

    def hard_ending_at(self, end: int) -> Hard | None:
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
        if start and text[start - 1] == "}" and ESCAPE_END.search(text, max(start - 14, 0), start):
            return ""
        if start and text[start - 1] == "#":
            return ""
        return "" if takes_property(text, self.token_end(start)) else found.group()

    def name_start(self, end: int) -> int:
        """Where the name begins that ends at a place; the place itself where none does."""
        text = self.text
        while end:
            low = max(end - 64, 0)
            run = _NAME_RUN.match(text[low:end][::-1])
            assert run is not None
            end -= run.end()
            if end == low and run.end():
                continue
            if end and text[end - 1] == "\\":
                end -= 1
                continue
            escape = ESCAPE_END.search(text, max(end - 14, 0), end) if end and text[end - 1] == "}" else None
            if escape is None:
                break
            end = escape.start()
        return end

    def string_start(self, end: int) -> int:
        """Where the string begins whose closing quote is before a place. A quote inside it has a backslash before it; one that
        begins a string has none, since no code ends in one."""
        text = self.text
        quote = text[end - 1]
        start = text.rfind(quote, 0, end - 1)
        while start > 0 and text[start - 1] == "\\":
            start = text.rfind(quote, 0, start)
        return max(start, 0)

    def function_keyword(self, parenthesis: int) -> int:
        """Where `function` stands whose parameters begin here, or -1."""
        return self.function_head(parenthesis)[0]

    def function_head(self, parenthesis: int) -> tuple[int, bool]:
        """function_keyword, and whether a star makes it a generator."""
        end = self.token_end(parenthesis)
        text = self.text
        star = False
        if self.word_before(end) != "function":
            start = self.name_start(end)
            if start != end:
                end = self.token_end(start)
            star = end > 0 and text[end - 1] == "*"
            if star:
                end = self.token_end(end - 1)
            if self.word_before(end) != "function":
                return -1, False
        return end - 8, star

    def begins_line(self, position: int) -> bool:
        """Whether nothing but blanks and comments stands on the line before a place; a comment over a line end begins one."""
        text = self.text
        end = position
        while True:
            while end and text[end - 1] in BLANKS:
                end -= 1
            if end == 0 or text[end - 1] in LINE_END:
                return True
            division = bisect_right(self.divisions, end - 1)
            if text[end - 1] != "/" or (division and self.divisions[division - 1] == end - 1):
                return False
            comment = -1 if self.hard_ending_at(end) == "regexp" else self.comment_before(end)
            if comment < 0:
                return False
            if NEWLINE.search(text, comment, end):
                return True
            end = comment

    def heads_statement(self, opener: int) -> bool:
        """Whether a round bracket belongs to if, for, while or with: what follows it begins a statement."""
        end = self.token_end(opener)
        word = self.word_before(end)
        if word == "await":
            word = self.word_before(self.token_end(end - 5))
            return word == "for"
        return word in _STATEMENT_HEADS
