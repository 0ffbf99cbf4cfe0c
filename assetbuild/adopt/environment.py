"""The webassets environment that `bundles_from` names: imported, or read from a YAML file by webassets' own loader. While it is
open, webassets neither reads nor writes a cache or a manifest."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import io
import os
import re
import sys
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assetbuild.adopt import yaml_file
from assetbuild.config import Config
from assetbuild.errors import ConfigError, Problem
from assetbuild.filters import modules
from assetbuild.interrupts import INTERRUPTS

with warnings.catch_warnings():
    # webassets imports every filter's module at once, and tells of each that is of no use here.
    warnings.simplefilter("ignore")
    import webassets.bundle
    import webassets.env
    import webassets.loaders

# webassets says that it is typed, and is not.
_BaseEnvironment: Any = webassets.env.BaseEnvironment
_Environment: Any = webassets.env.Environment
_Bundle: Any = webassets.bundle.Bundle
_YAMLLoader: Any = webassets.loaders.YAMLLoader
_RegisterError: Any = webassets.env.RegisterError

#: What webassets must not do here: read or write its cache and its manifest, or look for the version of an output.
_FENCE = {"cache": False, "manifest": False, "versions": False, "auto_build": False, "debug": False}


@dataclass(slots=True)
class Found:
    """An environment and where it came from.

    env: the environment. app: its Flask application, or None. debug: what it said of `debug`. file: the file to blame, as one
    would type it. read: the absolute paths of the files that say it. places: line and column of what a YAML file says, by
    bundle and key. problems: what is wrong so far.
    """

    env: Any
    file: str
    app: Any = None
    debug: object = None
    read: tuple[str, ...] = ()
    places: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, bundle: str, key: str, message: str, hint: str = "", *, warning: bool = False) -> None:
        """bundle: the words that name it, "" for the environment's own. key: which of its keys."""
        named = bundle.partition(", number ")[0]
        place = self.places.get((named, key)) or self.places.get((named, "")) or (0, 0)
        where = f"bundle {bundle}: {key}" if bundle else key
        severity: Any = "warning" if warning else "error"
        self.problems.append(Problem(self.file, *place, f"{where}: {message}", hint, severity))

    def absolute(self, path: str | os.PathLike[str]) -> str:
        return os.path.normpath(os.path.abspath(path))


@contextlib.contextmanager
def opened(config: Config) -> Iterator[Found]:
    """The environment, in the configuration's folder as the working folder and inside its application's context.

    Raises ConfigError where there is none.
    """
    text = config.bundles_from or ""
    with contextlib.ExitStack() as stack:
        stack.enter_context(_at_home(config.folder))
        is_module = re.fullmatch(r"[\w.]+:[\w.]+", text) is not None
        found = _imported(config, text, stack) if is_module else _read(config, text)
        found.debug = found.env.config.get("debug")
        _directory(config, found)
        stack.enter_context(_fenced(found.env))
        yield found


@contextlib.contextmanager
def _at_home(folder: Path) -> Iterator[None]:
    """In the folder that relative paths of a module mean, with its modules importable, and with standard output kept clean."""
    here, path = os.getcwd(), list(sys.path)
    os.chdir(folder)
    sys.path[:0] = [str(folder)]
    try:
        with contextlib.redirect_stdout(io.StringIO()), _quiet():
            yield
    finally:
        sys.path[:] = path
        os.chdir(here)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What programs that the project's code runs write to standard output goes to standard error: that is for our results."""
    _flush()
    try:
        kept = os.dup(1)
    except OSError:  # It is closed.
        yield
        return
    try:
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        _flush()
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    """What stands in the buffer belongs to where descriptor 1 leads now."""
    if sys.__stdout__ is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.__stdout__.flush()


@contextlib.contextmanager
def _fenced(env: Any) -> Iterator[None]:
    """The environment is its project's own: it is left as it was."""
    before = {key: env.config.get(key) for key in _FENCE}
    env.config.update(_FENCE)
    try:
        yield
    finally:
        env.config.update(before)


def _directory(config: Config, found: Found) -> None:
    """An environment that says nothing about folders has the configured source roots."""
    env = found.env
    if found.app is not None or "directory" in env.config:
        return
    roots = [str(root) for root in config.sources]
    if not roots:
        hint = "give it one, or name the folders in sources"
        raise ConfigError([*found.problems, Problem(found.file, 0, 0, "this environment has no directory", hint)])
    env.directory = roots[0]
    if len(roots) > 1 and not env.load_path:
        env.load_path = roots


