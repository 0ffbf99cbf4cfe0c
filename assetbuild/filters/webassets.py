"""Any webassets filter as a step of a chain, fenced.

What is fenced: everything that webassets' own filters run goes through `process`, with no shell, a time limit and file names
as they are; files that a filter makes on its way are in a folder that goes when it is done; the working folder, standard
output and webassets' own state are as before afterwards; one filter runs at a time in a process, since some change the
working folder. What is not: an external tool, or a filter class of the user's own, may read and write whatever the user may;
a class that starts programs by itself, not through webassets' ExternalTool, has only the time limit of the file.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import inspect
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assetbuild.filters import Filter, Filtered, FilterError, FilterUnavailableError, Settings, Unit, libsass, needs, process
from assetbuild.references import Note
from assetbuild.syntax import Difference, LexError

with warnings.catch_warnings():
    # webassets imports every filter's module at once, and tells of each that is of no use here.
    warnings.simplefilter("ignore")
    import webassets.bundle
    import webassets.env
    import webassets.exceptions
    import webassets.filter
    import webassets.merge

# webassets says that it is typed, and is not.
_Environment: Any = webassets.env.Environment
_ContextWrapper: Any = webassets.bundle.ContextWrapper
_MemoryHunk: Any = webassets.merge.MemoryHunk
_ExternalTool: Any = webassets.filter.ExternalTool

#: Filters that promise to keep the meaning, with the language in which that is checked.
_CHECKED = {"cssmin": "css", "jsmin": "js", "rcssmin": "css", "rjsmin": "js"}
#: Filters whose output the text and the options alone decide.
_PURE = frozenset((*_CHECKED, "jspacker", "slimit", "css_slimmer"))

#: Filters whose program reads the source file by itself though their hook is given the text.
_READING = frozenset(("handlebars", "closure_tmpl"))

_REFUSED = {
    "cssrewrite": "cssrewrite is not needed: assetbuild rewrites references itself",
    "replace": "the filter replace takes arguments, which its name cannot give: write a Filter class that does it",
}


#: Keys of webassets' configuration that say where it reads, writes and caches; here that is not theirs to say.
_OURS = frozenset(("directory", "load_path", "url_mapping", "cache", "manifest", "auto_build", "versions", "updater"))

#: Filters change the working folder and patch their libraries' settings, which belong to the whole process.
_ONE_AT_A_TIME = threading.RLock()


def load(name: str, settings: Settings, *, search: tuple[str, ...] = (), time_limit: float = process.TIME_LIMIT) -> Filter:
    """A fresh filter by the name that webassets knows, or `package.module:Class`.

    settings: webassets' settings (`LESS_BIN`, …); what they leave open, the environment may say. search: folders in which
    modules, programs (in `node_modules/.bin`) and relative paths are looked for. time_limit: seconds for an external tool.
    Raises FilterUnavailableError.
    """
    if name in _REFUSED:
        raise FilterUnavailableError(_REFUSED[name])
    if name == "libsass":
        return libsass.load(name, settings, search)
    with _ONE_AT_A_TIME, _importable(search):
        make, implementation = _implementation(name)
        plain = _Plain(name, settings, search, time_limit, make)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            one, asked = plain.set_up(os.getcwd(), ())
        tools = needs.versions(name, one, plain.runner(tempfile.gettempdir()).find)
        options = tuple(sorted(f"{key}={_readable(value)}" for key, value in asked.items() if value is not None))
        identity = ("webassets", needs.package_version("webassets"), name, *implementation, *tools, *options)
        return _Loaded(name, name in _CHECKED, name in _PURE, identity, plain)


def fault(name: str) -> str:
    """Why no filter can have this name, be its tool installed or not; or ""."""
    try:
        _implementation(name)
    except FilterUnavailableError as error:
        return error.message
    return _REFUSED.get(name, "")


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A webassets filter that is there and set up; apply() makes one of its own."""

    name: str
    keeps_meaning: bool
    pure: bool
    _identity: tuple[str, ...]
    _plain: _Plain

    def identity(self) -> tuple[str, ...]:
        return self._identity

    def apply(self, text: str, unit: Unit) -> Filtered:
        if self.name not in _CHECKED:
            return self._plain.apply(text, unit)
        try:
            filtered = self._plain.apply(text, unit)
            difference = _first_difference(self.name, text, filtered.text)
        except LexError as error:
            return Filtered(text, (), (Note(error.offset, f"not minified: {error.message}"),), refused=True)
        if difference is None:
            return filtered
        what = f"{self.name} would change what this means, so the file stays as it is written"
        return Filtered(text, filtered.read, (Note(difference.left, what),), refused=True)


