"""Before a Flask application: the artifact's files, handed out by the process itself, or by WhiteNoise in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.utils import send_file
from werkzeug.wrappers import Response

from assetbuild.runtime import Assets, ManifestError
from assetbuild.runtime.served import Artifact, Served

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Site(Protocol):
    """Where the files are, and whether this is a developer's machine: both may change while it runs."""

    @property
    def assets(self) -> Assets: ...

    @property
    def artifact(self) -> Artifact: ...

    @property
    def debug(self) -> bool: ...


class Files:
    """Before an application: what the browser asks for below the base URL, and the manifest names, is handed out here.

    The whole path counts, with the prefix that the application is mounted below, since a base URL on this host names that; the
    path in the application too, from where a CDN may fetch what it has at the base URL.

    with_whitenoise: outside debug mode. Raises RuntimeError where that is not installed.
    """

    def __init__(self, site: Site, application: WSGIApplication, *, with_whitenoise: bool) -> None:
        self._site = site
        self._application = application
        self._whitenoise = _whitenoise_class() if with_whitenoise else None
        self._made: tuple[Artifact, WSGIApplication] | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            try:
                base = unquote(urlsplit(self._site.assets.base_url).path) or "/"
            except ManifestError:  # Whoever looks a name up is told; others have no need of it.
                return self._application(environ, start_response)
            inside = environ.get("PATH_INFO", "")
            for path in (environ.get("SCRIPT_NAME", "") + inside, inside):
                served = self._find(path, base)
                if served is not None:
                    if self._whitenoise is None or self._site.debug:
                        return self._plain(served, environ)(environ, start_response)
                    return self._by_whitenoise(base)({**environ, "SCRIPT_NAME": "", "PATH_INFO": path}, start_response)
        return self._application(environ, start_response)

    def _find(self, path: str, base: str) -> Served | None:
        text = path.encode("latin-1").decode("utf-8", "replace")
        served = self._site.artifact.find(text.removeprefix(base)) if text.startswith(base) else None
        return served if served is not None and os.path.isfile(served.file) else None

    def _plain(self, served: Served, environ: WSGIEnvironment) -> WSGIApplication:
        served = served.negotiated(environ.get("HTTP_ACCEPT_ENCODING", ""))
        try:
            # By default the tag is of the file's time and place, which differ from one process's artifact to another's.
            response = send_file(served.file, environ, mimetype=served.type or None, conditional=True, etag=served.etag)
        except HTTPException as error:  # A `Range` beyond the file's end: no application of Flask's is here to answer it.
            return error
        if response.status_code not in (200, 206, 304):
            response.close()
            return Response(status=response.status_code)
        response.headers.update(served.headers)
        if not self._site.debug:
            # They are public, and a CDN that fetches them here has to hand this on. On a developer's machine nobody needs it.
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    def _by_whitenoise(self, base: str) -> WSGIApplication:
        artifact = self._site.artifact
        made = self._made
        if made is None or made[0] is not artifact:
            assert self._whitenoise is not None
            made = self._made = artifact, self._whitenoise(self._application, self._site.assets, artifact, base)
        return made[1]


def _whitenoise_class() -> Callable[[WSGIApplication, Assets, Artifact, str], WSGIApplication]:
    try:
        from whitenoise import WhiteNoise
    except ImportError as error:
        raise RuntimeError('ASSETBUILD_SERVE = "whitenoise" needs WhiteNoise: pip install whitenoise') from error

    def over(application: WSGIApplication, assets: Assets, artifact: Artifact, base: str) -> WSGIApplication:
        def immutable(_file: str, url: str) -> bool:
            served = artifact.find(url.removeprefix(base))
            return served is not None and served.immutable

        def safe(headers: Any, _file: str, _url: str) -> None:
            headers["X-Content-Type-Options"] = "nosniff"

        types = {os.path.splitext(one.path)[1]: one.type for one in map(assets.__getitem__, assets) if "." in one.path}
        made: WSGIApplication = WhiteNoise(
            application,
            root=os.path.abspath(assets.folder),
            prefix=base,
            max_age=0,
            immutable_file_test=immutable,
            add_headers_function=safe,
            mimetypes=types,
        )
        return made

    return over
