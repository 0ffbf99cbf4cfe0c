"""Starlette and FastAPI: `asset` and its friends in Jinja2Templates, and the artifact as an application that is mounted."""

from __future__ import annotations

import os

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import Scope

from assetbuild.integrations import jinja
from assetbuild.runtime import Assets
from assetbuild.runtime.served import Artifact

__all__ = ["AssetFiles", "install"]


def install(templates: Jinja2Templates, assets: Assets) -> None:
    """Gives the templates `asset`, `asset_tag`, `asset_integrity`, `asset_live_reload` and the filter `asset`.

    Raises TypeError for what is no Assets: its folder's name, for instance.
    """
    jinja.install(templates.env, assets)


class AssetFiles(StaticFiles):
    """Starlette's StaticFiles over an artifact: `app.mount("/static", AssetFiles(assets))`.

    Of the folder it hands out what the manifest names, with the media type that stands there. Fingerprinted files may be cached
    for ever, others are asked for again. Who takes a compressed variant gets that.

    cross_origin: whether pages of other hosts may use them, which a CDN has to hand on that fetches them here: browsers refuse
    style sheets, scripts and fonts of another host without it. Raises ManifestError where the manifest cannot be read.
    """

    def __init__(self, assets: Assets, *, cross_origin: bool = False) -> None:
        super().__init__(directory=assets.folder)
        self._artifact = Artifact(assets)
        self._cross_origin = cross_origin

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        served = self._artifact.find(path)
        try:
            return (served.file, os.stat(served.file)) if served else ("", None)
        except (FileNotFoundError, NotADirectoryError):
            return "", None

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        request = Headers(scope=scope)
        served = self._artifact.find(self.get_path(scope))
        if served is None:  # It was replaced a moment ago.
            return super().file_response(full_path, stat_result, scope, status_code)
        served = served.negotiated(request.get("accept-encoding", ""))
        headers = {**served.headers, "ETag": f'"{served.etag}"'}
        if self._cross_origin:
            headers["Access-Control-Allow-Origin"] = "*"
        if served.coding:
            stat_result = os.stat(served.file)
        response = FileResponse(served.file, status_code, headers, served.content_type or None, stat_result=stat_result)
        if self.is_not_modified(response.headers, request):
            return NotModifiedResponse(response.headers)
        return response
