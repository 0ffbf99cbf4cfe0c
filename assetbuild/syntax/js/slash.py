"""What a slash in JavaScript means: the beginning of a regular expression, or a division (ECMAScript 2025, 12.1)."""

from __future__ import annotations

from bisect import bisect_right

from assetbuild.syntax import expression
from assetbuild.syntax.js.brackets import Brackets
from assetbuild.syntax.js.contextual import ContextualWords
from assetbuild.syntax.js.endings import Endings
from assetbuild.syntax.js.grammar import BLOCK_COMMENT, LINE_COMMENT, NEWLINE, STRING, TEMPLATE, ends_number
from assetbuild.syntax.js.lookback import ESCAPE_END, LookBack

_NEXT_COLON = expression(
    rf"""(?:[^'"`/()\[\]{{}}?:;]++|\?\.(?![0-9])|\?\?|{STRING}|{LINE_COMMENT}|{BLOCK_COMMENT}|{TEMPLATE}"""
    r"""|/(?![/*]))*+([()\[\]{}?:;]|\Z)"""
)
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


class Slashes:
    """Decides by what a token before the slash completes; behind a brace, by what the brace was opened for."""

    def __init__(self, look: LookBack) -> None:
        self.look = look
        self.brackets = Brackets(look)
        self.words = ContextualWords(look, self.brackets, self.brace_is_expression)
        self.endings = Endings(look, self.brackets, self.ends_operand)
        self.text = look.text
        self.lexed = look.lexed
        # What was decided.
        self.expressions: dict[int, bool] = {}
        self.colons: dict[int, bool] = {}
        self.colon_walks: dict[int, tuple[int, int]] = {}

    def begins_regexp(self, position: int) -> bool:
        end = self.look.token_end(position)
        if not self.ends_operand(end):
            return True
        return NEWLINE.search(self.text, end, position) is not None and self.endings.ends_statement(end)

    def ends_operand(self, end: int) -> bool:
        """Whether the token that ends here completes an operand, so that a slash behind it divides."""
        if end == 0:
            return False
        text = self.text
        character = text[end - 1]
        if character in "\"'`]":
            return True
        if character == ")":
            opener = self.brackets.parenthesis(end - 1)
            return not self.look.heads_statement(opener)
        if character == "}":
            if ESCAPE_END.search(text, max(end - 14, 0), end):
                return True
            return self.brace_is_expression(self.brackets.opener_of(end - 1))
        if character == "/":
            return self.look.hard_ending_at(end) == "regexp"
        if character in "+-":
            if not self.is_double(end):
                return False
            before = self.look.token_end(end - 2)
            if NEWLINE.search(text, before, end - 2) or (before and text[before - 1] in "+-"):
                return False
            return self.ends_operand(before)
        if character == ".":
            return ends_number(text, end)
        if character in "(,=:[!&|?{;*%^~<>@":
            return False
        if self.look.hard_ending_at(end) is not None:
            return True
        word = self.look.word_before(end)
        if word not in _BEFORE_REGEXP:
            return True
        if word == "of":
            return not self.words.of_is_operator(end - 2)
        if word == "yield":
            return not self.words.in_generator(end)
        if word == "await":
            return not self.words.await_is_operator(end)
        return False

    def is_double(self, end: int) -> bool:
        """Whether ++ or -- ends here, and not a + behind a ++."""
        text = self.text
        character = text[end - 1]
        start = end - 1
        while start and text[start - 1] == character:
            start -= 1
        return (end - start) % 2 == 0

    def brace_is_expression(self, opener: int) -> bool:
        """Whether what this brace opens is an operand: an object literal, or the body of a function or class expression."""
        # A property's brace is what the brace round it is: those are decided first, from the outside, however deep.
        waiting = []
        brace = opener
        while brace >= 0 and self.text[brace] == "{" and brace not in self.expressions:
            waiting.append(brace)
            brace = self.brackets.parents[brace]
        for brace in reversed(waiting):
            self.expressions[brace] = self.decide_brace(brace)
        return self.expressions[opener]

    def decide_brace(self, opener: int) -> bool:
        text = self.text
        if opener in self.brackets.class_of:
            return not self.begins_statement(self.brackets.class_of[opener], self.brackets.parents[opener])
        end = self.look.token_end(opener)
        if end == 0:
            return False
        character = text[end - 1]
        hard = self.look.hard_ending_at(end)
        if hard is not None:
            return hard in ("head", "middle")
        if character in ";{}]\"'`":
            return False
        if character == ")":
            keyword = self.look.function_keyword(self.brackets.opener_of(end - 1))
            return keyword >= 0 and not self.begins_statement(keyword, self.brackets.parents[opener])
        if character == ":":
            return self.colon_in_expression(end - 1, self.brackets.parents[opener])
        if character in "+-":
            return not self.is_double(end)
        if character in "(,=[!&|?*%^~</":
            return True
        if character == ">":
            return text[max(end - 2, 0) : end] != "=>"
        word = self.look.word_before(end)
        return self.operator_word(word, end, opener)

    def operator_word(self, word: str, end: int, following: int) -> bool:
        """Whether an operand must follow this word."""
        if word in ("return", "yield"):
            return not NEWLINE.search(self.text, end, following)
        if word == "of":
            return self.words.of_is_operator(end - 2)
        return word in _OPERATORS

    def begins_statement(self, start: int, parent: int) -> bool:
        """Whether the keyword `function` or `class` at this place begins a declaration."""
        text = self.text
        while True:
            end = self.look.token_end(start)
            if end == 0:
                return True
            character = text[end - 1]
            hard = self.look.hard_ending_at(end)
            if hard is not None:
                return hard not in ("head", "middle")
            if character in ";{})]\"'`":
                return True
            if character == ":":
                return not self.colon_in_expression(end - 1, parent)
            if character in "+-":
                return self.is_double(end)
            if character in "(,=[!&|?*%^~<>/.":
                return character == "." and ends_number(text, end)
            word = self.look.word_before(end)
            if word == "async" and not NEWLINE.search(text, end, start):
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
            if parent in self.brackets.class_of:
                return True
            end = self.look.token_end(parent)
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
                position = self.brackets.closers[stop] if lexed.kinds[index] in ("head", "middle") else lexed.ends[index]
                continue
            place = found.start(1)
            position = place + 1
            character = found.group(1)
            if character in "([{":
                closer = self.brackets.closers.get(place)
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
