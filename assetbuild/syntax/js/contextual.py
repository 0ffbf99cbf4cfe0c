"""JavaScript's words that are operators in some places and names in others: `of`, `yield`, `await`."""

from __future__ import annotations

import re
from collections.abc import Callable

from assetbuild.syntax.js.brackets import Brackets
from assetbuild.syntax.js.grammar import NEWLINE
from assetbuild.syntax.js.lookback import LookBack


class ContextualWords:
    """Tells by the statement or the function round a word what it is."""

    def __init__(self, look: LookBack, brackets: Brackets, is_expression: Callable[[int], bool]) -> None:
        """is_expression: whether what a brace opens is an operand."""
        self.look = look
        self.brackets = brackets
        self.is_expression = is_expression
        self.text = look.text
        self.lexed = look.lexed
        self.async_walks: dict[int, tuple[int, int]] = {}
        # What was found out: of each bracket, the header of the nearest function round it.
        self.headers: dict[int, str] = {-1: ""}

    def of_is_operator(self, start: int) -> bool:
        """Whether this `of` is that of a for statement: what is before it ends a binding."""
        opener = self.brackets.enclosing(start)
        if opener < 0 or self.text[opener] != "(" or not self.look.heads_statement(opener):
            return False
        flips = False
        while True:
            end = self.look.token_end(start)
            character = self.text[end - 1]
            if character in ")]}":
                return not flips
            if not re.match(r"[\w$\u200c\u200d]|[^\x00-\x7f]", character):
                return flips
            word = self.look.word_before(end)
            if word in ("const", "var"):
                return flips
            if word in ("let", "using"):
                # `let` is a name behind `var`; `using of` begins no declaration here (14.7.5), `await using of` does.
                before = self.look.word_before(self.look.token_end(end - len(word)))
                return flips if before == "await" or (word == "let" and before != "var") else not flips
            if word != "of":
                return not flips
            flips = not flips
            start = end - 2

    def in_generator(self, position: int) -> bool:
        """Whether the nearest function round a place is a generator, in which `yield` is an operator."""
        return "*" in self.header_round(self.brackets.enclosing(position))

    def await_is_operator(self, position: int) -> bool:
        if self.lexed.module:
            self.unsure(position)
            return True
        innermost = self.brackets.enclosing(position)
        if "async" in self.header_round(innermost):
            return True
        # An async arrow without braces has no bracket of its own.
        upto, seen = self.async_walks.get(innermost, (max(innermost, 0), -1))
        seen = max(seen, self.text.rfind("async", upto, position))
        self.async_walks[innermost] = (max(position - 5, 0), seen)
        if seen < 0 and not self.header_round(innermost):
            self.unsure(position)
        return seen >= 0

    def unsure(self, position: int) -> None:
        if self.lexed.unsure < 0:
            self.lexed.unsure = position - len("await")

    def header_round(self, bracket: int) -> str:
        """function_header of the nearest function whose body a bracket opens or is in; "" outside of all."""
        passed = []
        header = ""
        while bracket not in self.headers:
            passed.append(bracket)
            if self.text[bracket] == "{" and (header := self.function_header(bracket)):
                break
            bracket = self.brackets.parents[bracket]
        else:
            header = self.headers[bracket]
        self.headers.update(dict.fromkeys(passed, header))
        return header

    def function_header(self, opener: int) -> str:
        """What is known of the function whose body this brace opens: "function", with "async" and "*" where it has them;
        "" where it opens no function's body."""
        look, text = self.look, self.text
        end = look.token_end(opener)
        if text[max(end - 2, 0) : end] == "=>":
            end = look.token_end(end - 2)
            start = self.brackets.opener_of(end - 1) if text[end - 1] == ")" else look.name_start(end)
            return "function" + self.async_before(start)
        if text[end - 1 : end] != ")":
            return ""
        parenthesis = self.brackets.opener_of(end - 1)
        keyword, star = look.function_head(parenthesis)
        if keyword >= 0:
            return "function" + self.async_before(keyword) + (" *" if star else "")
        if not self.holds_methods(self.brackets.parents[opener]):
            return ""
        # A method: its name, then what stands before the name.
        end = look.token_end(parenthesis)
        character = text[end - 1]
        if character == "]":
            start = self.brackets.opener_of(end - 1)
        elif character in "\"'":
            start = look.string_start(end)
        else:
            start = self.name_or_number(end)
        end = look.token_end(start)
        star = end > 0 and text[end - 1] == "*"
        if star:
            start = end - 1
        return "function" + self.async_before(start) + (" *" if star else "")

    def holds_methods(self, opener: int) -> bool:
        """Whether a bracket opens a class's body or an object literal."""
        if opener < 0 or self.text[opener] != "{":
            return False
        if opener in self.brackets.class_of:
            return True
        end = self.look.token_end(opener)
        return (end == 0 or self.text[end - 1] != ")") and self.is_expression(opener)

    def async_before(self, start: int) -> str:
        end = self.look.token_end(start)
        is_async = self.look.word_before(end) == "async" and not NEWLINE.search(self.text, end, start)
        return " async" if is_async else ""

    def name_or_number(self, end: int) -> int:
        """Where the name of a method begins that is neither a string nor computed."""
        text, look = self.text, self.look
        start = look.name_start(end)
        if text[start - 1] in "+-" and text[start - 2] in "eE":
            start = look.name_start(start - 1)
        if text[start - 1] == ".":
            start = look.name_start(start - 1)
        return start - 1 if text[start - 1] == "#" else start
