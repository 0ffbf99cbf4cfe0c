"""In development: what `manage.py assetbuild watch` makes, served by whatever serves static files through Django's finders."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterable
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder, searched_locations
from django.core.exceptions import SuspiciousFileOperation
from django.utils._os import safe_join

from assetbuild.integrations.django.storage import current


class ArtifactFinder(BaseFinder):
    """Finds the files of a development artifact. It lists none: they are made of what the other finders list."""

    def check(self, **_kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> str | builtins.list[str]:
        """find_all: until Django 5.1 its name is `all`."""
        storage = current()
        nothing: list[str] = []
        if not storage.in_development() or storage.artifact() is None:
            return nothing
        searched_locations.append(storage.location)
        try:
            file = str(safe_join(storage.location, path))
        except SuspiciousFileOperation:
            return nothing
        if not os.path.isfile(file) or any(part.startswith(".") for part in path.split("/")):
            return nothing
        return [file] if find_all or kwargs.get("all") else file

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:  # noqa: ARG002
        return ()
