"""Style sheets joined into one that means what they meant one behind the other (CSS Syntax 3, Cascade 5, Namespaces 3).

What a sheet imports from the tree is put where the import stood, inside its media, supports and layer conditions: first what
is imported, then the sheet's own rules. Without cascade layers the last of several occurrences of a sheet decides, so that
the earlier ones go; with layers each stays, since the first settles the layers' order. A sheet that imports one of those that
led to it is not imported again, as browsers have it.

What only the head of a sheet may have goes to the bundle's head: imports of what is not in the tree, with the conditions they
stood in and behind the layers that came before them; `@namespace`, where no two sheets disagree. `@charset` is written once.
A sheet ends in what it left open: brackets, and the end of its last rule.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from assetbuild.bundles import Builder, Fault, Joined
from assetbuild.syntax import css
from assetbuild.syntax.css import Token
from assetbuild.syntax.css.rules import head_rules

#: Beyond this many occurrences of sheets that are imported again and again, with layers, a bundle is refused.
MOST_OCCURRENCES = 10_000

_CLOSING = {"(": ")", "[": "]", "{": "}", "function": ")"}
_COMMENTS = re.compile(r"(?:/\*(?:[^*]|\*(?!/))*\*/)*")

Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to be joined: its path and text, new text for spans of it, and for the start of each `@import` rule the path of
    the sheet that is to be put in its place, or "" where nothing is; a rule that is not among these stays an import."""

    path: str
    text: str
    edits: tuple[Edit, ...] = ()
    imports: Mapping[int, str] | None = None


class Conditions(NamedTuple):
    """What an `@import` says behind its URL. layer: None where there is none, "" for one without a name."""

    layer: str | None = None
    supports: str = ""
    media: str = ""

    def opening(self) -> str:
        """The rules round what is put in the import's place, up to their last brace."""
        text = f"@media {self.media}{{" if self.media else ""
        text += f"@supports ({self.supports}){{" if self.supports else ""
        if self.layer is not None:
            text += f"@layer {self.layer}{{" if self.layer else "@layer{"
        return text

    def closing(self) -> str:
        return "}" * (bool(self.media) + bool(self.supports) + (self.layer is not None))

    def behind_url(self) -> str:
        text = ""
        if self.layer is not None:
            text += f" layer({self.layer})" if self.layer else " layer"
        text += f" supports({self.supports})" if self.supports else ""
        return text + (f" {self.media}" if self.media else "")

    def within(self, outer: Conditions) -> Conditions | None:
        """Both at once, where that can be said in one import."""
        media = self.media or outer.media
        if self.media and outer.media and self.media != outer.media:
            return None
        if outer.layer is not None and self.layer is not None:
            if not (outer.layer and self.layer):
                return None
            layer: str | None = f"{outer.layer}.{self.layer}"
        else:
            layer = outer.layer if self.layer is None else self.layer
        supports = self.supports or outer.supports
        if self.supports and outer.supports:
            supports = f"({outer.supports}) and ({self.supports})"
        return Conditions(layer, supports, media)


_NONE = Conditions()


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule of a sheet's head. kind: "charset", "layer", "import" or "namespace"."""

    kind: str
    start: int
    end: int
    url: tuple[int, int] = (0, 0)  # the token of the URL, quotes and all, or the function round it
    conditions: Conditions = _NONE
    prefix: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """What is known of a sheet. wrapped: edits that it needs inside a block. late: imports that browsers ignore. ending: what
    it left open. layers: a statement for each of the rules, behind the head, that name layers, "" for a layer without name."""

    sheet: Sheet
    head: tuple[_Rule, ...]
    wrapped: tuple[Edit, ...]
    late: tuple[tuple[int, int], ...]
    ending: str
    has_layers: bool
    has_rules: bool
    layers: tuple[str, ...]


