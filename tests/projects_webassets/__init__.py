"""Small projects that use webassets in the ways in which public ones do: Flask-Assets with blueprints and with a factory, an
environment or only bundles in YAML, an environment in a module, bundles that a register() collects, load paths, Sass, nested
bundles, filters of their own. The structures are those of real projects, the files are our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

BUILD = Path(__file__).with_name("build.py")


@dataclass(frozen=True)
class Sample:
    """A project. bundles_from: as in assetbuild.toml. outputs: for each bundle's `output` as written the logical path.
    directory: what an environment that is not in the file has as its directory. toml: more of the configuration."""

    name: str
    bundles_from: str
    files: Mapping[str, str]
    outputs: Mapping[str, str]
    directory: str = "static"
    toml: str = ""
    modules: tuple[str, ...] = field(default=())

    def write(self, folder: Path) -> Path:
        """The project in a folder, with an assetbuild.toml."""
        config = f'bundles_from = "{self.bundles_from}"\n{self.toml}'
        for name, text in {**self.files, "assetbuild.toml": config}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return folder

    def built_by_webassets(self, folder: Path) -> dict[str, str]:
        """What webassets makes of each bundle, by logical path; the project is written into the folder."""
        self.write(folder)
        command = [sys.executable, str(BUILD), self.bundles_from]
        env = {**os.environ, "DIRECTORY": self.directory}
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == 0, done.stderr
        built: dict[str, str] = json.loads(done.stdout)
        # An absolute output is known by its path in the project's folder.
        return {self.outputs[output.removeprefix(f"{folder}{os.sep}")]: text for output, text in built.items()}


CSS = "/* {0} */\n.{0} {{\n  color: red;\n  background: url(../img/{0}.png);\n}}\n"
PLAIN_CSS = ".{0} > a {{\n  margin: 0 auto;\n}}\n"
JS = "// {0}\nvar {0} = {{ name: '{0}' }};\n{0}.shout = function (text) {{\n  return text.toUpperCase();\n}};\n"


def css(name: str) -> str:
    return CSS.format(name)


def plain_css(name: str) -> str:
    return PLAIN_CSS.format(name)


def js(name: str) -> str:
    return JS.format(name)


FLASK_BLUEPRINTS = Sample(
    "an application with blueprints",
    "shop:assets",
    {
        "shop/__init__.py": """
from flask import Blueprint, Flask
from flask_assets import Bundle, Environment

app = Flask(__name__)
app.register_blueprint(Blueprint("backoffice", __name__, static_folder="backoffice/static", url_prefix="/backoffice"))
assets = Environment(app)
assets.register("css_all", "css/shop.css", "backoffice/css/office.css", filters="cssrewrite,rcssmin",
                output="gen/all.%(version)s.css")
assets.register("js_office", "backoffice/js/*.js", filters="rjsmin", output="backoffice/gen/office.js")
""",
        "shop/static/css/shop.css": css("shop"),
        "shop/static/img/shop.png": "PNG",
        "shop/backoffice/static/css/office.css": css("office"),
        "shop/backoffice/static/img/office.png": "PNG",
        "shop/backoffice/static/js/b.js": js("b"),
        "shop/backoffice/static/js/a.js": js("a"),
    },
    {"gen/all.%(version)s.css": "gen/all.css", "backoffice/gen/office.js": "backoffice/gen/office.js"},
    modules=("shop",),
)

FLASK_FACTORY = Sample(
    "an application factory with bundles in YAML",
    "portal:create_app",
    {
        "portal/__init__.py": """
import os
from flask import Flask
from flask_assets import Environment

assets = Environment()

def create_app(settings=None):
    app = Flask(__name__)
    app.config["ASSETS_DEBUG"] = False
    app.config["LIBSASS_STYLE"] = "expanded"
    assets.init_app(app)
    if not len(assets):
        with app.app_context():
            assets.from_yaml(os.path.join(app.root_path, "assets.yml"))
    return app
""",
        "portal/assets.yml": """
