"""What each of webassets' filters needs that webassets does not bring: a Python package, a program, a Java archive. Says how
to get it, and its version, since another version makes another text."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assetbuild.filters import FilterUnavailableError


@dataclass(frozen=True, slots=True)
class Need:
    """What a filter needs that webassets does not bring.

    install: the command that brings it. module: a Python module. program: what is run unless `option`, an attribute of the
    filter that is set up, names another. jar: how to get the Java archive that a setting must name. instead: what to do where
    the Python package was never brought to Python 3.
    """

    install: str
    module: str = ""
    program: str = ""
    option: str = "binary"
    jar: str = ""
    instead: str = ""


_JAVA = "install a Java runtime"
_STYLESHEETS = Need(
    _JAVA,
    program="java",
    option="java_bin",
    jar="set CLOSURE_STYLESHEETS_PATH to the closure-stylesheets.jar of a release of google/closure-stylesheets",
)
_YUI = Need(
    _JAVA,
    program="java",
    option="java_bin",
    jar="npm install yuicompressor, and set YUI_COMPRESSOR_PATH to its build/yuicompressor-2.4.8.jar",
)


NEEDS = {
    "autoprefixer": Need(
        "npm install postcss-cli autoprefixer, and use the filter autoprefixer6", program="autoprefixer", option="autoprefixer"
    ),
    "autoprefixer6": Need("npm install postcss-cli autoprefixer", program="postcss", option="autoprefixer"),
    "babel": Need("npm install @babel/core @babel/cli", program="babel"),
    "cleancss": Need("npm install clean-css-cli", program="cleancss"),
    "clevercss": Need("pip install CleverCSS", module="clevercss", instead="use the filter libsass or stylus"),
    "closure_js": Need("pip install closure, and a Java runtime", module="closure", program="java", option="java_bin"),
    "closure_stylesheets_compiler": _STYLESHEETS,
    "closure_stylesheets_minifier": _STYLESHEETS,
    "closure_tmpl": Need("pip install closure-soy, and a Java runtime", module="closure_soy", program="java", option="java"),
    "coffeescript": Need("npm install coffeescript", program="coffee", option="coffee_bin"),
    "compass": Need("gem install compass", program="compass", option="compass"),
    "css_slimmer": Need("pip install slimmer", module="slimmer", instead="use the filter rcssmin"),
    "cssmin": Need("pip install cssmin", module="cssmin"),
    "cssprefixer": Need("pip install cssprefixer", module="cssprefixer", instead="use the filter autoprefixer6"),
    "cssutils": Need("pip install cssutils", module="cssutils"),
    "handlebars": Need("npm install handlebars", program="handlebars"),
    "jade": Need("npm install jade", program="jade", option="jade"),
    "jinja2": Need("pip install Jinja2", module="jinja2"),
    "jsmin": Need("pip install jsmin", module="jsmin"),
    "less": Need("npm install less", program="lessc", option="less"),
    "less_ruby": Need("gem install less", program="lessc", option="less"),
    "node-sass": Need("npm install node-sass", program="node-sass"),
    "node-scss": Need("npm install node-sass", program="node-sass"),
    "postcss": Need("npm install postcss postcss-cli", program="postcss"),
    "pyscss": Need("pip install pyScss", module="scss"),
    "rcssmin": Need("pip install rcssmin", module="rcssmin"),
    "requirejs": Need("npm install requirejs", program="r.js", option="executable"),
    "rjsmin": Need("pip install rjsmin", module="rjsmin"),
    "sass": Need("npm install sass", program="sass"),
    "sass_ruby": Need("gem install sass", program="sass"),
    "scss": Need("npm install sass", program="sass"),
    "scss_ruby": Need("gem install sass", program="sass"),
    "slimit": Need("pip install slimit", module="slimit", instead="use the filter rjsmin or uglifyjs"),
    "spritemapper": Need("pip install spritemapper", module="spritecss", instead="make the sprite before the build"),
    "stylus": Need("npm install stylus", program="stylus", option="stylus"),
    "typescript": Need("npm install typescript", program="tsc"),
    "uglifyjs": Need("npm install uglify-js", program="uglifyjs"),
    "yui_css": _YUI,
    "yui_js": _YUI,
}


def missing_package(name: str) -> str:
    """A sentence on the filter's Python package where that is not installed, else ""."""
    need = NEEDS.get(name)
    if need is None or not need.module or importlib.util.find_spec(need.module) is not None:
        return ""
    return _for_python_2(need) or f"the Python package {need.module} is not installed: {need.install}"


