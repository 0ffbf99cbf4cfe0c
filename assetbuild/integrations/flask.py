"""Flask: `asset` and its friends in templates, the artifact handed out, and `flask assetbuild compile` and its sisters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from flask import Flask, current_app, request
from flask.cli import FlaskGroup
from flask.sansio.scaffold import find_package

from assetbuild.integrations import jinja
from assetbuild.integrations.flask_files import Files
from assetbuild.runtime import Assets, ManifestError
from assetbuild.runtime.served import Artifact

__all__ = ["AssetBuild"]

_NAME = "assetbuild"
_SERVE = (True, False, "whitenoise")
#: Seconds that an application in debug mode waits for the first build.
_WAIT = 10.0


class AssetBuild:
    """The extension: `AssetBuild(app)`, or `AssetBuild()` and `init_app(app)` in a factory.

    It takes app.config when it is initialised: ASSETBUILD_OUTPUT, ASSETBUILD_BASE_URL, ASSETBUILD_SERVE, ASSETBUILD_URL_FOR and
    ASSETBUILD_WAIT; the environment's ASSETBUILD_OUTPUT, ASSETBUILD_BASE_URL and ASSETBUILD_WAIT win. In debug mode every
    look-up asks whether there is a new manifest.
    """

    def __init__(self, app: Flask | None = None) -> None:
        self._app = app
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Give an application the functions in its templates, the command, and the artifact's files.

        Raises ManifestError where there is no manifest that can be read, except in tests (app.testing) and where a command of
        `flask` other than `run` loads the application: these may come before the build. Then the first look-up raises it.
        Raises RuntimeError where the application has the extension already, or WhiteNoise is asked for and not installed;
        ValueError for a setting that cannot be.
        """
        if _NAME in app.extensions:
            raise RuntimeError("this application has an AssetBuild already; init_app() is called once")
        serve = app.config.get("ASSETBUILD_SERVE", True)
        if serve not in _SERVE:
            raise ValueError(f'ASSETBUILD_SERVE: {serve!r} is none of True, False and "whitenoise"')
        state = app.extensions[_NAME] = _State(app)
        if not app.testing and not _needs_no_artifact():
            _ = state.assets
        _teach(app, state)
        if serve:
            app.wsgi_app = Files(state, app.wsgi_app, with_whitenoise=serve == "whitenoise")  # type: ignore[method-assign]
        app.cli.add_command(_Command(app))

    @property
    def assets(self) -> Assets:
        """The current application's, else of that which the extension was made with. Raises RuntimeError without either."""
        app = current_app if current_app else self._app
        if app is None or _NAME not in app.extensions:
            raise RuntimeError("there is no application with an AssetBuild here: use it inside an application context")
        state: _State = app.extensions[_NAME]
        return state.assets


class _State:
    """What one application has. Assets are made anew where its debug mode was changed, as app.run(debug=True) does."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._made: tuple[bool, Assets] | None = None
        self._artifact: tuple[Assets, Artifact] | None = None
        self._prefixes: dict[str, str] | None = None

    @property
    def assets(self) -> Assets:
        made, debug = self._made, self.debug
        if made is None or made[0] != debug:
            made = self._made = debug, _assets(self.app)
        return made[1]

    @property
    def debug(self) -> bool:
        return self.app.debug

    @property
    def artifact(self) -> Artifact:
        assets, known = self.assets, self._artifact
        if known is None or known[0] is not assets:
            known = self._artifact = assets, Artifact(assets)
        return known[1]

    def prefix(self, endpoint: str) -> str | None:
        """What logical paths of an endpoint for static files begin with; None for another endpoint."""
        if self._prefixes is None:
            self._prefixes = {one.endpoint: f"{one.prefix}/" if one.prefix else "" for one in static_folders(self.app)}
        return self._prefixes.get(endpoint)


def output(app: Flask) -> Path:
    """The artifact's folder, where the environment names none: what the setting says, else `dist`, from the folder that the
    application's module or package stands in."""
    return Path(project_folder(app), app.config.get("ASSETBUILD_OUTPUT", "dist"))


def project_folder(app: Flask) -> Path:
    """Where the application's module or package stands; the working folder for one that is installed."""
    if app.import_name == "__main__":
        return Path(app.root_path)
    installed, folder = find_package(app.import_name)
    return Path.cwd() if installed else Path(folder)


@dataclass(frozen=True, slots=True)
class StaticFolder:
    """A static folder of an application or a blueprint; prefix: what the logical paths of its files begin with, without the
    `/`. Two endpoints may share a folder, and then a prefix."""

    endpoint: str
    prefix: str
    folder: Path


