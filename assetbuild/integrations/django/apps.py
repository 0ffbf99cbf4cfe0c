"""The application that stands in INSTALLED_APPS."""

from __future__ import annotations

import sys

from django.apps import AppConfig


class AssetbuildConfig(AppConfig):
    """Registers the system checks. Where a server starts, the manifest is read at once: without one it does not start."""

    name = "assetbuild.integrations.django"
    label = "assetbuild"
    verbose_name = "assetbuild"

    def ready(self) -> None:
        from assetbuild.integrations.django import checks, storage  # noqa: F401 (its import registers the checks)

        if _a_server_starts():
            storage.require_artifact()


def _a_server_starts() -> bool:
    """Whether this process serves requests. Commands, tests, workers and tools call django.setup() too, and need no artifact;
    Django says nowhere who calls, but servers do it through these two modules."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_globals.get("__name__") in ("django.core.wsgi", "django.core.asgi"):
            return True
    return False