def join(parts: Sequence[str], sheets: Mapping[str, Sheet]) -> Joined:
    """The parts as one sheet. sheets: the parts, and what they import, by path."""
    faults: list[Fault] = []
    read = {path: _read(sheet) for path, sheet in sheets.items()}
    events = _events(parts, read, faults)
    used = dict.fromkeys(event.path for event in events if event.kind == "body")
    builder = Builder()
    if any(rule.kind == "charset" for path in used for rule in read[path].head):
        builder.write('@charset "UTF-8";\n')
    _hoist(builder, events, read, faults)
    for text in _namespaces(used, read, faults):
        builder.write(text + "\n")
    depth = 0
    for event in events:
        if event.kind == "open" and event.conditions.opening():
            depth += 1
            builder.write(event.conditions.opening() + "\n")
        elif event.kind == "close" and event.conditions.opening():
            depth -= 1
            builder.write(event.conditions.closing() + "\n")
        elif event.kind == "layers" and event.rule is not None:
            # It stood before the imports, and it is the first that names a layer that settles its place.
            _layers(builder, read[event.path].sheet, event.rule)
        elif event.kind == "body":
            _body(builder, read[event.path], depth > 0)
    for path in used:
        for start, _ in read[path].late:
            faults.append(
                Fault(path, start, "browsers ignore an @import below other rules; left out of the bundle", "", "warning")
            )
    return builder.joined(faults)


# ---- reading a sheet


def _read(sheet: Sheet) -> _Read:
    text = sheet.text
    head: list[_Rule] = []
    wrapped: list[Edit] = []
    late: list[tuple[int, int]] = []
    stack: list[str] = []
    state = ""  # the rule that is open: "at", "qualified", or none
    rule_start = 0
    in_block = False
    counting = head_rules(text)
    at_name = ""
    has_layers = has_rules = False
    last: Token | None = None
    statement: list[Token] = []
    layers: list[str] = []
    for token in css.tokens(text):
        kind = token.type
        if kind in ("whitespace", "comment"):
            continue
        last = token
        if not state and not stack:
            if kind in ("CDO", "CDC"):
                wrapped.append((token.start, token.end, " "))
                continue
            state = "at" if kind == "at-keyword" else "qualified"
            at_name = css.unescape(text[token.start + 1 : token.end]).lower() if state == "at" else ""
            rule_start = token.start
            statement = []
        if state == "at" and not in_block:
            statement.append(token)
        if kind == "at-keyword" and css.unescape(text[token.start + 1 : token.end]).lower() == "layer":
            has_layers = True
        if kind in _CLOSING:
            if kind == "{" and not stack:
                has_rules, in_block = True, True
                if state == "at" and at_name == "layer":
                    name = _layer_name(text, statement[1:-1])
                    layers += [f"@layer {name};" if name else ""] if name is not None else []
            stack.append(_CLOSING[kind])
        elif stack and kind == stack[-1]:
            stack.pop()
            if not stack and kind == "}":
                state, in_block = "", False
        elif kind == "}" and not stack:
            # In a block it would end that; as a square bracket it spoils the rule just as much.
            wrapped.append((token.start, token.end, "]"))
        elif kind == "semicolon" and not stack and state == "at":
            _statement(text, at_name, rule_start, token.end, statement, counting, head, late)
            state = ""
            if at_name == "layer" and not (head and head[-1].start == rule_start):
                layers.append(text[rule_start : token.end])
    ending = _unclosed_url(text, last) + "".join(reversed(stack))
    if state == "at" and not in_block:
        _statement(text, at_name, rule_start, len(text), statement, counting, head, late)
        gone = [(rule.start, rule.end) for rule in head] + late
        ending = "" if (rule_start, len(text)) in gone else ending + ";"
    elif state == "qualified" and not in_block:
        ending += "{}"
    has_layers = has_layers or any(rule.conditions.layer is not None for rule in head)
    return _Read(sheet, tuple(head), tuple(wrapped), tuple(late), ending, has_layers, has_rules, tuple(layers))


def _unclosed_url(text: str, last: Token | None) -> str:
    stripped = text.rstrip("\\")
    text_end = "\ufffd" if (len(text) - len(stripped)) % 2 else ""
    if last is None or last.type not in ("url", "bad-url") or last.end != len(text):
        return text_end
    closed = text.endswith(")") and (len(text[:-1]) - len(text[:-1].rstrip("\\"))) % 2 == 0
    return text_end + ("" if closed else ")")


