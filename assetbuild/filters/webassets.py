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
import inspect
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from assetbuild.filters import (
    Filter,
    Filtered,
    FilterError,
    FilterUnavailableError,
    Hooks,
    Settings,
    Unit,
    libsass,
    modules,
    needs,
    process,
)
from assetbuild.reading import content
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
_PURE = frozenset((*_CHECKED, "slimit", "css_slimmer"))

#: Filters whose program reads the source file by itself though their hook is given the text.
_READING = frozenset(("handlebars", "closure_tmpl"))

#: The hooks of each stage, in the order in which webassets calls them.
_STAGES: Mapping[Hooks, tuple[str, ...]] = {
    "all": ("open", "input", "concat", "output"),
    "parts": ("open", "input"),
    "whole": ("concat", "output"),
}

_REFUSED = {
    "cssrewrite": "cssrewrite is not needed: assetbuild rewrites references itself",
    "dustjs": "the filter dustjs compiles whole folders, and makes nothing of a file: compile the templates before the build",
    "jspacker": "the filter jspacker loses a word of the script for each number in it: use rjsmin or uglifyjs",
    "replace": "the filter replace takes arguments, which its name cannot give: write a Filter class that does it",
}


#: Keys of webassets' configuration that say where it reads, writes and caches; here that is not theirs to say.
_OURS = frozenset(("directory", "load_path", "url_mapping", "cache", "manifest", "auto_build", "versions", "updater"))

#: Filters change the working folder and patch their libraries' settings, which belong to the whole process.
_ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True, slots=True)
class Given:
    """A filter that a project's own bundles hold as an object, under a name by which messages can tell it.

    base: the name of the filter of webassets' that it is, or "". make: a fresh one; None where the base's name makes it.
    identity: what tells it from others; the same in every process. settings: what it is set to besides the settings of all.
    hooks: the only ones to be called, or () for those of the stage. around: what has to be entered while it works.
    """

    base: str = ""
    make: Callable[[], Any] | None = None
    identity: tuple[str, ...] = ()
    settings: Settings = field(default_factory=dict)
    hooks: tuple[str, ...] = ()
    around: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext


#: Filters that projects gave, by the names that chains call them. Workers, which are forked, have them from the process that
#: read the bundles; nothing is handed to a worker that is not.
_given: dict[str, Given] = {}


#: The filters that webassets brings, by name: one of a project's own may take the place of such a one, and give it back.
_THEIRS: Mapping[str, type] = {
    name: one for name, one in webassets.filter._FILTERS.items() if one.__module__.startswith("webassets.")
}


def unregister(is_gone: Callable[[type], bool]) -> None:
    """Classes that a project has registered with webassets, and would not if it began now, are known by their names no more."""
    known: dict[str, type] = webassets.filter._FILTERS
    for name in [name for name, one in known.items() if is_gone(one)]:
        del known[name]
        if name in _THEIRS:
            known[name] = _THEIRS[name]


modules.when_forgotten.append(lambda names: unregister(lambda one: one.__module__ in names))


def give(name: str, given: Given) -> None:
    """Make a filter known under a name, in place of what had that name."""
    _given[name] = given