vendor-js:
  contents:
    - vendor/dollar.js
portal-js:
  filters: rjsmin
  output: dist/portal.js
  contents:
    - vendor-js
    - js/portal.js
portal-css:
  filters: libsass,rcssmin
  output: dist/portal.css
  contents: scss/portal.scss
  depends: scss/**/*.scss
""",
        "portal/static/vendor/dollar.js": js("dollar"),
        "portal/static/js/portal.js": js("portal"),
        "portal/static/scss/portal.scss": "@import 'parts/colours';\n.portal { a { color: $ink; } }\n",
        "portal/static/scss/parts/_colours.scss": "$ink: #112233;\n",
    },
    {"dist/portal.js": "dist/portal.js", "dist/portal.css": "dist/portal.css"},
    modules=("portal",),
)

YAML_ENVIRONMENT = Sample(
    "an environment in YAML",
    "config/assets.yml",
    {
        "config/assets.yml": """
directory: ../public
url: /static
debug: false
config:
  LIBSASS_STYLE: compact
  unused_setting: 3
bundles:
  theme:
    output: theme.css
    filters: [libsass, rcssmin]
    contents:
      - theme/base.scss
      - contents: theme/plain/*.css
  scripts:
    output: scripts.js
    filters: rjsmin
    contents: [a.js, b.js]
""",
        "public/theme/base.scss": "$m: 2px;\n.base { p { margin: $m; } }\n",
        "public/theme/plain/z.css": plain_css("z"),
        "public/theme/plain/y.css": plain_css("y"),
        "public/a.js": js("a"),
        "public/b.js": js("b"),
    },
    {"theme.css": "theme.css", "scripts.js": "scripts.js"},
)

PORTAL_PLUGINS = Sample(
    "bundles in YAML with what else a template engine is told",
    "static/webassets.yml",
    {
        "static/webassets.yml": """
main-css:
  output: base/%(version)s_main.css
  filters: cssrewrite
  contents:
    - css/main.css
    - css/print.css

library:
  output: base/%(version)s_library.js
  filters: rjsmin
  contents:
    - vendor/library.js

plugin:
  output: base/%(version)s_plugin.js
  filters: rjsmin
  extra:
    preload:
      - library
  contents:
    - js/plugin.js
    - js/start.js
""",
        "static/css/main.css": css("main"),
        "static/css/print.css": "@media print {\n  .menu { display: none; }\n}\n",
        "static/img/main.png": "PNG",
        "static/vendor/library.js": js("library"),
        "static/js/plugin.js": js("plugin"),
        "static/js/start.js": "plugin.shout('x') // no end of line",
    },
    {
        "base/%(version)s_main.css": "base/main.css",
        "base/%(version)s_library.js": "base/library.js",
        "base/%(version)s_plugin.js": "base/plugin.js",
    },
    toml='sources = ["static"]\n',
)

ADMIN_BUILDER = Sample(
    "containers that hand their filters down",
    "panel.bundles:environment",
    {
        "panel/__init__.py": "",
        "panel/bundles.py": """
import os
from webassets import Bundle, Environment

environment = Environment(os.path.join(os.path.dirname(__file__), "static"), "/static")
widgets = Bundle("css/widgets.css", output="out/widgets.css")
themes = Bundle(
    Bundle("css/light.css", output="out/light.css"),
    Bundle("css/dark.css", output="out/dark.css", filters="rcssmin"),
    filters="rcssmin",
)
environment.register("styles", widgets, themes)
environment.register("scripts", Bundle("js/one.js", "js/two.js", filters="rjsmin", output="out/scripts-%(version)s.js"))
""",
        "panel/static/css/widgets.css": plain_css("widgets"),
        "panel/static/css/light.css": plain_css("light"),
        "panel/static/css/dark.css": plain_css("dark"),
        "panel/static/js/one.js": js("one"),
        "panel/static/js/two.js": js("two"),
    },
    {
        "out/widgets.css": "out/widgets.css",
        "out/light.css": "out/light.css",
        "out/dark.css": "out/dark.css",
        "out/scripts-%(version)s.js": "out/scripts.js",
    },
    modules=("panel",),
)

BLOG_ENGINE = Sample(
    "bundles of a module that the application takes all of",
    "blog.core:app",
    {
        "blog/__init__.py": "",
        "blog/bundles.py": """
from flask_assets import Bundle

base_js = Bundle("js/base.js", Bundle("js/comments.js", "js/votes.js", filters="rjsmin"), output="all_%(version)s.js")
base_css = Bundle("css/base.css", "css/post.css", filters="rcssmin", output="all_%(version)s.css")
""",
        "blog/core.py": """
from flask import Flask
from flask_assets import Environment

app = Flask("blog", static_folder="static")
assets = Environment(app)
with app.app_context():
    assets.from_module("blog.bundles")
""",
        "blog/static/js/base.js": js("base"),
        "blog/static/js/comments.js": js("comments"),
        "blog/static/js/votes.js": js("votes"),
        "blog/static/css/base.css": plain_css("base"),
        "blog/static/css/post.css": plain_css("post"),
    },
    {"all_%(version)s.js": "all.js", "all_%(version)s.css": "all.css"},
    modules=("blog",),
)

REGISTERING = Sample(
    "modules that register their bundles in one place",
    "site_assets.registry:get_env",
    {
        "site_assets/__init__.py": "",
        "site_assets/registry.py": """
from webassets import Bundle, Environment

_env = Environment("media", "/static")

def register(name, *args, **options):
    return _env.register(name, *args, **options)

def get_env():
    from site_assets import news, polls
    return _env
""",
        "site_assets/news.py": """
from site_assets.registry import Bundle, register

register("news_js", Bundle("news/list.js", "news/item.js", filters="rjsmin", output="gen/news.js"))
""",
        "site_assets/polls.py": """
from site_assets.registry import register

register("polls_css", "polls/*.css", filters="rcssmin", output="gen/polls.css?%(version)s")
""",
        "media/news/list.js": js("list"),
        "media/news/item.js": js("item"),
        "media/polls/b.css": plain_css("b"),
        "media/polls/a.css": plain_css("a"),
    },
    {"gen/news.js": "gen/news.js", "gen/polls.css?%(version)s": "gen/polls.css"},
    modules=("site_assets",),
)

LOAD_PATH = Sample(
    "a load path with URLs of its own",
    "gallery:env",
    {
        "gallery.py": """
import os
from webassets import Bundle, Environment

here = os.path.dirname(os.path.abspath(__file__))
env = Environment(os.path.join(here, "build"), "/static")
env.append_path(os.path.join(here, "own"), "/static/own")
env.append_path("third_party/*", "/static/third")
env.url_mapping[os.path.join(here, "elsewhere")] = "/elsewhere"
env.register("all", "lib/zoom.js", "js/*.js", filters="rjsmin", output="all.js")
env.register("look", "css/own.css", filters="rcssmin", output=os.path.join(here, "build", "look.css"))
""",
        "own/js/b.js": js("b"),
        "own/js/a.js": js("a"),
        "own/css/own.css": plain_css("look"),
        "third_party/zoom/lib/zoom.js": js("zoom"),
        "third_party/pan/lib/pan.js": js("pan"),
        "build/all.js": "stale();",
    },
    {"all.js": "all.js", "build/look.css": "look.css"},
    modules=("gallery",),
)

SASS = Sample(
    "sheets of Sass with what they depend on",
    "styles:env",
    {
        "styles.py": """
from webassets import Bundle, Environment

env = Environment("assets", "/static")
env.config["libsass_style"] = "expanded"
screen = Bundle("sass/screen.scss", "sass/more.scss", filters="libsass", depends=["sass/*.scss", "sass/**/*.scss"])
env.register("screen", "css/reset.css", screen, filters="rcssmin", output="screen.%(version)s.css")
env.register("mail", "sass/mail.scss", filters="libsass", config={"libsass_style": "compressed"}, output="mail.css")
""",
        "assets/css/reset.css": "* { margin: 0; }\n",
        "assets/sass/screen.scss": "@import 'tools/mix';\n.screen { @include wide; }\n",
        "assets/sass/more.scss": "@import 'tools/mix';\n.more { b { color: $ink; } }\n",
        "assets/sass/mail.scss": "@import 'tools/mix';\n.mail { i { color: $ink; } }\n",
        "assets/sass/tools/_mix.scss": "$ink: navy;\n@mixin wide { width: 100%; }\n",
    },
    {"screen.%(version)s.css": "screen.css", "mail.css": "mail.css"},
    directory="assets",
    modules=("styles",),
)

LIBS_AND_APP = Sample(
    "libraries as they are, the application minified",
    "frontend:env",
    {
        "frontend.py": """