def _statement(
    text: str,
    name: str,
    start: int,
    end: int,
    tokens: Sequence[Token],
    counting: Mapping[int, str],
    head: list[_Rule],
    late: list[tuple[int, int]],
) -> None:
    """Takes note of a rule without a block. counting: the rules that count at the head."""
    rest = list(tokens[1:])
    if rest and rest[-1].type == "semicolon":
        rest.pop()
    if name == "charset":
        head.append(_Rule("charset", start, end))
    elif name == "import":
        if start in counting:
            head.append(_import(text, start, end, rest))
        else:
            late.append((start, end))
    elif start in counting:
        head.append(_Rule("layer", start, end) if name == "layer" else _namespace(text, start, end, rest))


def _import(text: str, start: int, end: int, rest: Sequence[Token]) -> _Rule:
    """The rule, with an empty span for its URL where it is none."""
    if not rest:
        return _Rule("import", start, end)
    position = 1
    url = (rest[0].start, rest[0].end)
    if rest[0].type == "function" and css.unescape(text[rest[0].start : rest[0].end - 1]).lower() in ("url", "src"):
        position = _behind(rest, 0)
        if len(rest) < 2 or rest[1].type != "string":
            return _Rule("import", start, end)
        url = (rest[0].start, rest[position - 1].end)
    elif rest[0].type not in ("string", "url"):
        return _Rule("import", start, end)
    layer: str | None = None
    supports = ""
    if position < len(rest):
        token = rest[position]
        word = css.unescape(text[token.start : token.end].rstrip("(")).lower()
        after = rest[position + 1] if position + 1 < len(rest) else None
        if token.type == "ident" and word == "layer" and (after is None or after.type != "comma"):
            layer, position = "", position + 1
        elif token.type == "function" and word == "layer":
            behind = _behind(rest, position)
            inner = rest[position + 1 : behind - _is_closed(rest, position, behind)]
            if name := _layer_name(text, inner):
                layer, position = name, behind
    if position < len(rest) and rest[position].type == "function":
        token = rest[position]
        if css.unescape(text[token.start : token.end - 1]).lower() == "supports":
            behind = _behind(rest, position)
            supports, position = _inner(text, rest, position, behind).strip(), behind
            supports = supports or "not all"  # Nothing is no condition, and false.
    media = text[rest[position].start : rest[-1].end] + _cut_off(text, rest[position:]) if position < len(rest) else ""
    return _Rule("import", start, end, url, Conditions(layer, supports, media.strip()))


def _layer_name(text: str, tokens: Sequence[Token]) -> str | None:
    """A layer's name without comments, "" where there is none; None for what is no name."""
    name = ""
    for index, token in enumerate(tokens):
        part = text[token.start : token.end]
        if token.type != "ident" if index % 2 == 0 else part != ".":
            return None
        # A dot has no blank beside it.
        if index and not _COMMENTS.fullmatch(text, tokens[index - 1].end, token.start):
            return None
        name += part
    return name if not tokens or len(tokens) % 2 else None


def _is_closed(tokens: Sequence[Token], position: int, behind: int) -> bool:
    """Whether what is opened at a position, and ends before `behind`, is closed there and not by the end of the text."""
    return behind - 1 > position and tokens[behind - 1].type == ")" and not _open_brackets(tokens[position:behind])


def _cut_off(text: str, tokens: Sequence[Token]) -> str:
    """What tokens lack that the end of the text ends: of a URL or a string, and brackets."""
    if not tokens:
        return ""
    last = tokens[-1]
    lacking = _unclosed_url(text[: last.end], last) if last.end == len(text) else ""
    if last.type == "string":
        lacking = _closed(text[last.start : last.end])
    return lacking + _open_brackets(tokens)


def _behind(tokens: Sequence[Token], position: int) -> int:
    """The index behind the bracket that closes what is opened at a position."""
    stack: list[str] = []
    for index in range(position, len(tokens)):
        kind = tokens[index].type
        if kind in _CLOSING:
            stack.append(_CLOSING[kind])
        elif stack and kind == stack[-1]:  # Another bracket closes nothing.
            stack.pop()
            if not stack:
                return index + 1
    return len(tokens)


def _inner(text: str, tokens: Sequence[Token], position: int, behind: int) -> str:
    """What stands between the brackets."""
    if _is_closed(tokens, position, behind):
        return text[tokens[position].end : tokens[behind - 1].start]
    return text[tokens[position].end : tokens[behind - 1].end] + _cut_off(text, tokens[position + 1 : behind])


