"""System checks: what is set wrong, said by `manage.py check` and before commands that serve."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import Error, Tags, Warning, register  # noqa: A004 (Django's name)

from assetbuild.integrations.django import folders
from assetbuild.integrations.django.names import FINDER
from assetbuild.integrations.django.storage import AssetStorage, options
from assetbuild.runtime import ManifestError
from assetbuild.runtime import manifest as treaty

_STORAGE = "assetbuild.integrations.django.storage.AssetStorage"


@register(Tags.staticfiles)
def settings_are_right(**_kwargs: Any) -> list[Any]:
    if not apps.is_installed("django.contrib.staticfiles"):
        return [
            Error(
                "django.contrib.staticfiles is not installed; without it Django asks no storage for the URLs of static files.",
                hint="Add it to INSTALLED_APPS, behind assetbuild.integrations.django.",
                id="assetbuild.E001",
            )
        ]
    given = options()
    if given is None:
        return [
            Warning(
                "Static files have another storage than assetbuild's: {% static %}, form media and the admin know no manifest.",
                hint=f'Set STORAGES = {{…, "staticfiles": {{"BACKEND": "{_STORAGE}"}}}}.',
                id="assetbuild.W001",
            )
        ]
    try:
        storage = AssetStorage(**given)
    except TypeError as error:
        message = f'STORAGES["staticfiles"]["OPTIONS"] holds an option that there is not: {error}.'
        return [Error(message, hint='There are "location", "base_url" and "development".', id="assetbuild.E003")]
    if not storage.location:
        hint = 'Set it to the folder that `manage.py assetbuild compile` writes: STATIC_ROOT = BASE_DIR / "dist".'
        return [Error("STATIC_ROOT is not set.", hint=hint, id="assetbuild.E002")]
    return [*_finders(), *_watched(storage), *_order()]


@register(Tags.staticfiles, deploy=True)
def artifact_is_there(**_kwargs: Any) -> list[Any]:
    given = options()
    if given is None:
        return []
    try:
        storage = AssetStorage(**{**given, "development": False})
        assets = storage.artifact() if storage.location else None
    except TypeError:
        return []  # The other check's business.
    except ManifestError as error:
        return [Error(f"There is no artifact to serve: {error.file}: {error.message}.", hint=error.hint, id="assetbuild.E004")]
    if assets is not None and assets.mode == "development":
        message = f"The artifact in {storage.location} is a development build: `manage.py assetbuild watch` made it."
        return [Warning(message, hint="Run `manage.py assetbuild compile`.", id="assetbuild.W004")]
    return []


def _finders() -> list[Any]:
    hint = "What the build lacks, production lacks; silence this where nothing of it is needed."
    return [Warning(f"{fault[:1].upper()}{fault[1:]}.", hint=hint, id="assetbuild.W002") for fault in folders.find().faults]


def _watched(storage: AssetStorage) -> list[Any]:
    """A development artifact that nobody would see."""
    if not settings.DEBUG or not storage.in_development() or FINDER in settings.STATICFILES_FINDERS:
        return []
    try:
        mode = treaty.load(f"{storage.location}/{treaty.NAME}")["mode"]
    except ManifestError:
        return []
    if mode != "development":
        return []
    message = "What `manage.py assetbuild watch` makes is not served, since no finder finds it."
    return [Warning(message, hint=f'Add "{FINDER}" to STATICFILES_FINDERS, as the first.', id="assetbuild.W003")]


def _order() -> list[Any]:
    names = [one.name for one in apps.get_app_configs()]
    if names.index("assetbuild.integrations.django") < names.index("django.contrib.staticfiles"):
        return []
    message = "`manage.py collectstatic` is Django's own, which does not say why there is nothing to collect."
    hint = "In INSTALLED_APPS, put assetbuild.integrations.django before django.contrib.staticfiles."
    return [Warning(message, hint=hint, id="assetbuild.W005")]
