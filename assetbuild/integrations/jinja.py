"""Jinja: `asset`, `asset_tag`, `asset_integrity` and `asset_live_reload` in templates, under any delimiters, escaped as the
template is."""

from __future__ import annotations

import os

from jinja2 import Environment, Undefined, pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context
from markupsafe import Markup

from assetbuild.runtime import Assets

_NO = ("", "0", "false", "no", "off", "n", "f")
_YES = ("1", "true", "yes", "on", "y", "t")


class AssetExtension(Extension):
    """Gives templates `asset(path)`, `asset_tag(path, **attributes)`, `asset_integrity(path)`,
    `asset_live_reload(**attributes)` and the filter `asset`.

    Without install() its Assets is made at the first look-up: the artifact of $ASSETBUILD_OUTPUT, else `dist`;
    $ASSETBUILD_AUTO_RELOAD=1 switches auto_reload on.
    """

    assets: Assets | None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.assets = None
        environment.globals.update(
            asset=_asset, asset_tag=_asset_tag, asset_integrity=_asset_integrity, asset_live_reload=_asset_live_reload
        )
        environment.filters["asset"] = _asset

    def current(self) -> Assets:
        """What templates look things up in."""
        if self.assets is None:
            self.assets = Assets(auto_reload=_auto_reload())
        return self.assets


def install(env: Environment, assets: Assets) -> None:
    """Gives an environment the extension, if it lacks it, and the Assets that its templates look things up in.

    Raises TypeError for what is no Assets: its folder's name, for instance.
    """
    if not isinstance(assets, Assets):
        raise TypeError(f"install() takes an Assets, not {type(assets).__name__}: install(env, Assets({assets!r:.80}))")
    extension = _extension(env)
    if extension is None:
        env.add_extension(AssetExtension)
        extension = _extension(env)
        assert extension is not None
    extension.assets = assets


# All of them take the context, though only the tag needs it for itself: an environment's overlay has Assets of its own, and
# Jinja computes a filter on a constant when it compiles the template, which would freeze a URL in its cache of bytecode.


@pass_context
def _asset(context: Context, path: str) -> str:
    return _assets(context).url(_defined(path))


@pass_context
def _asset_integrity(context: Context, path: str) -> str:
    return _assets(context).integrity(_defined(path))


@pass_context
def _asset_tag(context: Context, path: str, /, **attributes: object) -> str:
    tag = _assets(context).tag(_defined(path), **attributes)
    return Markup(tag) if context.eval_ctx.autoescape else tag


@pass_context
def _asset_live_reload(context: Context, /, **attributes: object) -> str:
    tag = _assets(context).live_reload_tag(**attributes)
    return Markup(tag) if context.eval_ctx.autoescape else tag


def _defined(path: str) -> str:
    """The path; a name that the template has no value for is told by that name. Raises UndefinedError."""
    if isinstance(path, Undefined):
        path._fail_with_undefined_error()
    return path


def _extension(env: Environment) -> AssetExtension | None:
    """The environment's, which may be of a subclass."""
    found = env.extensions.get(AssetExtension.identifier)
    if isinstance(found, AssetExtension):
        return found
    return next((one for one in env.extensions.values() if isinstance(one, AssetExtension)), None)


def _assets(context: Context) -> Assets:
    extension = _extension(context.environment)
    if extension is None:
        raise RuntimeError("this environment has the functions of AssetExtension, but not the extension")
    return extension.current()


def _auto_reload() -> bool:
    """What $ASSETBUILD_AUTO_RELOAD says. Raises ValueError where it is neither yes nor no."""
    text = os.environ.get("ASSETBUILD_AUTO_RELOAD", "")
    word = text.strip().lower()
    if word not in _YES + _NO:
        raise ValueError(f"ASSETBUILD_AUTO_RELOAD: {text!r} is neither yes (1, true, yes, on) nor no (0, false, no, off)")
    return word in _YES