def _open_brackets(tokens: Sequence[Token]) -> str:
    stack: list[str] = []
    for token in tokens:
        if token.type in _CLOSING:
            stack.append(_CLOSING[token.type])
        elif stack and token.type == stack[-1]:
            stack.pop()
    return "".join(reversed(stack))


def _namespace(text: str, start: int, end: int, rest: Sequence[Token]) -> _Rule:
    prefix = ""
    if rest[0].type == "ident":
        prefix = css.unescape(text[rest[0].start : rest[0].end])
        rest = rest[1:]
    token = rest[1] if rest[0].type == "function" else rest[0]
    return _Rule("namespace", start, end, prefix=prefix, name=css.unescape(text[slice(*css.inside(text, token))]))


# ---- the order of rules


class _Event(NamedTuple):
    """kind: "open" and "close" of conditions, "layers" and "outside" for a head's statement and import, "body"."""

    kind: str
    path: str
    conditions: Conditions
    rule: _Rule | None = None


def _events(parts: Sequence[str], read: Mapping[str, _Read], faults: list[Fault]) -> list[_Event]:
    """Everything in the order in which a browser would meet it, found from the end, so that of several occurrences of a
    sheet the last stays."""
    layered = _layered(read)
    # A number for each sequence of conditions, by the one that it goes on from: a chain of imports may be long.
    numbers: dict[tuple[int, Conditions], int] = {}
    seen: set[tuple[str, int]] = set()
    backward: list[_Event] = []
    occurrences = 0
    for part in reversed(parts):
        above: set[str] = set()
        around = [(0, False)]  # for each sheet above, the number of all conditions round it, and whether a layer is among them
        work: list[Iterator[_Event]] = [iter((_Event("sheet", part, _NONE),))]
        while work:
            event = next(work[-1], None)
            if event is None:
                work.pop()
                continue
            if event.kind == "enter":
                above.add(event.path)
                around.append(_within(around[-1], event.conditions, numbers))
            elif event.kind == "leave":
                above.remove(event.path)
                around.pop()
            elif event.kind != "sheet":
                backward.append(event)
            elif event.path not in above:
                number, in_layer = _within(around[-1], event.conditions, numbers)
                if not in_layer and event.path not in layered and (event.path, number) in seen:
                    continue
                seen.add((event.path, number))
                occurrences += 1
                if occurrences > MOST_OCCURRENCES:
                    faults.append(
                        Fault(part, -1, f"its imports lead to more than {MOST_OCCURRENCES:,} sheets", "import each once")
                    )
                    return []
                work.append(_backward(read[event.path], event))
    return backward[::-1]


def _within(outer: tuple[int, bool], own: Conditions, numbers: dict[tuple[int, Conditions], int]) -> tuple[int, bool]:
    number, in_layer = outer
    if own == _NONE:
        return outer
    return numbers.setdefault((number, own), len(numbers) + 1), in_layer or own.layer is not None


def _layered(read: Mapping[str, _Read]) -> set[str]:
    """The sheets that name a layer, or that import such a sheet."""
    importers: dict[str, list[str]] = {}
    for path, one in read.items():
        for target in (one.sheet.imports or {}).values():
            importers.setdefault(target, []).append(path)
    found = {path for path, one in read.items() if one.has_layers}
    waiting = list(found)
    while waiting:
        for path in importers.get(waiting.pop(), ()):
            if path not in found:
                found.add(path)
                waiting.append(path)
    return found


def _backward(one: _Read, event: _Event) -> Iterator[_Event]:
    path, conditions, text = event.path, event.conditions, one.sheet.text
    yield _Event("close", path, conditions)
    yield _Event("body", path, conditions)
    yield _Event("enter", path, conditions)
    for rule in reversed(one.head):
        if rule.kind == "import":
            target = (one.sheet.imports or {}).get(rule.start)
            if target == "":
                continue
            # No browser knows src() in an import yet, so that what it names is not put in its place.
            by_src = text[rule.url[0] : rule.url[0] + 1] in ("s", "S", "\\")
            if target is not None and not by_src:
                yield _Event("sheet", target, rule.conditions)
            elif rule.url != (0, 0) and not _of_itself(text, rule):
                yield _Event("outside", path, rule.conditions, rule)
        elif rule.kind == "layer":
            yield _Event("layers", path, _NONE, rule)
    yield _Event("leave", path, conditions)
    yield _Event("open", path, conditions)


