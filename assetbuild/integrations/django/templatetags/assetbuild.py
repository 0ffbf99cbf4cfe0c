"""`{% load assetbuild %}`: `asset`, `asset_tag`, `asset_integrity` and `asset_live_reload`."""

from __future__ import annotations

from django.template import Library
from django.utils.safestring import mark_safe

from assetbuild.integrations.django.storage import current

register = Library()


@register.simple_tag
def asset(path: str) -> str:
    """The URL: what `{% static %}` gives."""
    return current().url(path)


@register.simple_tag
def asset_tag(path: str, /, **attributes: object) -> str:
    """The HTML element that loads it; `data_x` is `data-x`, True a bare attribute."""
    tag: str = mark_safe(current().tag(path, **attributes))
    return tag


@register.simple_tag
def asset_integrity(path: str) -> str:
    return current().integrity(path)


@register.simple_tag
def asset_live_reload(**attributes: object) -> str:
    tag: str = mark_safe(current().live_reload_tag(**attributes))
    return tag
