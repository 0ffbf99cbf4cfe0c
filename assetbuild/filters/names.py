"""Whether there is a filter of a name: asked of every name in the configuration, before anything else is done."""

from __future__ import annotations

# These are nearly always all. Asking webassets, whose import takes longer than a build with nothing to do, is the last
# resort: only what is likely a mistake comes to it.
_BUILT_IN = frozenset(("rcssmin", "rjsmin", "libsass", "dart_sass"))


def fault(name: str) -> str:
    """Why no filter can have this name, or "". What a filter needs may be missing all the same; and a class of the user's own
    (`package.module:Class`) is not looked for, since that would run the user's code."""
    if name in _BUILT_IN or ":" in name:
        return ""
    from assetbuild.filters import needs

    if name in needs.NEEDS:
        return ""
    from assetbuild.filters import webassets

    return webassets.fault(name)
