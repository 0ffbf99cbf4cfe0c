"""rjsmin, and the proof that it changed nothing: what it makes of a script is taken only where its tokens, and the line ends
that may end a statement, are those of the source. What it is known to misread is first put out of its reach and put back
afterwards; the proof is always about the final text."""

from __future__ import annotations

from collections.abc import Callable

from assetbuild.filters import Filtered, FilterUnavailableError, Unit
from assetbuild.references import Note
from assetbuild.syntax import LexError, expression, js
from assetbuild.syntax.js import comparison
from assetbuild.syntax.js.skeleton import canonical, merges, skeleton
from assetbuild.syntax.js.spans import Lexed, unused_mark
from assetbuild.syntax.js.tokens import guarded

# Goes up when the same rjsmin would lead to another text here.
_REVISION = "3"
# Comments that stay in a gap are looked at again from each of its line ends.
_MANY = 500
_PRIVATE_USE = range(0xE000, 0xF900)
# rjsmin drops line ends before these, where one may end a statement or a field of a class; a guard holds it. In a comment or a
# template it does nothing: it goes as it came. Each match is a stretch that ends where a guard belongs, or with the text, so
# that no gap is looked at again, however many lines it has.
_LINE_END_GAP = r"\n(?:\s++|//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)*+"
_UP_TO_DROPPED = expression(rf"""(?:[^\n]++|{_LINE_END_GAP}(?![#"'`~/]))*+(?:{_LINE_END_GAP}|\Z)""")
# The same in a skeleton, and before a star, which may begin a generator behind a field of a class.
_COMMENTS = r"(?:/\*!n?\*/\s*+)*+"
_DROPPED = expression(rf"\n(?:{_COMMENTS}(?=[#\"/~])|(?<![{{(\[;,=:?!~&|^%*<>/]\n){_COMMENTS}(?=\*(?![*=])))")
_DROPPED_BEFORE_STAR = expression(r"\}[ \t\r]*+\n\s*+(?=\*)")


def _load() -> tuple[Callable[..., str], str]:
    try:
        import rjsmin
    except ImportError:
        raise FilterUnavailableError('rjsmin needs the build extra: pip install "assetbuild[build]"') from None
    return rjsmin.jsmin, rjsmin.__version__


class RJSMin:
    """The filter `rjsmin`: blanks, comments and idle line ends go, `/*! … */` stays. A script of which no such text can be
    proved to mean the same is handed back as it was, with a note."""

    name = "rjsmin"
    keeps_meaning = True
    pure = True

    def __init__(self) -> None:
        self._minify, self._version = _load()

    def identity(self) -> tuple[str, ...]:
        """The C and the Python build of one version make different texts, so the build is told apart."""
        build = "python" if hasattr(self._minify, "__code__") else "c"
        return ("rjsmin", self._version, build, _REVISION)

    def apply(self, text: str, unit: Unit) -> Filtered:
        goal = js.goal(unit.logical_path)
        try:
            source = js.scan(text, goal)
        except LexError as error:
            note = Note(error.offset, f"{error.message}; published as it was written")
            return Filtered(text, notes=(note,), refused=True)
        mark = unused_mark(text)
        guard = next((chr(code) for code in _PRIVATE_USE if chr(code) not in text), "")
        if not mark or not guard:
            return _refused(text, 0)
        masked = source.masked(mark)
        proven = self._proven(source, masked, mark, guard)
        if proven is not None:
            return Filtered(proven.text, lexed=proven)
        held = _DROPPED_BEFORE_STAR.sub(rf"\g<0>{guard}", _held(masked, guard))
        minified = self._minified(source, held, mark, guard)
        difference = comparison.difference(source, minified)
        if difference is None:
            return Filtered(minified)
        minified = self._minified(source, guarded(masked, guard), mark, guard)
        if comparison.difference(source, minified) is None:
            return Filtered(minified)
        return _refused(text, difference.left)

    def _proven(self, source: Lexed, masked: str, mark: str, guard: str) -> Lexed | None:
        """What rjsmin makes of a text's skeleton, filled, where that has the same tokens: then nothing of it needs to be read
        again. None where the slow way has to decide."""
        bones = skeleton(masked.removeprefix("\ufeff"))
        # Without a comment as in HTML a script may look like a module.
        if bones is None or bones.comments > _MANY or "html" in source.kinds:
            return None
        held = _DROPPED.sub(rf"\g<0>{guard}", bones.text)
        minified: str = self._minify(held, keep_bang_comments=True)
        minified = minified.replace(guard, "")
        if merges(minified, source.module) or canonical(bones.text) != canonical(minified):
            return None
        filled = bones.filled(minified)
        return None if filled is None else source.restored(filled, mark, _head(source, masked))

    def _minified(self, source: Lexed, masked: str, mark: str, guard: str) -> str:
        """What rjsmin makes of a masked text, with what the marks and guards stand for put back. It sees neither a regular
        expression nor an unfinished comment, which it would look at again and again."""
        head = _head(source, masked)
        minified = self._minify(masked.removeprefix("\ufeff"), keep_bang_comments=True)
        minified = minified.replace(guard, "")
        restored = source.restored(minified, mark, head)
        return head + minified if restored is None else restored.text  # Where it lost something, the proof will say where.


def _head(source: Lexed, masked: str) -> str:
    """What stays at a text's head, out of rjsmin's sight."""
    hashbang = source.hashbang()
    return hashbang + "\n" if hashbang else "\ufeff" if masked.startswith("\ufeff") else ""


def _held(masked: str, guard: str) -> str:
    """A masked text with a guard behind each line end that rjsmin would drop."""
    return guard.join(filter(None, _UP_TO_DROPPED.findall(masked)))


def _refused(text: str, offset: int) -> Filtered:
    note = Note(offset, "rjsmin would change the meaning here; published as it was written")
    return Filtered(text, notes=(note,), refused=True)
