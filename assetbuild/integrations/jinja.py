"""Jinja: `asset`, `asset_tag` and `asset_integrity` in templates, under any delimiters, escaped as the template is."""

from __future__ import annotations

import os

from jinja2 import Environment, pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context
from markupsafe import Markup

from assetbuild.runtime import Assets

_NO = ("", "0", "false", "no", "off")


class AssetExtension(Extension):
    """Gives templates `asset(path)`, `asset_tag(path, **attributes)`, `asset_integrity(path)` and the filter `asset`.

    Without install() its Assets is made at the first look-up: the artifact of $ASSETBUILD_OUTPUT, else `dist`;
    $ASSETBUILD_AUTO_RELOAD=1 switches auto_reload on.
    """

    assets: Assets | None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.assets = None
        environment.globals.update(asset=_asset, asset_tag=_asset_tag, asset_integrity=_asset_integrity)
        environment.filters["asset"] = _asset


def install(env: Environment, assets: Assets) -> None:
    """Gives an environment the extension, if it lacks it, and the Assets that its templates look things up in."""
    if AssetExtension.identifier not in env.extensions:
        env.add_extension(AssetExtension)
    extension = env.extensions[AssetExtension.identifier]
    assert isinstance(extension, AssetExtension)
    extension.assets = assets


# All of them take the context, though only the tag needs it for itself: an environment's overlay has Assets of its own, and
# Jinja computes a filter on a constant when it compiles the template, which would freeze a URL in its cache of bytecode.


@pass_context
def _asset(context: Context, path: str) -> str:
    return _assets(context).url(path)


@pass_context
def _asset_integrity(context: Context, path: str) -> str:
    return _assets(context).integrity(path)


@pass_context
def _asset_tag(context: Context, path: str, /, **attributes: object) -> str:
    tag = _assets(context).tag(path, **attributes)
    return Markup(tag) if context.eval_ctx.autoescape else tag


def _assets(context: Context) -> Assets:
    extension = context.environment.extensions.get(AssetExtension.identifier)
    if not isinstance(extension, AssetExtension):
        raise RuntimeError("this environment has the functions of AssetExtension, but not the extension")
    if extension.assets is None:
        auto_reload = os.environ.get("ASSETBUILD_AUTO_RELOAD", "").lower() not in _NO
        extension.assets = Assets(auto_reload=auto_reload)
    return extension.assets