# ---- a YAML file


def _read(config: Config, text: str) -> Found:
    file = os.path.join(config.folder, text)
    found = Found(None, os.path.relpath(file, config.working_folder), read=(os.path.abspath(file),))
    document = yaml_file.parse(Path(file), found.file)
    found.places, found.problems = document.places, document.problems
    loader = _YAMLLoader(file)
    loader.yaml = types.SimpleNamespace(safe_load=lambda _: document.data)
    try:
        if document.is_environment:
            found.env = loader.load_environment()
        else:
            found.env = _Environment()
            found.env.register(loader.load_bundles())
    except Exception as error:
        problem = Problem(found.file, 0, 0, f"webassets cannot make bundles of it: {_said(error)}")
        raise ConfigError([*found.problems, problem]) from error
    return found


# ---- a module


def _imported(config: Config, text: str, stack: contextlib.ExitStack) -> Found:
    file = os.path.relpath(config.file, config.working_folder) if config.file else ""
    module_name, _, attribute = text.partition(":")

    def failed(message: str, hint: str = "", error: BaseException | None = None) -> ConfigError:
        failure = ConfigError(Problem(file, 0, 0, f"bundles_from: {message}", hint))
        failure.__cause__ = error
        return failure

    try:
        value: Any = modules.imported(module_name)[0]
    except INTERRUPTS:
        raise
    except BaseException as error:
        raise failed(f"{module_name} cannot be imported: {_said(error)}", error=error) from error
    for name in attribute.split("."):
        try:
            is_there = hasattr(value, name)
        except INTERRUPTS:
            raise
        except BaseException as error:
            raise failed(f"{text} cannot be read: {_said(error)}", error=error) from error
        if not is_there:
            environments = [one for one, what in getattr(value, "__dict__", {}).items() if isinstance(what, _BaseEnvironment)]
            near = environments or difflib.get_close_matches(name, [one for one in dir(value) if one[0] != "_"], 1)
            raise failed(f"{module_name} has no {attribute}", f'did you mean "{module_name}:{near[0]}"?' if near else "")
        value = getattr(value, name)
    if _is_factory(value):
        try:
            value = value()
        except INTERRUPTS:
            raise
        except BaseException as error:
            raise failed(f"{text} cannot be called: {_said(error)}", error=error) from error
    elif inspect.isfunction(value) or inspect.ismethod(value):
        words = ", ".join(inspect.signature(value).parameters)
        raise failed(f"{text.partition(':')[2]}({words}) needs arguments", "name a function that takes none")
    if inspect.iscoroutine(value):
        value.close()
        raise failed(f"{text} is an async function, which is not awaited", "name a function that is not async")
    app = value if hasattr(value, "app_context") else None
    if app is not None:
        value = getattr(app.jinja_env, "assets_environment", None)
        if value is None:
            raise failed(f"{text} is an application without a webassets environment", "make it with Environment(app)")
    if isinstance(value, dict) and value and all(isinstance(one, _Bundle) for one in value.values()):
        bundles, value = value, _Environment()
        value.register(bundles)
    if not isinstance(value, _BaseEnvironment):
        what = type(value).__qualname__
        hint = "name a webassets Environment, a dict of bundles, a Flask application, or a function that returns one of these"
        raise failed(f"{text} is no webassets environment but {what}", hint)
    if hasattr(type(value), "_app"):
        try:
            app = app or value._app
        except RuntimeError:
            hint = 'name the application, or the function that makes it: bundles_from = "myapp:create_app"'
            raise failed(f"{text} is an environment without its Flask application", hint) from None
        stack.enter_context(app.app_context())
    return Found(value, file, app, read=tuple(modules.files(module_name)))


def _is_factory(value: Any) -> bool:
    """Whether it is a function that can be called without arguments. An application can be called too, and is none."""
    if not callable(value) or isinstance(value, _BaseEnvironment) or hasattr(value, "app_context"):
        return False
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return False
    fixed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(p.default is not inspect.Parameter.empty or p.kind in fixed for p in parameters)


def _said(error: BaseException) -> str:
    """What was raised, as one sentence without a full stop."""
    if isinstance(error, _RegisterError | webassets.loaders.LoaderError):
        return " ".join(str(error).split()).rstrip(".")
    words = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {words}".removesuffix(": ")