def _first_difference(name: str, source: str, output: str) -> Difference | None:
    if _CHECKED[name] == "css":
        from assetbuild.syntax.css import comparison as css

        return css.first_difference(source, output)
    from assetbuild.syntax.js import comparison as js

    return js.first_difference(source, output)


@dataclass(frozen=True, slots=True)
class _Plain:
    """How a webassets filter is made, set up and called."""

    name: str
    settings: Settings
    search: tuple[str, ...]
    time_limit: float
    make: Callable[[], Any]

    def runner(self, workspace: str) -> _Runner:
        folders = [os.path.join(folder, "node_modules", ".bin") for folder in self.search]
        path = os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])
        # Without a terminal some tools still colour what they say, and FORCE_COLOR overrules NO_COLOR.
        env = {key: value for key, value in os.environ.items() if key != "FORCE_COLOR"}
        env |= {"PATH": path, "TMPDIR": workspace, "NO_COLOR": "1"}
        return _Runner(workspace, env, self.search, self.time_limit)

    def set_up(self, directory: str, roots: tuple[str, ...]) -> tuple[Any, dict[str, object]]:
        """A fresh filter that is ready to be called, and every setting that it asked for. Raises FilterUnavailableError."""
        environment = _Environment(directory, "/", cache=False, manifest=False, auto_build=False)
        environment.load_path = list(roots)
        environment.config.update({k: v for k, v in self.settings.items() if k.lower() not in _OURS})
        context = _Context(environment)
        try:
            one = self.make()
            one.set_context(context)
            one.setup()
            what = needs.missing_package(self.name) if not hasattr(one, "jar") else ""
        except Exception as error:
            what = needs.missing_package(self.name) or _unusable(error)
        if what:
            raise FilterUnavailableError(what)
        if hasattr(one, "java_bin") or hasattr(one, "java"):
            context.asked["JAVA_HOME"] = os.environ.get("JAVA_HOME")
        return one, context.asked

    def apply(self, text: str, unit: Unit) -> Filtered:
        with (
            _ONE_AT_A_TIME,
            _importable(self.search),
            tempfile.TemporaryDirectory(prefix="assetbuild-", ignore_cleanup_errors=True) as workspace,
        ):
            said = io.StringIO()
            try:
                with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                    text, read = self._call(text, unit, workspace)
            except FilterError as error:
                message = _without(error.message, workspace, unit)
                raise type(error)(message, error.line, error.column, error.file) from error
            except (Exception, SystemExit) as error:
                raise FilterError(_without(_said(error), workspace, unit)) from error
            spoken = process.sentence(_without(said.getvalue(), workspace, unit))
            return Filtered(text, read, (Note(0, f"{self.name} says: {spoken}"),) if spoken else ())

    def _call(self, text: str, unit: Unit, workspace: str) -> tuple[str, tuple[str, ...]]:
        """Call the hooks in the order in which webassets does for a bundle of one source."""
        one, _ = self.set_up(unit.roots[0] if unit.roots else workspace, unit.roots)
        read = _fence_urls(one, unit)
        source_path = unit.file or _written(text, os.path.join(workspace, "source", unit.logical_path))
        output_path = os.path.join(workspace, "output", unit.logical_path)
        os.makedirs(os.path.dirname(output_path))
        bundle = {"output": unit.logical_path, "output_path": output_path}
        source = {"source": unit.logical_path, "source_path": source_path}
        with _calling(one, self.runner(workspace)):
            opens = callable(getattr(one, "open", None))
            if (opens or self.name in _READING) and not _holds(source_path, text):
                raise FilterError("it reads the file itself, and so must be the first of its chain")
            if opens:
                text = _taken(lambda out: one.open(out, source_path, source=unit.logical_path, **bundle))
            if callable(getattr(one, "input", None)):
                given = text
                text = _taken(lambda out: one.input(_stream(given), out, **bundle, **source))
            if callable(getattr(one, "concat", None)):
                hunk = _MemoryHunk(text)
                text = _taken(lambda out: one.concat(out, [(hunk, source)], **bundle))
            if callable(getattr(one, "output", None)):
                whole = text
                text = _taken(lambda out: one.output(_stream(whole), out, **bundle))
        return text, tuple(sorted(read))