from webassets import Bundle, Environment

env = Environment("web", "/static")
libs = Bundle("libs/first.min.js", "libs/second.min.js")
app = Bundle("app/*.js", filters="rjsmin")
env.register("js", libs, app, output="packed-%(version)s.js")
env.register("css", Bundle("libs/lib.css"), Bundle("app/app.css", filters="rcssmin"), output="packed-%(version)s.css")
""",
        "web/libs/first.min.js": "var first=1;/* as it is */",
        "web/libs/second.min.js": "var second=2 // ends without a line end",
        "web/app/b.js": js("b"),
        "web/app/a.js": js("a"),
        "web/libs/lib.css": plain_css("lib"),
        "web/app/app.css": plain_css("app"),
    },
    {"packed-%(version)s.js": "packed.js", "packed-%(version)s.css": "packed.css"},
    directory="web",
    modules=("frontend",),
)

OWN_FILTERS = Sample(
    "filters as instances, classes and functions",
    "toolbox.assets:env",
    {
        "toolbox/__init__.py": "",
        "toolbox/filters.py": """
from webassets.filter import Filter, register_filter

class Banner(Filter):
    name = "banner"
    def __init__(self, text="toolbox", **kwargs):
        super().__init__(**kwargs)
        self.text = text
    def unique(self):
        return self.text
    def output(self, _in, out, **kw):
        out.write("var %s = 1;\\n" % self.text + _in.read())

