"""What do templates name that the sources do not give? Jinja's own parser reads Jinja's templates, a small lexer Django's;
no template is run, and nothing is compiled."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from assetbuild import plan, sources
from assetbuild.adopt import adopt
from assetbuild.config import Config
from assetbuild.errors import ConfigError, Lines, Problem
from assetbuild.runtime import closest

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

    from assetbuild.runtime.manifest import Entry

_FUNCTIONS = frozenset({"asset", "asset_tag", "asset_integrity"})


@dataclass(frozen=True, slots=True)
class Checked:
    """findings: sorted; templates: files that were read; literals: paths that were held against the sources; dynamic:
    arguments that only a running template knows."""

    findings: tuple[Problem, ...]
    templates: int
    literals: int
    dynamic: int


@dataclass(frozen=True, slots=True)
class _Named:
    """A path that a template names, and where its first character stands in the text; None: it is no literal."""

    path: str | None
    offset: int


class _RefusedError(Exception):
    """The template language refuses a template, in a line from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(line, why)
        self.line = line
        self.why = why


def check(config: Config) -> Checked:
    """Hold what the templates name against the sources. Raises ConfigError and BuildError."""
    known = _logical_paths(config)
    environment = _environment(config)
    findings: list[Problem] = []
    templates = literals = dynamic = 0
    for root in config.templates:
        texts = {file: text for file in _files(root) if (text := _text(config, file, findings)) is not None}
        django = any(map(_is_django, texts.values()))
        for file, text in texts.items():
            templates += 1
            shown = plan.shown(config, file)
            try:
                named = _named(environment, text, django)
            except _RefusedError as refused:
                findings.append(Problem(shown, refused.line, 1, f"Jinja refuses this template: {refused.why}"))
                continue
            lines = Lines(text)
            for one in named:
                if one.path is None:
                    dynamic += 1
                    continue
                literals += 1
                if not _is_known(one.path, known):
                    line, column = lines.place(one.offset)
                    what = f'no source gives "{one.path}"'
                    findings.append(Problem(shown, line, column, what, _advice(one.path, known, config.base_url)))
    return Checked(tuple(sorted(set(findings))), templates, literals, dynamic)


def _logical_paths(config: Config) -> Mapping[str, Entry]:
    """Every path that a build of these sources would publish."""
    config = adopt(config).config
    tree = sources.scan(
        config.sources,
        exclude=config.exclude,
        keep_names=config.keep_names,
        follow_symlinks=config.follow_symlinks,
        ours=(config.output, config.cache_dir),
        display=functools.partial(plan.shown, config),
    )
    work = plan.work(tree, config)
    inner = {bundle.name for bundle in config.bundles if not bundle.published}
    paths = sorted((work.jobs.keys() | work.bundles.keys()) - inner)
    return {path: cast("Entry", {"path": path}) for path in paths}


def _is_known(path: str, known: Mapping[str, Entry]) -> bool:
    """Whether the helper finds it: whole, or up to a `?` or `#`."""
    return path in known or any(path[: end.start()] in known for end in re.finditer("[?#]", path))


def _advice(path: str, known: Mapping[str, Entry], base_url: str) -> str:
    near = closest.find(path, known, base_url)
    return f'did you mean "{near[0]}"?' if near else "add the file, or take the name out"


def _files(root: Path) -> Iterator[str]:
    """Every file below a folder, in the order of names; a folder that is not there has none."""
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if os.path.isfile(file := os.path.join(folder, name)):
                yield file


def _text(config: Config, file: str, findings: list[Problem]) -> str | None:
    """A file's text; None for what is no text, such as a picture."""
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        findings.append(Problem(plan.shown(config, file), 0, 0, f"this file cannot be read: {error.strerror}"))
        return None
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _named(environment: Environment, text: str, django: bool) -> list[_Named]:
    """django: whether files beside it are Django's; then one that Jinja cannot read is taken for another of them."""
    if _is_django(text):
        return list(_in_django(text))
    try:
        return list(_in_jinja(environment, text))
    except _RefusedError:
        if django:
            return list(_in_django(text))
        raise


# ---- Django


