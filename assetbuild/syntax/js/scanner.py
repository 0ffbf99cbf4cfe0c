"""The walk over a JavaScript text. One compiled expression takes it over everything that can be read without knowing its
surroundings; only a slash and a template substitution need them. Every loop moves forward, so the time is linear in the text,
and nothing recurses with its depth."""

from __future__ import annotations

from assetbuild.syntax import LexError, expression
from assetbuild.syntax.js.grammar import LINE_END, OPAQUE
from assetbuild.syntax.js.lookback import LookBack
from assetbuild.syntax.js.slash import Slashes
from assetbuild.syntax.js.spans import Hard, Lexed

_PLAIN = expression(rf"""(?:[^'"`/]++|{OPAQUE})*+""")
_PLAIN_IN_BRACES = expression(rf"""(?:[^'"`/{{}}]++|{OPAQUE})*+""")
_HTML = r"<(?!!--)|-(?!->)"
_PLAIN_HTML = expression(rf"""(?:[^'"`/<\-]++|{_HTML}|{OPAQUE})*+""")
_PLAIN_HTML_IN_BRACES = expression(rf"""(?:[^'"`/{{}}<\-]++|{_HTML}|{OPAQUE})*+""")
_TEMPLATE_CHARACTERS = expression(r"[^`\\$]*+(?:(?:\\[\s\S]|\$(?!\{))[^`\\$]*+)*+")
# 12.9.5: a class ends at its first bracket, with the v flag too; what nests there is for the pattern's own grammar.
_REGEXP = expression(
    rf"/(?:[^\\/\[{LINE_END}]++|\\[^{LINE_END}]|\[[^\]\\{LINE_END}]*+(?:\\[^{LINE_END}][^\]\\{LINE_END}]*+)*+\])++/"
    r"(?:[\w$\u200c\u200d]++|\\u[0-9a-fA-F]{4})*+"
)
_REST_OF_LINE = expression(rf"[^{LINE_END}]*+")


class Scanner:
    """Reads one text with one goal."""

    def __init__(self, text: str, module: bool) -> None:
        self.text = text
        self.lexed = Lexed(text, module)
        self.look = LookBack(self.lexed, html=not module and ("<!--" in text or "-->" in text))
        self.slashes = Slashes(self.look)

    def add(self, kind: Hard, start: int, end: int) -> int:
        lexed = self.lexed
        lexed.kinds.append(kind)
        lexed.starts.append(start)
        lexed.ends.append(end)
        return end

    def scan(self) -> Lexed:
        text = self.text
        look = self.look
        html = look.html
        length = len(text)
        plain = _PLAIN_HTML if html else _PLAIN
        in_braces = _PLAIN_HTML_IN_BRACES if html else _PLAIN_IN_BRACES
        position = 0
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
            position = look.position = found.end()
            if position == length:
                break
            character = text[position]
            if character == "/":
                following = text[position + 1 : position + 2]
                if following == "*":
                    raise LexError("this comment has no end", position)
                if self.slashes.begins_regexp(position):
                    regexp = _REGEXP.match(text, position)
                    if regexp is None:
                        raise LexError("this regular expression has no end", position)
                    position = self.add("regexp", position, regexp.end())
                else:
                    look.divisions.append(position)
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
                elif text[end : end + 1] != "`":  # the end of the text, or a backslash there
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
                if look.begins_line(position):
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