def static_folders(app: Flask) -> Iterator[StaticFolder]:
    """The application's, and those of its blueprints, whose prefix is their name: `admin`, `shop/cart` for one in another.

    The artifact's own folder is none, though an application may serve it as its static folder.
    """
    prefixes: dict[str, str] = {}
    artifact = os.path.realpath(os.environ.get("ASSETBUILD_OUTPUT") or output(app))
    for name, one in (("", app), *app.blueprints.items()):
        if one.static_folder is None or not os.path.isdir(one.static_folder):
            continue
        real = os.path.realpath(one.static_folder)
        if real != artifact:
            prefix = prefixes.setdefault(real, name.replace(".", "/"))
            yield StaticFolder(f"{name}.static" if name else "static", prefix, Path(one.static_folder))


def template_folders(app: Flask) -> list[Path]:
    """The application's, and those of its blueprints, as far as they are there."""
    found = [Path(one.root_path, one.template_folder) for one in (app, *app.blueprints.values()) if one.template_folder]
    return [folder for folder in dict.fromkeys(found) if folder.is_dir()]


def _assets(app: Flask) -> Assets:
    given = os.environ.get
    try:
        return Assets(
            None if given("ASSETBUILD_OUTPUT") else output(app),
            base_url=None if given("ASSETBUILD_BASE_URL") else app.config.get("ASSETBUILD_BASE_URL"),
            auto_reload=app.debug,
            wait=None if given("ASSETBUILD_WAIT") else app.config.get("ASSETBUILD_WAIT", _WAIT),
        )
    except ManifestError as error:
        raise error.by("flask assetbuild") from None


def _needs_no_artifact() -> bool:
    """Whether a command of `flask` loads the application, and not to serve it: `flask assetbuild compile` comes before there
    is a manifest, and `flask db upgrade` may."""
    context = click.get_current_context(silent=True)
    while context is not None and context.info_name != "run":
        if isinstance(context.command, FlaskGroup):
            return True
        context = context.parent
    return False


# ---- templates


class _Extension(jinja.AssetExtension):
    state: _State

    def current(self) -> Assets:
        return self.state.assets


def _teach(app: Flask, state: _State) -> None:
    env = app.jinja_env
    # One that the application's options name would be found first, and has an Assets of its own.
    env.extensions.pop(jinja.AssetExtension.identifier, None)
    env.add_extension(_Extension)
    extension = env.extensions[_Extension.identifier]
    assert isinstance(extension, _Extension)
    extension.state = state
    if app.config.get("ASSETBUILD_URL_FOR", False):
        env.globals["url_for"] = _url_for(state, app.url_for)


def _url_for(state: _State, plain: Callable[..., str]) -> Callable[..., str]:
    def url_for(endpoint: str, **values: Any) -> str:
        """Flask's; where it names a static file that the artifact has, that file's URL."""
        if "filename" in values and values.keys() <= {"filename", "_anchor"}:
            prefix = state.prefix(_absolute(endpoint))
            path = f"{prefix}{values['filename']}"
            if prefix is not None and path in state.assets:
                anchor = values.get("_anchor")
                return state.assets.url(path) + ("" if anchor is None else "#" + quote(anchor, safe="%!#$&'()*+,/:;=?@"))
        return plain(endpoint, **values)

    return url_for


def _absolute(endpoint: str) -> str:
    """An endpoint as Flask reads it: one that begins with a dot is of the blueprint that answers."""
    if not endpoint.startswith("."):
        return endpoint
    blueprint = request.blueprint if request else None
    return f"{blueprint}{endpoint}" if blueprint else endpoint[1:]


# ---- the command


class _Command(click.Command):
    """Hands its words over as they are, `--` among them."""

    def __init__(self, app: Flask) -> None:
        super().__init__(_NAME, help="Compile, watch and check static assets.", add_help_option=False)
        self._app = app

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_NAME] = list(args)
        return []

    def invoke(self, ctx: click.Context) -> None:
        # A process that serves never comes here, and needs nothing that only building does.
        from assetbuild.integrations import flask_commands

        app = self._app
        status = flask_commands.run(
            ctx.meta[_NAME],
            folders=dict.fromkeys((one.prefix, one.folder) for one in static_folders(app)),
            templates=template_folders(app),
            project=project_folder(app),
            output=output(app),
            base_url=app.config.get("ASSETBUILD_BASE_URL"),
        )
        ctx.exit(status)