# As django.template.base.tag_re: a tag ends in the line that it begins in.
_DJANGO_TAG = re.compile(r"\{%(.*?)%\}|\{\{.*?\}\}|\{#.*?#\}")
_DJANGO_MARK = re.compile(r"\{%\s*(?:load|static|asset|asset_tag|asset_integrity)\s")
_DJANGO_NAMING = re.compile(
    r"\s*(?:static|asset|asset_tag|asset_integrity)\s+"
    r"""(?:(?P<literal>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(?=\s|\Z)|(?P<dynamic>\S))"""
)


def _is_django(text: str) -> bool:
    return _DJANGO_MARK.search(text) is not None


def _in_django(text: str) -> Iterator[_Named]:
    until = ""
    for tag in _DJANGO_TAG.finditer(text):
        if tag[1] is None:
            continue
        content = tag[1].strip()
        word = content.partition(" ")[0]
        if until:
            if content == until or (until == "endcomment" and word == until):
                until = ""
        elif word == "comment":
            until = "endcomment"
        elif word == "verbatim":
            until = f"end{content}"
        elif naming := _DJANGO_NAMING.match(tag[1]):
            literal = naming["literal"]
            # A folder is what a script puts names behind.
            if literal is None or literal[1:-1].endswith("/"):
                yield _Named(None, 0)
            else:
                quote = literal[0]
                path = literal[1:-1].replace("\\" + quote, quote).replace("\\\\", "\\")
                yield _Named(path, tag.start(1) + naming.start("literal") + 1)


# ---- Jinja


_ENDED = ("for", "if", "block", "macro", "set", "with", "autoescape", "call", "filter", "raw", "trans")
_JINJA_TAGS = {*_ENDED, *(f"end{name}" for name in _ENDED), "extends", "print", "include", "from", "import", "elif", "else"}


class _Place(int):
    """A line's number that knows the offset of its token: Jinja's nodes keep the one, and so the other."""

    offset: int


def _environment(config: Config) -> Environment:
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


def _in_jinja(environment: Environment, text: str) -> Iterator[_Named]:
    from jinja2 import TemplateSyntaxError, nodes

    source = re.sub(r"\r\n|\r", "\n", text)
    try:
        tree = environment.parse(source)
    except TemplateSyntaxError as error:
        raise _RefusedError(error.lineno, (error.message or "it is not valid").rstrip(".")) from error
    functions = _FUNCTIONS - set(_own_names(tree))
    starts = Lines(text), Lines(source)
    for node in tree.find_all((nodes.Call, nodes.Filter)):
        argument = _argument(node, functions)
        if argument is not None:
            for literal in _literals(argument):
                yield _in_text(literal, *starts)


def _in_text(named: _Named, text: Lines, source: Lines) -> _Named:
    """The offset in the file, where Jinja has made every line end one character."""
    if named.path is None or text.text == source.text:
        return named
    line, column = source.place(named.offset)
    ends = [0, *(end.end() for end in re.finditer(r"\r\n|\n|\r", text.text))]
    return _Named(named.path, ends[line - 1] + column - 1)


def _argument(node: nodes.Node, functions: frozenset[str]) -> nodes.Node | None:
    """The path that one of the helpers is given, or None for another call."""
    from jinja2 import nodes

    if isinstance(node, nodes.Filter):
        return (node.node or node) if node.name == "asset" else None
    if not (isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in functions):
        return None
    named = (keyword.value for keyword in node.kwargs if keyword.key == "path")
    return node.args[0] if node.args else next(named, node)


def _literals(node: nodes.Node) -> Iterator[_Named]:
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
        yield _Named(node.value, node.lineno.offset + 1)  # Behind the quote.
    else:
        yield _Named(None, 0)


def _own_names(tree: nodes.Template) -> Iterator[str]:
    """What a template defines itself: a macro `asset` of its own is none of the helpers."""
    from jinja2 import nodes

    for node in tree.find_all((nodes.Name, nodes.Macro, nodes.FromImport)):
        if isinstance(node, nodes.Macro) or (isinstance(node, nodes.Name) and node.ctx in ("store", "param")):
            yield node.name
        elif isinstance(node, nodes.FromImport):
            yield from (name if isinstance(name, str) else name[1] for name in node.names)
