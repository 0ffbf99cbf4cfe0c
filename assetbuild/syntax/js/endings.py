"""Statements of JavaScript that a division cannot go on with: where a line end stands between such a one and a slash, a
semicolon is inserted, and the slash begins a regular expression (ECMAScript 2025, 12.10)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from assetbuild.syntax import expression
from assetbuild.syntax.js.brackets import Brackets
from assetbuild.syntax.js.grammar import (
    BLANK,
    BLOCK_COMMENT,
    INLINE_COMMENT,
    LINE_COMMENT,
    LINE_END,
    NAME_CHARACTER,
    NEWLINE,
    STRING,
    TEMPLATE,
    TRIVIA,
    takes_property,
)
from assetbuild.syntax.js.lookback import LookBack

_WORD = rf"(?:var|const|let|using)(?!{NAME_CHARACTER}|\\)"
# Outside a list of bindings to the next word that may begin one, or bracket; in a list to whatever may end it, too.
_OUTSIDE = expression(
    rf"""(?:[^'"`/()\[\]{{}}\w$\\\x80-\U0010ffff]++|(?!{_WORD})(?:{NAME_CHARACTER}|\\)++|[{BLANK}{LINE_END}]++"""
    rf"""|{STRING}|{LINE_COMMENT}|{BLOCK_COMMENT}|{TEMPLATE}|/(?![/*]))*+({_WORD}|[()\[\]{{}}]|\Z)"""
)
_INSIDE = expression(
    rf"""(?:[^'"`/()\[\]{{}},;\w$\\\n\r\x80-\U0010ffff]++|(?!{_WORD})(?:{NAME_CHARACTER}|\\)++|[{BLANK}]++"""
    rf"""|{STRING}|{LINE_COMMENT}|{INLINE_COMMENT}|{TEMPLATE}|/(?![/*]))*+({_WORD}|[()\[\]{{}},;{LINE_END}]|/\*|\Z)"""
)
_GAP = expression(TRIVIA)
_BINDING = expression(rf"(?!(?:in|instanceof)(?!{NAME_CHARACTER}|\\))(?:{NAME_CHARACTER}|\\|[\[{{])")
# What a line that goes on with the one before cannot begin with.
_FRESH = expression(rf"(?!(?:in|instanceof)(?!{NAME_CHARACTER}|\\))(?:{NAME_CHARACTER}|[\\'\"{{~@#]|\+\+|--|!(?!=)|\.[0-9])")


class Endings:
    """Tells by what stands before a name or a string whether it ends its statement."""

    def __init__(self, look: LookBack, brackets: Brackets, ends_operand: Callable[[int], bool]) -> None:
        self.look = look
        self.brackets = brackets
        self.ends_operand = ends_operand
        self.text = look.text
        self.lexed = look.lexed
        # Of each comma that was come by: whether it parts the bindings of a declaration.
        self.commas: dict[int, bool] = {}
        self.walks: dict[int, tuple[int, bool]] = {}

    def ends_statement(self, end: int) -> bool:
        """Whether an operand that ends here, at the end of a line, is a label, a binding without a value or a module's name,
        so that it does not take a division."""
        text, look = self.text, self.look
        if text[end - 1] in "\"'":
            return self.names_module(look.string_start(end))
        if text[end - 1] in ")]`" or look.hard_ending_at(end) is not None:
            return False
        start = look.name_start(end)
        if start == end or text[start] in "0123456789":
            return False
        before = look.token_end(start)
        if before and text[before - 1] == ",":
            return self.parts_bindings(before - 1)
        word = look.word_before(before)
        if word in ("break", "continue"):
            return not NEWLINE.search(text, before, start)
        return word in ("var", "const", "let", "using") and self.declares(before - len(word), before, start)

    def declares(self, start: int, end: int, following: int) -> bool:
        """Whether a word that may begin a declaration does, where a binding may follow it."""
        text, look = self.text, self.look
        if text[start:end] in ("var", "const"):
            return True
        apart = NEWLINE.search(text, end, following) is not None
        if text[start:end] == "using":
            return not apart and text[following] not in "[{"
        if not apart:
            return True
        # As a name it would end its own statement; it can only be one where no declaration may stand.
        before = look.token_end(start)
        if not before or text[before - 1] in ";{}:":
            return True
        if text[before - 1] == ")":
            opener = self.brackets.opener_of(before - 1)
            if look.heads_statement(opener):
                # The end of `do … while (…)` more likely than a loop over the value of a name.
                return look.word_before(look.token_end(opener)) == "while"
        if look.word_before(before) == "export":
            return True
        return NEWLINE.search(text, before, start) is not None and self.ends_operand(before)

    def names_module(self, start: int) -> bool:
        """Whether the string that begins here is what an import or export declaration names."""
        text, look = self.text, self.look
        end = look.token_end(start)
        word = look.word_before(end)
        if word != "from" or not NEWLINE.search(text, end, start):
            # Without a line end between, no other `from` has a string behind it.
            return word in ("import", "from")
        end = look.token_end(end - 4)
        character = text[end - 1 : end]
        if character == "}":
            return self.begins_clause(self.brackets.opener_of(end - 1))
        if character == "*":
            return look.word_before(look.token_end(end - 1)) == "export"
        start = look.string_start(end) if character and character in "\"'" else look.name_start(end)
        if start == end:
            return False
        before = look.token_end(start)
        word = look.word_before(before)
        if word == "as":
            star = look.token_end(before - 2)
            return text[star - 1 : star] == "*" and self.begins_clause(star - 1)
        if word in ("defer", "source"):
            return look.word_before(look.token_end(before - len(word))) == "import"
        return word == "import"

    def begins_clause(self, start: int) -> bool:
        """Whether the brace or star here stands behind `import`, `export` or a default import's comma."""
        look = self.look
        before = look.token_end(start)
        if before and self.text[before - 1] == ",":
            name = look.token_end(before - 1)
            return look.word_before(look.token_end(look.name_start(name))) == "import"
        word = look.word_before(before)
        if word == "defer":
            word = look.word_before(look.token_end(before - 5))
        return word in ("import", "export")

    def parts_bindings(self, comma: int) -> bool:
        """Whether a comma parts the bindings of a declaration, and not the operands of an expression."""
        parent = self.brackets.enclosing(comma)
        if parent >= 0 and self.text[parent] != "{":
            return False  # The head of a `for` ends with no line.
        if comma not in self.commas:
            self.walk_lists(comma, parent)
        return self.commas.get(comma, False)

    def walk_lists(self, target: int, parent: int) -> None:
        """Goes over the statements between a bracket and a place in it, over whole inner brackets."""
        text, lexed = self.text, self.lexed
        position, inside = self.walks.get(parent, (parent + 1, False))
        while position <= target:
            index = bisect_right(lexed.starts, position - 1)
            hard = lexed.starts[index] if index < len(lexed.starts) else len(text)
            stop = min(hard, target + 1)
            found = (_INSIDE if inside else _OUTSIDE).match(text, position, stop)
            if found is None or not found.group(1):
                if stop > target:
                    position = stop
                    break
                paired = lexed.kinds[index] in ("head", "middle")
                position = self.brackets.closers[stop] if paired else lexed.ends[index]
                continue
            place, position = found.span(1)
            character = text[place]
            if character in "([{":
                closer = self.brackets.closers.get(place)
                if closer is None:
                    break
                position = closer + 1
            elif character == ",":
                self.commas[place] = True
            elif character == ";":
                inside = False
            elif character == "/" or character in LINE_END:
                gap = _GAP.match(text, place)
                assert gap is not None
                position = gap.end()
                inside = not self.is_ended(place, position)
            elif not takes_property(text, self.look.token_end(place)):
                gap = _GAP.match(text, position)
                assert gap is not None
                if _BINDING.match(text, gap.end()) and self.declares(place, position, gap.end()):
                    inside, position = True, gap.end()
        self.walks[parent] = (position, inside)

    def is_ended(self, start: int, following: int) -> bool:
        """Whether a line end that begins here, and what follows it, end a statement."""
        text, lexed = self.text, self.lexed
        if not _FRESH.match(text, following):
            index = bisect_right(lexed.starts, following) - 1
            if index < 0 or lexed.starts[index] != following or lexed.kinds[index] != "regexp":
                return False
        end = self.look.token_end(start)
        if text[following] == "{":
            # The body of a function or a class.
            if following in self.brackets.class_of:
                return False
            if text[end - 1 : end] == ")" and self.look.function_keyword(self.brackets.opener_of(end - 1)) >= 0:
                return False
        return end > 0 and (text[end - 1] in ")]}" or self.look.word_before(end) == "yield" or self.ends_operand(end))
