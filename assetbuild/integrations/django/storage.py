"""What Django's STORAGES["staticfiles"] names: an artifact, read-only. Without one, in development and in tests, URLs are those
of the sources, which Django's finders know."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage, staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.utils.encoding import filepath_to_uri
from django.utils.module_loading import import_string

from assetbuild.integrations.django.names import FINDER, UnknownAsset, UnknownSource, source, split
from assetbuild.runtime import Asset, AssetNotFound, Assets, ManifestError, tags
from assetbuild.runtime import manifest as treaty
from assetbuild.runtime.media_types import media_type

_RUN = "`manage.py assetbuild compile`"
_READ_ONLY = f"static files are an artifact, which {_RUN} writes as a whole and nothing else may write to"


class AssetStorage(StaticFilesStorage):
    """Names of static files → URLs, by the manifest in STATIC_ROOT.

    location: the artifact's folder, in place of $ASSETBUILD_OUTPUT and STATIC_ROOT. base_url: what URLs begin with, in place of
    $ASSETBUILD_BASE_URL and STATIC_URL. development: whether URLs are those of the sources, except while `manage.py assetbuild
    watch` makes what the finder ArtifactFinder finds; default: with DEBUG, and in tests.

    `url`, `path`, `open`, `exists` and `size` take the names of sources. Nothing can be saved or deleted.
    """

    def __init__(
        self,
        location: str | os.PathLike[str] | None = None,
        base_url: str | None = None,
        development: bool | None = None,
    ) -> None:
        super().__init__(_folder(location), base_url or os.environ.get("ASSETBUILD_BASE_URL") or None)
        self.development = development
        self._assets: Assets | None = None
        self._watched: Assets | None = None

    # ---- look-ups

    def url(self, name: str) -> str:
        """The URL of a static file. ?query and #fragment stay behind it; a folder, and what is a URL already, are left as they
        are. Raises UnknownAsset, and ManifestError where there is no artifact."""
        name = str(name)
        if name.startswith(("http://", "https://", "//", "data:")):
            return name
        if name.partition("#")[0].partition("?")[0].endswith("/"):
            return f"{self.base_url}{filepath_to_uri(name).lstrip('/')}"
        assets = self.artifact()
        if assets is None:
            return self._source_url(name)
        try:
            return assets.url(name)
        except AssetNotFound as error:
            if self.in_development():  # It may be newer than the build.
                return self._source_url(name)
            raise UnknownAsset(error.path, error.closest, error.manifest) from None

    def integrity(self, name: str) -> str:
        """What goes into the HTML attribute `integrity`; "" for a source, which may change under the page."""
        name = str(name)
        assets = self.artifact()
        if assets is not None and (name in assets or not self.in_development()):
            return self._asset(assets, name).integrity
        self._source_url(name)
        return ""

    def tag(self, name: str, /, **attributes: object) -> str:
        """The HTML element that loads it, as `Assets.tag` makes it; without `integrity` for a source. Raises UnknownAsset, and
        ValueError for a type that has no element and an illegal attribute."""
        name = str(name)
        assets = self.artifact()
        if assets is not None and (name in assets or not self.in_development()):
            asset = self._asset(assets, name)
            return tags.element(asset.path, asset.url, asset.integrity, asset.type, attributes)
        path, _ = split(name)
        return tags.element(path, self._source_url(name), "", media_type(path), attributes)

    def live_reload_tag(self, **attributes: object) -> str:
        """The element for live reload, or "" unless `manage.py assetbuild watch --live-reload` runs."""
        assets = self.artifact() if self.in_development() else None
        return "" if assets is None else assets.live_reload_tag(**attributes)

    def stored_name(self, name: str) -> str:
        """The path below the artifact's folder, as Django's ManifestStaticFilesStorage has it. Raises UnknownAsset."""
        assets = self.artifact()
        return name if assets is None else self._asset(assets, name).path

    def path(self, name: str) -> str:
        """The file that a name means: of the artifact, or a source. Raises UnknownAsset."""
        if not name:
            return str(super().path(name))
        assets = self.artifact()
        if assets is not None and name in assets:
            return str(super().path(assets[name].path))
        if self.in_development() and (found := source(name)):
            return found
        if self.location and os.path.exists(file := str(super().path(name))):  # A name in the artifact.
            return file
        raise self._unknown(name)

    def exists(self, name: str) -> bool:
        try:
            return os.path.lexists(self.path(name))
        except UnknownAsset:
            return False

    # ---- what is looked up in

    def in_development(self) -> bool:
        if self.development is None:
            return bool(settings.DEBUG) or in_tests()
        return self.development

    def artifact(self) -> Assets | None:
        """What names are looked up in; None where they are those of the sources. Raises ManifestError where there has to be an
        artifact, ImproperlyConfigured where there is no folder for it."""
        if self.in_development():
            return self._fresh()
        if self._assets is None:
            self._assets = _assets(self._place(), self.base_url)
        return self._assets

    def _fresh(self) -> Assets | None:
        """What `watch` keeps fresh. One that `compile` made is as old as its sources were then, so it does not count."""
        if FINDER not in settings.STATICFILES_FINDERS or not self.location or in_tests():
            return None
        if self._watched is None:
            try:
                self._watched = Assets(self._place(), base_url=self.base_url, auto_reload=True)
            except ManifestError:
                return None
        # Assets goes on with what it read last; whoever removes the folder wants the sources back.
        there = os.path.exists(os.path.join(self._place(), treaty.NAME))
        return self._watched if there and self._watched.mode == "development" else None

    def _place(self) -> str:
        if not self.location:
            raise ImproperlyConfigured("STATIC_ROOT is not set: it names the folder of the artifact")
        return str(self.location)

    def _asset(self, assets: Assets, name: str) -> Asset:
        try:
            return assets[str(name)]
        except AssetNotFound as error:
            raise UnknownAsset(error.path, error.closest, error.manifest) from None

    def _source_url(self, name: str) -> str:
        """The URL under which Django itself serves a source. Tests need no file for it, and no build for what has none."""
        path, rest = split(name)
        if not in_tests() and source(path) is None:
            raise UnknownSource(name, self.base_url)
        return f"{self.base_url}{filepath_to_uri(path)}{rest}"

    def _unknown(self, name: str) -> UnknownAsset:
        if self.in_development():
            return UnknownSource(name, self.base_url)
        return UnknownAsset(name, (), os.path.join(self._place(), treaty.NAME))

    # ---- read-only

    def open(self, name: str, mode: str = "rb") -> Any:
        if not set(mode) <= set("rbt"):
            refuse()
        return super().open(name, mode)

    def save(self, name: str | None, content: object, max_length: int | None = None) -> NoReturn:  # noqa: ARG002
        """Raises CommandError, which `collectstatic` shows as one sentence."""
        refuse()

    def delete(self, name: str) -> NoReturn:  # noqa: ARG002
        """Raises CommandError."""
        refuse()


def refuse(what: str = "") -> NoReturn:
    from django.core.management.base import CommandError  # Nothing that serves requests needs it.

    raise CommandError(f"{_READ_ONLY}{what}")


def options() -> dict[str, Any] | None:
    """The options of STORAGES["staticfiles"]; None where that is no AssetStorage."""
    given = storages.backends.get("staticfiles", {})
    try:
        backend = import_string(given.get("BACKEND", ""))
    except ImportError:
        return None
    return dict(given.get("OPTIONS", {})) if isinstance(backend, type) and issubclass(backend, AssetStorage) else None


def require_artifact() -> None:
    """Raises ManifestError where URLs will be looked up in an artifact, and there is none."""
    given = options()
    if given is None:
        return
    development = given.get("development")
    if settings.DEBUG if development is None else development:
        return
    # Not a storage: it asks for STATIC_URL, and what that says may depend on the first request (SCRIPT_NAME).
    folder = _folder(given.get("location")) or settings.STATIC_ROOT
    if folder:
        _assets(os.path.abspath(folder), "/")


def current() -> AssetStorage:
    """The storage of `{% static %}`; where that is another one, one with the settings."""
    if isinstance(staticfiles_storage, AssetStorage):
        return staticfiles_storage
    return _beside(settings.STATIC_ROOT, settings.STATIC_URL)


@functools.lru_cache(maxsize=4)
def _beside(_root: object, _url: object) -> AssetStorage:
    return AssetStorage()


def in_tests() -> bool:
    """Whether Django's test environment is set up, by its own test runner or by pytest-django."""
    utils = sys.modules.get("django.test.utils")
    return utils is not None and hasattr(utils._TestState, "saved_data")


def _folder(location: str | os.PathLike[str] | None) -> str | None:
    """The artifact's folder as it was given, or as the environment has it, where that is not STATIC_ROOT."""
    folder = os.fspath(location or os.environ.get("ASSETBUILD_OUTPUT") or "")
    if os.path.basename(folder) == treaty.NAME and not os.path.isdir(folder):
        folder = str(Path(folder).parent)
    return folder or None


def _assets(folder: str, base_url: str) -> Assets:
    try:
        return Assets(folder, base_url=base_url)
    except ManifestError as error:
        raise error.by("manage.py assetbuild") from None