# ---- writing


def _hoist(builder: Builder, events: Sequence[_Event], read: Mapping[str, _Read], faults: list[Fault]) -> None:
    """Imports of what is outside go to the top, with the layers that were named before them."""
    last = max((i for i, event in enumerate(events) if event.kind == "outside"), default=-1)
    around: list[Conditions] = []
    imported = passed = False
    # Layers that were met: statements, with the conditions round them; and how many have no name.
    waiting: dict[tuple[str, tuple[Conditions, ...]], None] = {}
    known: set[str] = set()
    nameless = 0
    for event in events[: last + 1]:
        one = read[event.path]
        if event.kind == "open":
            own = event.conditions
            if own.layer:
                waiting[f"@layer {own.layer};", (*around, Conditions(None, own.supports, own.media))] = None
                if not nameless:
                    known.add(_layer_of((*around, own)) or "")
            around.append(own)
        elif event.kind == "close":
            nameless += around.pop().layer == ""
        elif event.kind == "body":
            passed = passed or one.has_rules
            waiting |= {(statement, tuple(around)): None for statement in one.layers if statement}
            nameless += one.layers.count("")
        elif event.rule is not None:
            rule, text = event.rule, one.sheet.text
            if event.kind == "layers":
                waiting[text[rule.start : rule.end].rstrip("; \t\r\n\f") + ";", tuple(around)] = None
                continue
            for statement, outer_ones in waiting:
                if any(outer.layer == "" for outer in outer_ones):
                    continue  # Each time another one.
                if imported or any(c != _NONE for c in outer_ones):
                    builder.write(_nested(_as_url(statement), outer_ones, _NONE) + "\n")
                    imported = True
                else:
                    builder.write(statement + "\n")
            waiting.clear()
            layer = _layer_of((*around, rule.conditions))
            if nameless and layer is not None and layer not in known:
                message = (
                    "this import moves to the top of the bundle, and its layer below one without a name that came before it"
                )
                faults.append(Fault(event.path, rule.start, message, "give that layer a name", "warning"))
            imported = True
            merged: Conditions | None = rule.conditions
            for outer in reversed(around):
                merged = merged.within(outer) if merged else None
            if merged is not None:
                builder.write("@import ")
                builder.copy(event.path, text, *rule.url, _edits_from(one.sheet.edits, *rule.url))
                builder.write(_closed(text[slice(*rule.url)]) + merged.behind_url() + ";\n")
            elif _absolute(text, rule):
                builder.write(_nested(text[slice(*rule.url)] + _closed(text[slice(*rule.url)]), around, rule.conditions) + "\n")
            else:
                message = "this import stands inside the conditions of another, and both cannot be said at once"
                faults.append(Fault(event.path, rule.start, message, "give only one of the two a condition"))
            if passed:
                message = (
                    "this import of what is not in the sources moves to the top of the bundle, above rules that stood before it"
                )
                faults.append(Fault(event.path, rule.start, message, "import it in the first part", "warning"))


def _edits_from(edits: Sequence[Edit], start: int, end: int) -> Sequence[Edit]:
    return edits[bisect_left(edits, (start,)) : bisect_left(edits, (end,))]


def _layer_of(around: Iterable[Conditions]) -> str | None:
    """The layer in which something stands, by its whole name."""
    names = [conditions.layer for conditions in around if conditions.layer is not None]
    return ".".join(names) if names else None


def _nested(url: str, around: Sequence[Conditions], own: Conditions) -> str:
    """An import inside conditions that cannot be said in one: each import is a sheet of its own, in a data URL."""
    text = f"@import {url}{own.behind_url()};"
    for outer in reversed([conditions for conditions in around if conditions != _NONE]):
        text = f"@import {_as_url(text)}{outer.behind_url()};"
    return text


def _as_url(text: str) -> str:
    return f'url("data:text/css,{quote(text, safe="!*(),;:@&=+$/~")}")'


def _absolute(text: str, rule: _Rule) -> bool:
    token = next(t for t in css.tokens(text, rule.url[0]) if t.type in ("string", "url"))
    return re.match(r"\s*(?:[A-Za-z][A-Za-z0-9+.\-]*:|//)", css.unescape(text[slice(*css.inside(text, token))])) is not None