def remedy(name: str) -> str:
    """A sentence on what helps where the filter cannot be set up although its Python package is there, or ""."""
    need = NEEDS.get(name)
    if need is None:
        return ""
    return _for_python_2(need) or (f"its Java archive was not found: {need.jar}" if need.jar else "")


def _for_python_2(need: Need) -> str:
    # pip installs most of them all the same; then they fail, each with a puzzle of its own.
    return f"the Python package {need.module} was written for Python 2: {need.instead}" if need.instead else ""


def environment(name: str, one: Any) -> dict[str, str]:
    """Variables that tell a filter's program what webassets tells it by an option that has gone, or does not tell it."""
    if name == "autoprefixer6" and one.browsers:
        # postcss-cli has no --autoprefixer.browsers since its version 3, and says nothing.
        browsers = one.browsers
        return {"BROWSERSLIST": browsers if isinstance(browsers, str) else ",".join(browsers)}
    if name == "closure_tmpl":
        # The Guice in its archive looks into java.lang, which Java 16 and later forbid.
        return {"JDK_JAVA_OPTIONS": "--add-opens java.base/java.lang=ALL-UNNAMED"}
    return {}


def versions(name: str, one: Any, find: Callable[[str], str | None]) -> tuple[str, ...]:
    """The versions of what a filter uses.

    one: the filter, set up. find: the absolute path of a program. Raises FilterUnavailableError where a program or an archive
    is missing or cannot do the work.
    """
    need = NEEDS.get(name)
    if need is None:
        return ()
    found = []
    if need.module:
        package = need.install.removeprefix("pip install ").partition(",")[0]
        found.append(f"{package} {package_version(package)}")
        if name == "pyscss" and not _pyscss_runs():
            # A pattern of its parser is an error in the `re` of 3.11; its C extension has an engine of its own.
            raise FilterUnavailableError(f"{found[0]} runs on this Python only with its C extension: use the filter libsass")
    if need.program:
        command = str(getattr(one, need.option, None) or need.program)
        program = next(iter(shlex.split(command)), need.program)
        file = find(program)
        if file is None:
            raise FilterUnavailableError(f'the program "{program}" was not found: {need.install}')
        version = _program_version(os.path.realpath(file))
        if name == "autoprefixer" and version.startswith("autoprefixer@"):
            # Since its version 6 it only prints its help, which would be taken for the style sheet.
            raise FilterUnavailableError(
                f"{version} compiles nothing by itself: use the filter autoprefixer6, with postcss-cli"
            )
        if name in ("sass_ruby", "scss_ruby") and version.startswith(("sass@", "sass-embedded@")):
            raise FilterUnavailableError(f"{version} is not Ruby's Sass: use the filter {name.removesuffix('_ruby')}")
        found.append(f"{program} {version}")
    if jar := getattr(one, "jar", None):
        try:
            found.append(f"{os.path.basename(jar)} {_file_digest(jar)}")
        except OSError as error:
            raise FilterUnavailableError(f"{jar} cannot be read: {error.strerror}") from error
    return tuple(found)


@functools.cache
def _pyscss_runs() -> bool:
    try:
        import scss

        scss.Scss(scss_opts={"compress": False}).compile("a { b: c }")
    except Exception:
        return False
    return True


@functools.cache
def package_version(distribution: str) -> str:
    """The version of an installed Python package."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _program_version(program: str) -> str:
    """An npm package's own version; of anything else the file's digest. Asking the program would cost more than its work."""
    for folder in list(Path(program).parents)[:4]:
        if folder.name == "node_modules":
            break
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            package = json.loads((folder / "package.json").read_bytes())
            return f"{package['name']}@{package['version']}"
    try:
        return _file_digest(program)
    except OSError as error:
        raise FilterUnavailableError(f"{program} cannot be read: {error.strerror}") from error


def _file_digest(file: str) -> str:
    stat = os.stat(file)
    return _digest_of(file, stat.st_mtime_ns, stat.st_size)


@functools.cache
def _digest_of(file: str, _mtime: int, _size: int) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