class Strict(Filter):
    name = "strict_check"
    max_debug_level = None
    options = {"word": "STRICT_WORD"}
    def input(self, _in, out, source_path, **kw):
        out.write("var checked = %r;\\n" % (self.word or "nothing") + _in.read())

register_filter(Banner)

def exclaim(_in, out, **kw):
    out.write(_in.read().replace("toUpperCase", "toLowerCase"))
""",
        "toolbox/assets.py": """
from webassets import Bundle, Environment
from webassets.filter import get_filter
from toolbox.filters import Banner, Strict, exclaim

env = Environment("static", "/static")
inner = Bundle("in.js", filters=["banner", Strict], config={"STRICT_WORD": "inner"})
env.register(
    "tools",
    "out.js",
    inner,
    filters=[Banner("outer"), Strict(word="outer"), exclaim, lambda _in, out: out.write(_in.read() + "var last = 9;")],
    output="tools.js",
)
env.register("swapped", "out.js", filters=(get_filter("replace", pattern="out", repl="changed"), "rjsmin"), output="swapped.js")
""",
        "static/in.js": "var inside = 1;\n",
        "static/out.js": "var out = 'x'.toUpperCase();\n",
    },
    {"tools.js": "tools.js", "swapped.js": "swapped.js"},
    modules=("toolbox",),
)

SAMPLES = (
    FLASK_BLUEPRINTS,
    FLASK_FACTORY,
    YAML_ENVIRONMENT,
    PORTAL_PLUGINS,
    ADMIN_BUILDER,
    BLOG_ENGINE,
    REGISTERING,
    LOAD_PATH,
    SASS,
    LIBS_AND_APP,
    OWN_FILTERS,
)