def _of_itself(text: str, rule: _Rule) -> bool:
    """Whether an import names the sheet that it stands in, and so nothing."""
    token = next(t for t in css.tokens(text, rule.url[0]) if t.type in ("string", "url"))
    return re.match(r"\s*(?:#|\Z)", css.unescape(text[slice(*css.inside(text, token))])) is not None


def _closed(url: str) -> str:
    """What a URL or a string that ends with its text lacks."""
    if url[0] in "\"'":
        escaped = (len(url[:-1]) - len(url[:-1].rstrip("\\"))) % 2
        return "" if len(url) > 1 and url.endswith(url[0]) and not escaped else url[0]
    return "" if url.endswith(")") else ")"


def _namespaces(used: Iterable[str], read: Mapping[str, _Read], faults: list[Fault]) -> list[str]:
    """The namespaces of all sheets, each once."""
    first: dict[str, tuple[str, str]] = {}
    texts: dict[str, None] = {}
    plain = [path for path in used if read[path].has_rules and not _default(read[path])]
    for path in used:
        one = read[path]
        for rule in one.head:
            if rule.kind != "namespace":
                continue
            other, name = first.setdefault(rule.prefix, (path, rule.name))
            if name != rule.name:
                what = f'the prefix "{rule.prefix}"' if rule.prefix else "the default namespace"
                message = f"{what} is another one than in {other}, and a bundle is one sheet"
                faults.append(Fault(path, rule.start, message, "leave one of the two out of the bundle"))
            elif not rule.prefix and plain:
                message = f"its default namespace would hold for {plain[0]} too, and a bundle is one sheet"
                faults.append(Fault(path, rule.start, message, "leave it out of the bundle"))
            prefix = rule.prefix + " " if rule.prefix else ""
            name = rule.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\a ")
            texts[f'@namespace {prefix}"{name}";'] = None
    for path in used:
        own = {rule.prefix for rule in read[path].head if rule.kind == "namespace"}
        foreign = {prefix: other for prefix, (other, _) in first.items() if prefix and prefix not in own}
        for prefix, offset in _prefixes(read[path].sheet.text) if foreign else ():
            if prefix in foreign:
                message = (
                    f'the prefix "{prefix}" is declared in {foreign[prefix]}, and would hold here too: a bundle is one sheet'
                )
                faults.append(
                    Fault(path, offset, message, "declare it here as well, or leave one of the two out of the bundle")
                )
                break
    return list(texts)


def _prefixes(text: str) -> Iterator[tuple[str, int]]:
    """Names before a bar, as in `svg|a`, and where they stand."""
    if "|" not in text:
        return
    one = two = None
    for three in css.tokens(text):
        barred = one and two and one.type == "ident" and one.end == two.start and text[two.start : two.end] == "|"
        if one and barred and text[three.start : three.end] not in ("=", "|"):
            yield css.unescape(text[one.start : one.end]), one.start
        one, two = two, three


def _default(one: _Read) -> bool:
    return any(rule.kind == "namespace" and not rule.prefix for rule in one.head)


def _layers(builder: Builder, sheet: Sheet, rule: _Rule) -> None:
    builder.copy(sheet.path, sheet.text, rule.start, rule.end)
    builder.write("\n" if sheet.text[rule.end - 1] == ";" else ";\n")


def _body(builder: Builder, one: _Read, inside: bool) -> None:
    sheet = one.sheet
    cuts: list[Edit] = [(rule.start, rule.end, "") for rule in one.head]
    cuts += ((start, end, "") for start, end in one.late)
    # A cut comes before what it takes away with it.
    edits = sorted((*cuts, *sheet.edits, *(one.wrapped if inside else ())), key=lambda edit: (edit[0], -edit[1]))
    start = css.head(sheet.text)
    # One that comes first in the bundle, and did not in the sheet, would become a byte order mark.
    if not builder.ends_line() or (not builder.texts and "\ufeff" in sheet.text[start:]):
        builder.write("\n")
    builder.copy(sheet.path, sheet.text, start, len(sheet.text), edits)
    builder.write(one.ending + ("" if builder.ends_line() and not one.ending else "\n"))
