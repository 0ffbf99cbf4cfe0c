"""Jinja's templates, by Jinja's own parser, under any delimiters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from assetbuild import plan
from assetbuild.config import Config
from assetbuild.errors import ConfigError, Lines, Problem
from assetbuild.templates import Named, RefusedError

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

_FUNCTIONS = frozenset({"asset", "asset_tag", "asset_integrity"})

_ENDED = ("for", "if", "block", "macro", "set", "with", "autoescape", "call", "filter", "raw", "trans")
_JINJA_TAGS = {*_ENDED, *(f"end{name}" for name in _ENDED), "extends", "print", "include", "from", "import", "elif", "else"}


class _Place(int):
    """A line's number that knows the offset of its token: Jinja's nodes keep the one, and so the other."""

    offset: int


def reading(config: Config) -> Environment:
    """Jinja's, with the delimiters of [jinja], which reads every template as well as can be."""
    try:
        import jinja2
        from jinja2.lexer import TokenStream
        from jinja2.parser import Parser
    except ImportError as error:
        raise ConfigError("check needs Jinja; pip install 'assetbuild[build]'") from error

    class Reading(jinja2.Environment):
        def _tokenize(
            self, source: str, name: str | None, filename: str | None = None, state: str | None = None
        ) -> TokenStream:
            tokens = _placed(source, self.lexer.tokeniter(source, name, filename, state))
            return TokenStream(self.lexer.wrap(tokens, name, filename), name, filename)

        def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
            return Tolerant(self, source, name, filename).parse()

    class Tolerant(Parser):
        """What an extension that is not here would make of its tag is unknown; the tags around it are read all the same."""

        def parse_statement(self) -> nodes.Node | list[nodes.Node]:
            word = self.stream.current
            if word.type != "name" or word.value in _JINJA_TAGS or word.value in self.extensions:
                return super().parse_statement()
            found: list[nodes.Node] = []
            while self.stream.current.type != "block_end":
                name = next(self.stream)
                if name.type == "eof":
                    self.fail("a tag has no end", word.lineno)
                if name.value in _FUNCTIONS and self.stream.current.type == "lparen":
                    called = jinja2.nodes.Name(name.value, "load", lineno=name.lineno)
                    found.append(jinja2.nodes.ExprStmt(self.parse_call(called), lineno=name.lineno))
            return found

    settings: dict[str, Any] = dict(config.jinja)
    own = ["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"]
    extensions = list(dict.fromkeys([*own, *settings.pop("extensions", ())]))
    try:
        return Reading(extensions=extensions, **settings)
    except (ImportError, AttributeError, ValueError, AssertionError) as error:
        raise ConfigError(Problem(plan.config_file(config), 0, 0, f"jinja: {error}")) from error


def _placed(source: str, tokens: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    """Only blanks are left out between two tokens, so each one is the next text that is equal to it."""
    position = 0
    for line, kind, text in tokens:
        found = source.find(text, position)
        place = _Place(line)
        place.offset = max(found, position)
        position = place.offset + len(text)
        yield place, kind, text


def named(environment: Environment, text: str) -> Iterator[Named]:
    from jinja2 import TemplateSyntaxError

    source = re.sub(r"\r\n|\r", "\n", text)
    try:
        tree = environment.parse(source)
    except TemplateSyntaxError as error:
        raise RefusedError(error.lineno, (error.message or "it is not valid").rstrip(".")) from error
    except RecursionError as error:
        raise RefusedError(1, "it is nested too deeply") from error
    starts = Lines(text), Lines(source)
    for argument in _arguments(tree):
        for literal in _literals(argument):
            yield _in_text(literal, *starts)


def _in_text(named: Named, text: Lines, source: Lines) -> Named:
    """The offset in the file, where Jinja has made every line end one character."""
    if named.path is None or text.text == source.text:
        return named
    line, column = source.place(named.offset)
    ends = [0, *(end.end() for end in re.finditer(r"\r\n|\n|\r", text.text))]
    return Named(named.path, ends[line - 1] + column - 1)


def _argument(node: nodes.Node, functions: frozenset[str]) -> nodes.Node | None:
    """The path that one of the helpers is given, or None for another call."""
    from jinja2 import nodes

    if isinstance(node, nodes.Filter):
        return (node.node or node) if node.name == "asset" else None
    if not (isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in functions):
        return None
    named = (keyword.value for keyword in node.kwargs if keyword.key == "path")
    return node.args[0] if node.args else next(named, node)


def _literals(node: nodes.Node) -> Iterator[Named]:
    """Every value that an argument may have."""
    from jinja2 import nodes

    if isinstance(node, nodes.CondExpr) and node.expr2 is not None:
        yield from _literals(node.expr1)
        yield from _literals(node.expr2)
    elif isinstance(node, nodes.CondExpr):
        yield from _literals(node.expr1)
    elif isinstance(node, nodes.Or):
        yield from _literals(node.left)
        yield from _literals(node.right)
    elif isinstance(node, nodes.Const) and isinstance(node.value, str) and isinstance(node.lineno, _Place):
        yield Named(node.value, node.lineno.offset + 1)  # Behind the quote.
    else:
        yield Named(None, 0)


# A name that a template gives a value of its own is none of the helpers, where that name is seen.


def _arguments(tree: nodes.Template) -> Iterator[nodes.Node]:
    """What the helpers are given. Without recursion: a sum of a thousand terms is a thousand levels deep."""
    open_: list[tuple[nodes.Node, frozenset[str]]] = [(tree, _FUNCTIONS - _bound(tree.body))]
    while open_:
        node, functions = open_.pop()
        argument = _argument(node, functions)
        if argument is not None:
            yield argument
        inside, targets = _scope(node)
        inner = functions - _bound([*targets, *inside]) if inside else functions
        mine = {id(child) for child in (*inside, *targets)}
        open_ += ((child, inner if id(child) in mine else functions) for child in node.iter_child_nodes())


def _scope(node: nodes.Node) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """What stands in a scope that this node opens, and what gets its value there; nothing if it opens none."""
    from jinja2 import nodes

    match node:
        case nodes.For():
            return [*node.body, *([node.test] if node.test else [])], [node.target]
        case nodes.Macro() | nodes.CallBlock():
            return list(node.body), list(node.args)
        case nodes.With():
            return list(node.body), list(node.targets)
        case nodes.FilterBlock() | nodes.Block() | nodes.Scope() | nodes.AssignBlock():
            return list(node.body), []
    return [], []


def _bound(scope: Sequence[nodes.Node]) -> set[str]:
    """The names that are given values in a scope, those of scopes in it aside."""
    from jinja2 import nodes

    found: set[str] = set()
    open_ = list(scope)
    while open_:
        node = open_.pop()
        match node:
            case nodes.Name(ctx="store" | "param") | nodes.Macro():
                found.add(node.name)
            case nodes.Import():
                found.add(node.target)
            case nodes.FromImport():
                found.update(name if isinstance(name, str) else name[1] for name in node.names)
        inside, targets = _scope(node)
        mine = {id(child) for child in (*inside, *targets)}
        open_ += (child for child in node.iter_child_nodes() if id(child) not in mine)
    return found