def load(
    name: str,
    settings: Settings,
    *,
    search: tuple[str, ...] = (),
    time_limit: float = process.TIME_LIMIT,
    hooks: Hooks = "all",
) -> Filter:
    """A fresh filter by the name that webassets knows, or `package.module:Class`, or a name that was given.

    settings: webassets' settings (`LESS_BIN`, …); what they leave open, the environment may say. search: folders in which
    modules, programs (in `node_modules/.bin`) and relative paths are looked for. time_limit: seconds for an external tool.
    hooks: which of its hooks are called. Raises FilterUnavailableError.
    """
    if name in _REFUSED:
        raise FilterUnavailableError(_REFUSED[name])
    given = _given.get(name, Given(name))
    own = {key.upper() for key in given.settings}
    settings = {key: value for key, value in settings.items() if key.upper() not in own} | dict(given.settings)
    if given.base == "libsass" and given.make is None:
        return libsass.load(name, settings, search, hooks)
    with _ONE_AT_A_TIME, _at_home(search), given.around():
        make, implementation = (given.make, given.identity) if given.make else _implementation(given.base)
        plain = _Plain(name, given, settings, search, time_limit, make, given.hooks or _STAGES[hooks])
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            one, asked = plain.set_up(os.getcwd(), ())
            tools = needs.versions(given.base, one, plain.runner(tempfile.gettempdir()).find)
        options = tuple(sorted(f"{key}={readable(value)}" for key, value in asked.items() if value is not None))
        version = needs.package_version("webassets")
        stage = given.hooks or (() if hooks == "all" else (hooks,))
        identity = ("webassets", version, given.base, *stage, *implementation, *tools, *options)
        checked = _CHECKED.get(given.base) if given.make is None else None
        return _Loaded(name, checked is not None, given.base in _PURE and given.make is None, identity, plain)


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
        if not self.keeps_meaning:
            return self._plain.apply(text, unit)
        try:
            filtered = self._plain.apply(text, unit)
            difference = _first_difference(self._plain.given.base, text, filtered.text)
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
    given: Given
    settings: Settings
    search: tuple[str, ...]
    time_limit: float
    make: Callable[[], Any]
    hooks: tuple[str, ...]

    def runner(self, workspace: str, suffix: str = "", **extra: str) -> _Runner:
        folders = [os.path.join(folder, "node_modules", ".bin") for folder in self.search]
        path = os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])
        # Without a terminal some tools still colour what they say, and FORCE_COLOR overrules NO_COLOR.
        env = {key: value for key, value in os.environ.items() if key != "FORCE_COLOR"}
        env |= {"PATH": path, "TMPDIR": workspace, "NO_COLOR": "1"} | extra
        return _Runner(workspace, env, self.search, self.time_limit, suffix)

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
            what = needs.missing_package(self.given.base) if not hasattr(one, "jar") else ""
        except Exception as error:
            what = needs.missing_package(self.given.base) or needs.remedy(self.given.base) or _unusable(error)
        if what:
            raise FilterUnavailableError(what)
        if hasattr(one, "java_bin") or hasattr(one, "java"):
            context.asked["JAVA_HOME"] = os.environ.get("JAVA_HOME")
        if self.given.base == "cssutils":
            one.cssutils = _CSSUtilsOffline(one.cssutils)
        return one, context.asked

    def apply(self, text: str, unit: Unit) -> Filtered:
        with (
            _ONE_AT_A_TIME,
            _at_home(self.search),
            self.given.around(),
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
        """Call the hooks in the order in which webassets does for a bundle of one source, or those of one stage of it."""
        one, _ = self.set_up(unit.roots[0] if unit.roots else workspace, unit.roots)
        read = _fence_urls(one, unit)
        if runtime := getattr(one, "jade_runtime", None):
            read.add(os.path.abspath(runtime))
        source_path = unit.file or _written(text, os.path.join(workspace, "source", unit.logical_path))
        output_path = os.path.join(workspace, "output", unit.logical_path)
        os.makedirs(os.path.dirname(output_path))
        bundle = {"output": unit.logical_path, "output_path": output_path}
        source = {"source": unit.logical_path, "source_path": source_path}
        hooks = {hook for hook in self.hooks if callable(getattr(one, hook, None))}
        runner = self.runner(workspace, os.path.splitext(unit.logical_path)[1], **needs.environment(self.given.base, one))
        with _calling(one, runner):
            if self.given.base == "cleancss" and one.cleancss_ver >= 4 and not _inlines(one.extra_args or ()):
                # It would look for what is imported in the working folder; references are linked by us, these too.
                one.extra_args = [*(one.extra_args or ()), "--inline", "none"]
            opens = "open" in hooks
            reads = self.given.base in _READING and "concat" in hooks
            if (opens or reads) and not _holds(source_path, text):
                raise FilterError("it reads the file itself, and so must be the first of its chain")
            if opens:
                text = _taken(lambda out: one.open(out, source_path, source=unit.logical_path, **bundle))
            if "input" in hooks:
                given = text
                text = _taken(lambda out: one.input(_stream(given), out, **bundle, **source))
            if "concat" in hooks:
                hunk = _MemoryHunk(text)
                text = _taken(lambda out: one.concat(out, [(hunk, source)], **bundle))
            if "output" in hooks:
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
    suffix: str

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

        `{input}` and `{output}` are placeholders where they are a whole argument, or all that follows an option's `=`; and
        anywhere in a class's argv, for which _evaluate put marks that no argument can hold.
        """
        data = data.read() if hasattr(data, "read") else data
        sent = data.encode() if isinstance(data, str) else data or b""
        files: dict[str, str] = {}

        def file_for(placeholder: str) -> str:
            if placeholder not in files:
                descriptor, files[placeholder] = tempfile.mkstemp(dir=self.workspace)
                os.close(descriptor)
            return files[placeholder]

        def placed(argument: str) -> str:
            for placeholder, mark in _MARKS.items():
                if argument == placeholder or (argument.startswith("-") and argument.endswith("=" + placeholder)):
                    argument = argument.removesuffix(placeholder) + mark
                if mark in argument:
                    argument = argument.replace(mark, file_for(placeholder))
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
        stem = source.removesuffix(".ts")
        if self.suffix == ".tsx":
            # webassets calls every source .ts, in which JSX is a syntax error.
            source = shutil.copyfile(source, stem + ".tsx")
        self.run([*argv[:place], "--outDir", folder, source, *argv[place + 3 :]])
        made = os.path.join(folder, os.path.basename(stem) + ".js")
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


#: What stands for a file in an argument until it is run; no argument of a program can hold a NUL.
_MARKS = {"{input}": "\0input\0", "{output}": "\0output\0"}


def _open(file: str, mode: str = "r", **how: Any) -> IO[Any]:
    """In place of the built-in open() in webassets' filters, whose text depends on the machine's locale."""
    if "b" not in mode:
        how = {"encoding": "utf-8", "newline": ""} | how
    return open(file, mode, **how)


def _evaluate(tool: Any, args: Sequence[Any], kwargs: dict[str, Any], out: Any, data: Any = None) -> None:
    """In place of webassets.filter.ExternalTool._evaluate: the class's argv is a template, what is put into it is not."""
    values = kwargs | {"self": tool, "input": _MARKS["{input}"], "output": _MARKS["{output}"]}

    def filled(part: str) -> str:
        # webassets formats twice, and its requirejs relies on that.
        part = part.replace("{{input}}", "{input}").replace("{{output}}", "{output}")
        return part.format(*args, **values)

    argv = [filled(part) for part in tool.argv]
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
        swaps += [(sys.modules[module], "open", _open)]
    before = [(where, name, vars(where).get(name)) for where, name, _ in swaps]
    try:
        for where, name, value in swaps:
            setattr(where, name, value)
        yield
    finally:
        for where, name, value in before:
            if value is None and name == "open":
                delattr(where, name)
            else:
                setattr(where, name, value)


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


def _inlines(arguments: Sequence[str]) -> bool:
    """Whether clean-css is told which imports to put in place."""
    return any(argument.startswith("--inline") or argument == "-i" for argument in arguments)


class _CSSUtilsOffline:
    """The library cssutils, as far as webassets uses it; of itself it asks the network for every `@import`."""

    def __init__(self, library: Any) -> None:
        self.ser = library.ser
        self.parseString = library.CSSParser(fetcher=lambda _url: None).parseString


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
        return content(file) == text.encode()
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
    above = unit.file.removesuffix(unit.logical_path)
    for root in (above if above != unit.file else "", *(f"{root}{os.sep}" for root in unit.roots)):
        message = message.replace(root, "") if root else message
    return message


@contextlib.contextmanager
def _at_home(search: tuple[str, ...]) -> Iterator[None]:
    """In the first of the folders: relative paths in settings, and plugins that a tool looks for in the working folder, are the
    same wherever the build was started. With the folders' modules; without warnings, which are for the authors of libraries."""
    path, folder = list(sys.path), os.getcwd()
    sys.path[:0] = [name for name in search if name not in path]
    try:
        if search:
            os.chdir(search[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.chdir(folder)
        sys.path[:] = path


def _implementation(name: str) -> tuple[Callable[[], Any], tuple[str, ...]]:
    """What makes the filter, and where it is implemented. Raises FilterUnavailableError."""
    module_name, colon, attribute = name.partition(":")
    if not colon:
        known: dict[str, type] = webassets.filter._FILTERS
        if name not in known:
            near = difflib.get_close_matches(name, sorted((known.keys() | {"dart_sass"}) - _REFUSED.keys()), 3)
            help_ = f"; the nearest {'are' if near[1:] else 'is'} {', '.join(near)}" if near else ""
            raise FilterUnavailableError(f'no filter is called "{name}"{help_}')
        return known[name], class_identity(known[name])
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


def _module(name: str) -> tuple[types.ModuleType, str]:
    """A module of the user's own, and its digest."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return modules.imported(name)
    except (Exception, SystemExit) as error:
        raise FilterUnavailableError(f"{name} cannot be imported: {_said(error)}") from error


def class_identity(one: type) -> tuple[str, ...]:
    """What tells a filter class from others: webassets' own by its module, since webassets' version is told besides."""
    if one.__module__.startswith("webassets."):
        return (one.__module__,)
    return (f"{one.__module__}:{one.__qualname__}", modules.digest(one.__module__))


def readable(value: object) -> str:
    """A setting's value for a key that two runs compare."""
    if isinstance(value, re.Pattern):
        return f"{value.pattern!r} {value.flags}"
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError):
        # An object of the program's own: nothing tells whether the next run's is the same.
        return f"{type(value).__qualname__} {os.urandom(8).hex()}"
