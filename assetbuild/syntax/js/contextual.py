"""JavaScript's words that are operators in some places and names in others: `of`, `yield`, `await`."""

from __future__ import annotations

import re

from assetbuild.syntax.js.brackets import Brackets
from assetbuild.syntax.js.lookback import LookBack


class ContextualWords:
    """Tells by the statement or the function round a word what it is."""

    def __init__(self, look: LookBack, brackets: Brackets) -> None:
        self.look = look
        self.brackets = brackets
        self.text = look.text
        self.lexed = look.lexed
        self.async_walks: dict[int, tuple[int, int]] = {}

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
            if word in ("const", "let", "var", "using"):
                return flips
            if word != "of":
                return not flips
            flips = not flips
            start = end - 2

    def in_generator(self, position: int) -> bool:
        """Whether the nearest function round a place is a generator, in which `yield` is an operator."""
        opener = self.brackets.enclosing(position)
        while opener >= 0:
            if self.text[opener] == "{":
                header = self.function_header(opener)
                if header:
                    return "*" in header
            opener = self.brackets.parents[opener]
        return False

    def await_is_operator(self, position: int) -> bool:
        if self.lexed.module:
            self.lexed.goal_mattered = True
            return True
        opener = innermost = self.brackets.enclosing(position)
        while opener >= 0:
            if self.text[opener] == "{":
                header = self.function_header(opener)
                if header:
                    if "async" in header:
                        return True
                    break
            opener = self.brackets.parents[opener]
        # An async arrow without braces has no bracket of its own.
        upto, seen = self.async_walks.get(innermost, (max(innermost, 0), -1))
        seen = max(seen, self.text.rfind("async", upto, position))
        self.async_walks[innermost] = (max(position - 5, 0), seen)
        return seen >= 0

    def function_header(self, opener: int) -> str:
        """What is known of the function whose body this brace opens: "function", with "async" and "*" where it has them;
        "" where it opens no function's body."""
        end = self.look.token_end(opener)
        text = self.text
        header = ""
        if text[max(end - 2, 0) : end] == "=>":
            end = self.look.token_end(end - 2)
            if text[end - 1] == ")":
                start = self.brackets.opener_of(end - 1)
            else:
                start = end - len(re.search(r"[\w$]*\Z", text[max(end - 200, 0) : end]).group())  # type: ignore[union-attr]
            return "function async" if self.look.word_before(self.look.token_end(start)) == "async" else "function"
        if text[end - 1] != ")":
            return ""
        parenthesis = self.brackets.opener_of(end - 1)
        if self.look.heads_statement(parenthesis):
            return ""
        end = self.look.token_end(parenthesis)
        word = self.look.word_before(end)
        if word in ("switch", "catch"):
            return ""
        keyword = self.look.function_keyword(parenthesis)
        if keyword >= 0:
            header = text[keyword:end] if end - keyword < 200 else text[keyword : keyword + 200]
            star = "*" in header
            is_async = self.look.word_before(self.look.token_end(keyword)) == "async"
            return "function" + (" async" if is_async else "") + (" *" if star else "")
        # A method: its name, then what stands before the name.
        character = text[end - 1]
        if character == "]":
            start = self.brackets.opener_of(end - 1)
        elif character in "\"'":
            start = text.rfind(character, 0, end - 1)
        else:
            start = end - len(re.search(r"#?[\w$]*\Z", text[max(end - 200, 0) : end]).group())  # type: ignore[union-attr]
        end = self.look.token_end(start)
        star = end > 0 and text[end - 1] == "*"
        if star:
            end = self.look.token_end(end - 1)
        is_async = self.look.word_before(end) == "async"
        return "function" + (" async" if is_async else "") + (" *" if star else "")