class _Context(_ContextWrapper):  # type: ignore[misc]
    """What a filter sees of its environment, with a list of the settings that it asked for."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment, None)
        self.asked: dict[str, object] = {}

    def get(self, key: str, default: object = None) -> object:
        value: object = super().get(key, default)
        # Where the settings say nothing, the filter looks for a variable of the same name.
        self.asked[key] = os.environ.get(key) if value is None else value
        return value


@dataclass(frozen=True, slots=True)
class _Runner:
    """What takes the place of `subprocess` in webassets' filters."""

    workspace: str
    env: dict[str, str]
    search: tuple[str, ...]
    time_limit: float

    def find(self, program: str) -> str | None:
        """The program's absolute path; a relative one with a slash is taken from the configuration's folder first."""
        for folder in (*self.search, os.getcwd()):
            if found := process.find(program, cwd=folder, path=self.env["PATH"]):
                return found
        return None

    def run(self, argv: Sequence[str], data: bytes = b"", cwd: str | None = None) -> bytes:
        """Standard output. Raises FilterError where the tool is missing, fails, or goes beyond a limit."""
        program, *arguments = map(os.fsdecode, argv)
        found = self.find(program)
        if found is None:
            raise FilterUnavailableError(f'the program "{program}" was not found')
        finished = process.run(
            [found, *arguments], data, cwd=cwd, env=self.env, time_limit=self.time_limit, scratch=self.workspace
        )
        if finished.status:
            raise process.failure(finished, os.path.basename(program))
        return finished.stdout

    def external_tool(self, argv: Sequence[str], out: Any, data: Any = None, cwd: str | None = None) -> None:
        """In place of webassets.filter.ExternalTool.subprocess, which formats every argument, file names too.

        `{input}` and `{output}` are placeholders where they are a whole argument, or all that follows an option's `=`.
        """
        data = data.read() if hasattr(data, "read") else data
        sent = data.encode() if isinstance(data, str) else data or b""
        files: dict[str, str] = {}

        def placed(argument: str) -> str:
            for placeholder in ("{input}", "{output}"):
                if argument == placeholder or (argument.startswith("-") and argument.endswith("=" + placeholder)):
                    if placeholder not in files:
                        descriptor, files[placeholder] = tempfile.mkstemp(dir=self.workspace)
                        os.close(descriptor)
                    return argument.removesuffix(placeholder) + files[placeholder]
            return argument

        argv = [placed(os.fsdecode(argument)) for argument in argv]
        if "{input}" in files:
            Path(files["{input}"]).write_bytes(sent)
            sent = b""
        made = self.run(argv, sent, cwd)
        if "{output}" in files:
            made = _limited(files["{output}"])
        out.write(process.decoded(made, os.path.basename(argv[0])))

    def typescript(self, argv: Sequence[str]) -> None:
        """Run `tsc --outFile OUTPUT INPUT …`. TypeScript 7 has dropped that option, and never took it for modules unless all
        were joined: the output is written into a folder and put where webassets' filter reads it."""
        place = argv.index("--outFile")
        output, source = argv[place + 1], argv[place + 2]
        folder = tempfile.mkdtemp(dir=self.workspace)
        self.run([*argv[:place], "--outDir", folder, *argv[place + 2 :]])
        made = os.path.join(folder, os.path.basename(source).removesuffix(".ts") + ".js")
        if not os.path.isfile(made):
            raise FilterError('"tsc" made no JavaScript of it')
        os.replace(made, output)

    def popen(self) -> type:
        """In place of subprocess.Popen, as far as webassets' filters use it."""
        runner = self

        class Popen:
            def __init__(self, args: Sequence[str], cwd: str | None = None, **_: object) -> None:
                self.args, self.cwd, self.returncode = args, cwd, 0

            def communicate(self, data: bytes | str | None = None) -> tuple[Any, Any]:
                if "--outFile" in self.args:
                    runner.typescript(self.args)
                    return b"", b""
                if isinstance(data, str):
                    name = os.path.basename(self.args[0])
                    return process.decoded(runner.run(self.args, data.encode(), self.cwd), name), ""
                return runner.run(self.args, data or b"", self.cwd), b""

        return Popen


