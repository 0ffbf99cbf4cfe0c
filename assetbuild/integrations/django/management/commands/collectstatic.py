"""`manage.py collectstatic`, run by habit: into an artifact nothing is collected. With another storage it is Django's own."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.management.commands import collectstatic

from assetbuild.integrations.django.storage import AssetStorage, refuse


class Command(collectstatic.Command):
    def handle(self, **options: Any) -> Any:
        if isinstance(self.storage, AssetStorage):
            refuse(": collectstatic is not needed")
        return super().handle(**options)
