"""Where `watch --live-reload` is to be heard: in the manifest while it runs, so that pages load its script; in the cache
afterwards, so that the next one takes the same address and pages that are still open find it."""

from __future__ import annotations

import contextlib

from assetbuild import publish
from assetbuild.cache import Cache, key, opened
from assetbuild.config import Config
from assetbuild.errors import AssetbuildError
from assetbuild.runtime import manifest as treaty


def named(config: Config) -> str | None:
    """The address of the `watch` that runs, or that ended without a chance to withdraw it; None where there is none."""
    with contextlib.suppress(treaty.ManifestError):
        return treaty.load(config.output / treaty.NAME).get("live_reload")
    return None


def kept(config: Config) -> str | None:
    """The address of the last `watch` that withdrew it; None where the cache knows of none."""
    cache = opened(str(config.cache_dir))
    found = cache.result(_name(config)) if isinstance(cache, Cache) else None
    return found if isinstance(found, str) else None


def withdraw(config: Config, url: str) -> None:
    """The manifest names it no more, if it did. That this cannot be done is no matter: the next build writes another one."""
    cache = opened(str(config.cache_dir))
    if isinstance(cache, Cache):
        cache.keep_result(_name(config), url)
    display = config.shown(config.output)
    with contextlib.suppress(AssetbuildError, treaty.ManifestError, OSError), publish.locked(config.output, display):
        manifest = treaty.load(config.output / treaty.NAME)
        if manifest.get("live_reload") != url:
            return
        del manifest["live_reload"]
        manifest["checksum"] = treaty.checksum(treaty.dump(manifest), "checksum")
        publish.publish(
            config.output,
            (),
            treaty.dump(manifest),
            display=display,
            epoch=config.source_date_epoch,
            progress=lambda _done, _of: None,
            standing=publish.Standing(frozenset(), frozenset()),
            lasting=False,
        )


def _name(config: Config) -> str:
    return key(["live reload", str(config.output)])