def _limited(file: str) -> bytes:
    if os.path.getsize(file) > process.OUTPUT_LIMIT:
        raise FilterError(f"it wrote more than {process.OUTPUT_LIMIT} bytes")
    return Path(file).read_bytes()


def _evaluate(tool: Any, args: Sequence[Any], kwargs: dict[str, Any], out: Any, data: Any = None) -> None:
    """In place of webassets.filter.ExternalTool._evaluate: the class's argv is a template, what is put into it is not."""
    values = {key: value for key, value in kwargs.items() if key not in ("input", "output")} | {"self": tool}
    argv = [part if "{input}" in part or "{output}" in part else part.format(*args, **values) for part in tool.argv]
    tool.subprocess(argv, out, data=data)


@contextlib.contextmanager
def _calling(one: Any, runner: _Runner) -> Iterator[None]:
    """While a filter works: its programs go through the runner, its temporary files into the workspace."""
    popen = runner.popen()
    ours = types.SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE)
    swaps: list[tuple[Any, str, object]] = [
        (_ExternalTool, "subprocess", staticmethod(runner.external_tool)),
        (_ExternalTool, "_evaluate", _evaluate),
        (tempfile, "tempdir", runner.workspace),
    ]
    for module in {cls.__module__ for cls in type(one).__mro__ if cls.__module__.startswith("webassets.filter.")}:
        names = vars(sys.modules[module])
        swaps += [(sys.modules[module], "subprocess", ours)] if names.get("subprocess") is subprocess else []
        swaps += [(sys.modules[module], "Popen", popen)] if names.get("Popen") is subprocess.Popen else []
    before = [(where, name, vars(where)[name]) for where, name, _ in swaps]
    folder = os.getcwd()
    try:
        for where, name, value in swaps:
            setattr(where, name, value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for where, name, value in before:
            setattr(where, name, value)
        os.chdir(folder)


def _fence_urls(one: Any, unit: Unit) -> set[str]:
    """Keep a filter that puts files in place of URLs (datauri) inside the roots; the set fills with what it read."""
    read: set[str] = set()
    replace: Callable[[str], str | None] | None = getattr(one, "replace_url", None)
    if replace is None:
        return read
    roots = [os.path.realpath(root) for root in unit.roots]

    def fenced(url: str) -> str | None:
        file = os.path.normpath(os.path.join(os.path.dirname(unit.file), url))
        real = os.path.realpath(file)
        if os.path.isfile(file) and not any(os.path.commonpath((real, root)) == root for root in roots):
            return None
        new = replace(url)
        if new is not None and os.path.isfile(file):
            read.add(file)
        return new

    one.replace_url = fenced
    return read


def _stream(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def _taken(call: Callable[[io.StringIO], object]) -> str:
    out = io.StringIO(newline="")
    call(out)
    return out.getvalue()


def _written(text: str, file: str) -> str:
    os.makedirs(os.path.dirname(file))
    Path(file).write_bytes(text.encode())
    return file


def _holds(file: str, text: str) -> bool:
    try:
        return Path(file).read_bytes() == text.encode()
    except OSError:
        return False


def _said(error: BaseException) -> str:
    """What a library raised, as a sentence."""
    if isinstance(error, SystemExit):
        return f"it tried to end the program with status {error.code}"
    message = process.first_error(str(error))
    # A KeyError's text is a bare name; webassets' own errors speak for themselves.
    own = isinstance(error, webassets.exceptions.BundleError | webassets.exceptions.EnvironmentError)
    return message if own and message else f"{type(error).__name__}: {message}".removesuffix(": ")


def _unusable(error: Exception) -> str:
    """Why a filter cannot be set up, as a sentence."""
    if isinstance(error.__context__, ImportError):
        # webassets says of a package that is installed and broken that it is not installed.
        return f"it cannot be used here: {_said(error.__context__)}"
    # Most of webassets' filters say by a bare OSError what they lack.
    if isinstance(error, webassets.exceptions.EnvironmentError) or (isinstance(error, OSError) and error.errno is None):
        return process.sentence(str(error))
    return f"it cannot be used here: {_said(error)}"


def _without(message: str, workspace: str, unit: Unit) -> str:
    """A message in which the source has the name that the user knows, under whatever name the tool was given it."""
    message = re.sub(rf"[^\s\"'(]*{re.escape(os.path.basename(workspace))}/[\w./]*\w", lambda _: unit.logical_path, message)
    for root in (unit.file.removesuffix(unit.logical_path), *(f"{root}{os.sep}" for root in unit.roots)):
        message = message.replace(root, "") if root else message
    return message


@contextlib.contextmanager
def _importable(search: tuple[str, ...]) -> Iterator[None]:
    before = list(sys.path)
    sys.path[:0] = [folder for folder in search if folder not in before]
    try:
        yield
    finally:
        sys.path[:] = before


def _implementation(name: str) -> tuple[Callable[[], Any], tuple[str, ...]]:
    """What makes the filter, and where it is implemented. Raises FilterUnavailableError."""
    module_name, colon, attribute = name.partition(":")
    if not colon:
        known: dict[str, type] = webassets.filter._FILTERS
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known.keys() - _REFUSED.keys()), 3)
            help_ = f"; the nearest {'are' if near[1:] else 'is'} {', '.join(near)}" if near else ""
            raise FilterUnavailableError(f'no filter is called "{name}"{help_}')
        return known[name], (known[name].__module__,)
    if not attribute:
        raise FilterUnavailableError(f"{module_name} has no filter named behind the colon")
    module, digest = _module(module_name)
    found = getattr(module, attribute, None)
    if found is None:
        near = difflib.get_close_matches(attribute, [n for n in dir(module) if not n.startswith("_")], 1)
        raise FilterUnavailableError(f"{module_name} has no {attribute}" + (f"; the nearest is {near[0]}" if near else ""))
    if not inspect.isclass(found) or not issubclass(found, webassets.filter.Filter):
        raise FilterUnavailableError(f"{name} is not a subclass of webassets.filter.Filter")
    return found, (name, digest)


#: The digest of each module's source as it was when it was imported.
_imported: dict[str, str] = {}


def _module(name: str) -> tuple[types.ModuleType, str]:
    """A module of the user's own and its source's digest. One that was edited since it was imported is imported again."""
    try:
        importlib.invalidate_caches()
        spec = importlib.util.find_spec(name)
        origin = spec.origin if spec else None
        digest = ""
        if origin and os.path.isfile(origin):
            digest = hashlib.sha256(Path(origin).read_bytes()).hexdigest()
        with contextlib.redirect_stdout(io.StringIO()):
            module = importlib.import_module(name)
            if _imported.get(name, digest) != digest:
                module = importlib.reload(module)
    except (Exception, SystemExit) as error:
        raise FilterUnavailableError(f"{name} cannot be imported: {_said(error)}") from error
    _imported[name] = digest
    return module, digest


def _readable(value: object) -> str:
    """A setting's value for a key that two runs compare."""
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError):
        # An object of the program's own: nothing tells whether the next run's is the same.
        return f"{type(value).__qualname__} {os.urandom(8).hex()}"
