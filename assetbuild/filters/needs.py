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
    filter that is set up, names another.
    """

    install: str
    module: str = ""
    program: str = ""
    option: str = "binary"


NEEDS = {
    "autoprefixer": Need("npm install autoprefixer-cli", program="autoprefixer", option="autoprefixer"),
    "autoprefixer6": Need("npm install postcss-cli autoprefixer", program="postcss", option="autoprefixer"),
    "babel": Need("npm install @babel/core @babel/cli", program="babel"),
    "cleancss": Need("npm install clean-css-cli", program="cleancss"),
    "clevercss": Need("pip install CleverCSS", module="clevercss"),
    "closure_js": Need("pip install closure, and a Java runtime", module="closure", program="java", option="java_bin"),
    "closure_stylesheets_compiler": Need("a Java runtime", program="java", option="java_bin"),
    "closure_stylesheets_minifier": Need("a Java runtime", program="java", option="java_bin"),
    "closure_tmpl": Need("pip install closure-soy, and a Java runtime", module="closure_soy", program="java", option="java"),
    "coffeescript": Need("npm install coffeescript", program="coffee", option="coffee_bin"),
    "compass": Need("gem install compass", program="compass", option="compass"),
    "css_slimmer": Need("pip install slimmer", module="slimmer"),
    "cssmin": Need("pip install cssmin", module="cssmin"),
    "cssprefixer": Need("pip install cssprefixer", module="cssprefixer"),
    "cssutils": Need("pip install cssutils", module="cssutils"),
    "dustjs": Need("npm install dusty", program="dusty", option="dusty_path"),
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
    "slimit": Need("pip install slimit", module="slimit"),
    "spritemapper": Need("pip install spritemapper", module="spritecss"),
    "stylus": Need("npm install stylus", program="stylus", option="stylus"),
    "typescript": Need("npm install typescript", program="tsc"),
    "uglifyjs": Need("npm install uglify-js", program="uglifyjs"),
    "yui_css": Need("a Java runtime", program="java", option="java_bin"),
    "yui_js": Need("a Java runtime", program="java", option="java_bin"),
}


def missing_package(name: str) -> str:
    """A sentence on the filter's Python package where that is not installed, else ""."""
    need = NEEDS.get(name)
    if need is None or not need.module or importlib.util.find_spec(need.module) is not None:
        return ""
    return f"the Python package {need.module} is not installed: {need.install}"


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
        found.append(f"{program} {version}")
    if jar := getattr(one, "jar", None):
        try:
            found.append(f"{os.path.basename(jar)} {_file_digest(jar)}")
        except OSError as error:
            raise FilterUnavailableError(f"{jar} cannot be read: {error.strerror}") from error
    return tuple(found)


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
