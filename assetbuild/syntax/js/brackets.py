"""JavaScript's brackets, matched when a slash behind one asks, never before."""

from __future__ import annotations

from bisect import bisect_right

from assetbuild.syntax import LexError, expression
from assetbuild.syntax.js.grammar import NEWLINE, NEXT_BRACKET, TRIVIA, takes_property
from assetbuild.syntax.js.lookback import LookBack

_CLASS_HEAD = expression(rf"class{TRIVIA}(?:[{{\w$\\]|[^\x00-\x7f])")
_SIMPLE = expression(r"""(?:[^"'`\\]++|"[^"\\()\n\r]*+"|'[^'\\()\n\r]*+')*+""")
_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}


class Brackets:
    """Walks over the brackets up to a place that is asked about, and keeps what it saw.

    parents: the bracket round an opening one, or -1. openers, closers: the other half of a pair. class_of: where the keyword
    stands of the class whose body a brace opens.
    """

    def __init__(self, look: LookBack) -> None:
        self.look = look
        self.text = look.text
        self.lexed = look.lexed
        self.walked = 0
        self.next_hard = 0
        self.open: list[int] = [-1]
        self.heads: set[int] = set()
        self.parents: dict[int, int] = {}
        self.openers: dict[int, int] = {}
        self.closers: dict[int, int] = {}
        self.pending_classes: dict[int, list[int]] = {}
        self.class_of: dict[int, int] = {}

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
            for found in NEXT_BRACKET.finditer(text, self.walked, stop):
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
        is_name = takes_property(self.text, self.look.token_end(position))
        if not is_name and _CLASS_HEAD.match(self.text, position):
            self.pending_classes.setdefault(self.open[-1], []).append(position)

    def class_body(self, position: int) -> None:
        """Whether this brace opens the body of the class whose head is being read, and not something in its heritage."""
        before = self.look.token_end(position)
        if self.look.word_before(before) == "extends":
            return
        closes = self.text[before - 1] == ")" and before - 1 in self.openers
        if closes and self.look.function_keyword(self.openers[before - 1]) >= 0:
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
        if slashes and slashes != bisect_right(self.look.divisions, end) - bisect_right(self.look.divisions, start):
            return False
        if not NEWLINE.search(text, start, end):
            return True
        line = max(text.rfind("\n", max(start - 500, 0), start), 0)
        return (line > 0 and "//" not in text[line:start]) and not self.look.html

    def enclosing(self, position: int) -> int:
        """The opening bracket round a place that the bracket walk has come to, or -1."""
        self.walk_brackets(position)
        return self.open[-1]
