"""A small catalogue of minerals: Flask and Jinja in front, an artifact of assetbuild's behind.

It is a twelve-factor application: what differs between deploys stands in the environment, and what a visitor leaves here in a
backing service. Any process answers any request.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
    session,
    url_for,
)
from markupsafe import Markup, escape
from minerals import MINERALS, Mineral, search
from sessions import keep_sessions
from werkzeug import Response as Answer

from assetbuild import Assets
from assetbuild.integrations.flask import AssetBuild


class Site(Flask):
    jinja_options = {"variable_start_string": "<<", "variable_end_string": ">>"}  # noqa: RUF012 - Flask's declaration


def create_app() -> Flask:
    """The application over one artifact: that of $ASSETBUILD_OUTPUT, else `dist` beside this file."""
    app = Site(__name__, static_folder=None)
    # FLASK_ASSETBUILD_SERVE=whitenoise, FLASK_SESSION_COOKIE_SECURE=true
    app.config.from_prefixed_env()
    remembers = keep_sessions(app)
    artifact = AssetBuild(app)
    app.jinja_env.filters.update(formula=formula, same_origin=same_origin)

    @app.context_processor
    def of_the_visitor() -> dict[str, object]:
        return {"remembers": remembers, "tray": session.get("tray", [])}

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
        entry = named(slug)
        kin = [other for other in MINERALS if other.family == entry.family and other is not entry]
        return render_template("mineral.html", mineral=entry, kin=kin)

    @app.get("/tray")
    def tray() -> str:
        return render_template("tray.html", minerals=[one for one in MINERALS if one.slug in session.get("tray", [])])

    @app.post("/tray/<slug>")
    def move(slug: str) -> Answer:
        """On the tray, or back into its drawer."""
        if not remembers or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)
        here = session.get("tray", [])
        entry = named(slug)
        session.permanent = True
        session["tray"] = [one for one in here if one != entry.slug] if entry.slug in here else [*here, entry.slug]
        return redirect(url_for("mineral", slug=entry.slug), 303)

    @app.get("/robots.txt")
    def robots() -> Response:
        return send_from_directory(artifact.assets.folder, "robots.txt")

    @app.errorhandler(404)
    def not_found(_: Exception) -> tuple[str, int]:
        return render_template("404.html"), 404

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = content_security_policy(artifact.assets)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


def named(slug: str) -> Mineral:
    """The mineral of that name. Aborts with 404 where there is none."""
    return next((entry for entry in MINERALS if entry.slug == slug), None) or abort(404)


def content_security_policy(assets: Assets) -> str:
    """Everything comes from this site and from where the assets are, and nothing is written into the page itself."""
    elsewhere = {urlsplit(assets.base_url)._replace(path="").geturl()} - {""}
    kinds = {kind: {*elsewhere} for kind in ("script", "style", "img", "font", "connect", "manifest")}
    if assets.live_reload:  # While `assetbuild watch --live-reload` runs, and never in production.
        channel = urlsplit(assets.live_reload)._replace(path="", query="").geturl()
        kinds["script"].add(channel)
        kinds["connect"].add(channel)
    own = ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]
    return "; ".join([*own, *(" ".join([f"{kind}-src 'self'", *sorted(hosts)]) for kind, hosts in kinds.items())])


def same_origin(url: str) -> str:
    """Where this application itself has an asset: an SVG's symbols, and a web manifest, no browser takes from another host."""
    parts = urlsplit(url)
    return request.script_root + parts._replace(scheme="", netloc="").geturl() if parts.netloc else url


def formula(text: str) -> Markup:
    """A chemical formula with its counts set low: every number that follows a letter or a bracket."""
    return Markup(re.sub(r"(?<=[A-Za-z)])\d+", r"<sub>\g<0></sub>", str(escape(text))))
