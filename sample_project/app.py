"""A small catalogue of minerals: Flask and Jinja in front, an artifact of assetbuild's behind.

In production a web server or a CDN would hand out the artifact; here Flask does, from the same folder, reading only.
"""

from __future__ import annotations

import mimetypes
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, abort, make_response, render_template, request, send_from_directory
from markupsafe import Markup, escape
from minerals import MINERALS, search

from assetbuild import Assets
from assetbuild.integrations.jinja import install

# Python's own table, or the machine's, may not know these.
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("image/webp", ".webp")
mimetypes.add_type("application/manifest+json", ".webmanifest")

FINGERPRINT = re.compile(r"\.[0-9a-f]{12}(\.[^/]*)?$")
A_YEAR = 365 * 24 * 60 * 60

# Everything comes from this site, and nothing is written into the page itself.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


class Site(Flask):
    jinja_options = {"variable_start_string": "<<", "variable_end_string": ">>"}  # noqa: RUF012 - Flask's declaration


def create_app(artifact: str | os.PathLike[str] | None = None) -> Flask:
    """The application over one artifact: the argument, else $ASSETBUILD_OUTPUT, else `dist` beside this file."""
    here = Path(__file__).parent
    folder = Path(artifact or os.environ.get("ASSETBUILD_OUTPUT") or here / "dist").absolute()

    app = Site(__name__, static_folder=None)
    assets = Assets(folder, auto_reload=app.debug)
    install(app.jinja_env, assets)
    app.jinja_env.filters["formula"] = formula

    @app.get("/")
    def index() -> Response:
        words = request.args.get("q", "")
        found = search(words)
        # htmx asks for the list alone.
        template = "_cards.html" if request.headers.get("HX-Request") == "true" else "index.html"
        response = make_response(render_template(template, minerals=found, words=words))
        # Two answers at one address: else the browser, going back to the page, would show the list that it has kept.
        response.vary.add("HX-Request")
        return response

    @app.get("/mineral/<slug>")
    def mineral(slug: str) -> str:
        entry = next((entry for entry in MINERALS if entry.slug == slug), None)
        if entry is None:
            abort(404)
        kin = [other for other in MINERALS if other.family == entry.family and other is not entry]
        return render_template("mineral.html", mineral=entry, kin=kin)

    # The references inside the artifact are relative: it works wherever it is put, /static/ or not.
    @app.get(f"{urlsplit(assets.base_url).path}<path:public_path>")
    def static(public_path: str) -> Response:
        response = send_from_directory(folder, public_path, conditional=True)
        if FINGERPRINT.search(public_path):
            # The name changes with the bytes, so what it names never does.
            response.cache_control.no_cache = None
            response.cache_control.public = True
            response.cache_control.max_age = A_YEAR
            response.cache_control.immutable = True
        return response

    @app.get("/robots.txt")
    def robots() -> Response:
        return send_from_directory(folder, "robots.txt")

    @app.errorhandler(404)
    def not_found(_: Exception) -> tuple[str, int]:
        return render_template("404.html"), 404

    @app.after_request
    def protect(response: Response) -> Response:
        policy = CONTENT_SECURITY_POLICY
        if assets.live_reload:  # While `assetbuild watch --live-reload` runs, and never in production.
            script = urlsplit(assets.live_reload)
            for directive in ("script-src 'self'", "connect-src 'self'"):
                policy = policy.replace(directive, f"{directive} {script.scheme}://{script.netloc}")
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


def formula(text: str) -> Markup:
    """A chemical formula with its counts set low: every number that follows a letter or a bracket."""
    return Markup(re.sub(r"(?<=[A-Za-z)])\d+", r"<sub>\g<0></sub>", str(escape(text))))
