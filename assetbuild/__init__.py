"""Build-time static asset pipeline for Python web applications: the names that an application imports at run time."""

from __future__ import annotations

from assetbuild.runtime import Asset, AssetNotFound, Assets, ManifestError

__version__ = "0.1.0"

__all__ = ["Asset", "AssetNotFound", "Assets", "ManifestError"]
