"""Jinja: the same three functions and a filter, in whatever environment they are put."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import (
    ChainableUndefined,
    DebugUndefined,
    DictLoader,
    Environment,
    FileSystemBytecodeCache,
    StrictUndefined,
    Undefined,
    UndefinedError,
)
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from assetbuild import AssetNotFound, Assets, ManifestError
from assetbuild.integrations.jinja import AssetExtension, install

SRI = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
URL = "/static/css/app.5d41402abc4b.css"
TAG = (
    f'<script src="/static/js/app.5d41402abc4b.js" integrity="{SRI}" crossorigin="anonymous" '
    'type="module" data-x="a&amp;b" defer></script>'
)


def write(folder: Path, base_url: str = "/static/") -> Path:
    types = {"css/app.css": "text/css", "js/app.js": "text/javascript", "img/a.svg": "image/svg+xml"}
    assets = {
        path: {"path": path.replace(".", ".5d41402abc4b."), "integrity": SRI, "size": 1, "type": kind}
        for path, kind in types.items()
    }
    manifest = {"version": 1, "mode": "production", "digest": "x", "base_url": base_url, "assets": assets, "previous": []}
    folder.mkdir(exist_ok=True)
    (folder / ".new").write_text(json.dumps(manifest))
    (folder / ".new").replace(folder / "manifest.json")
    return folder


@pytest.fixture(autouse=True)
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ASSETBUILD_OUTPUT", "ASSETBUILD_BASE_URL", "ASSETBUILD_AUTO_RELOAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "dist")


def render(source: str, env: Environment | None = None, **values: Any) -> str:
    return (env or Environment(extensions=[AssetExtension], autoescape=True)).from_string(source).render(**values)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{{ asset("css/app.css") }}', URL),
        ("{{ asset('css/app.css') }}", URL),
        ("{{ asset('css/' ~ name ~ '.css') }}", URL),
        ("{{ 'css/app.css'|asset }}", URL),
        ("{{ ('css/' ~ name ~ '.css')|asset }}", URL),
        ("{{ asset_integrity('css/app.css') }}", SRI),
        ("{% set url = asset('css/app.css') %}{{ url }}", URL),
        ("{% for n in ['app'] %}{{ asset('css/%s.css'|format(n)) }}{% endfor %}", URL),
        ("{% macro m() %}{{ asset('css/app.css') }}{{ 'css/app.css'|asset }}{% endmacro %}{{ m() }}", URL + URL),
        ("{{ asset('img/a.svg#star') }}", "/static/img/a.5d41402abc4b.svg#star"),
        (
            "{{ asset_tag('js/app.js', type='module', data_x='a&b', defer=True) }}",
            TAG,
        ),
    ],
)
@pytest.mark.parametrize("autoescape", [True, False])
def test_functions_and_filter_answer(source: str, expected: str, autoescape: bool) -> None:
    env = Environment(extensions=[AssetExtension], autoescape=autoescape)
    assert render(source, env, name="app") == expected


def test_delimiters_do_not_matter() -> None:
    env = Environment(
        extensions=[AssetExtension],
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
    )
    assert render("<< asset('css/app.css') >><% if 1 %>{{ asset }}<% endif %>", env) == URL + "{{ asset }}"


def test_a_url_is_escaped_where_the_template_is(dist: Path) -> None:
    for autoescape, amp in ((True, "&amp;"), (False, "&")):
        env = Environment(autoescape=autoescape)
        install(env, Assets(dist))
        assert render("{{ asset('css/app.css?a=1&b=2') }}", env) == f"{URL}?a=1{amp}b=2"
        assert render("{{ 'css/app.css?a=1&b=2'|asset }}", env) == f"{URL}?a=1{amp}b=2"
        assert render("{% set p %}css/app.css?a&b{% endset %}{{ asset(p) }}", env) == f"{URL}?a{amp}b"


def test_a_tag_is_markup_only_where_the_template_escapes() -> None:
    assert render("{{ asset_tag('js/app.js') is escaped }}") == "True"
    assert render("{% autoescape false %}{{ asset_tag('js/app.js') is escaped }}{% endautoescape %}") == "False"
    assert render("{{ asset_tag('js/app.js') ~ '<b>' }}").endswith("</script>&lt;b&gt;")


def test_a_value_of_markup_is_escaped_in_an_attribute_all_the_same() -> None:
    assert 'title="&lt;b&gt;"' in render("{{ asset_tag('js/app.js', title=x) }}", x=Markup("<b>"))


def test_its_assets_is_made_at_the_first_look_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSETBUILD_OUTPUT", str(tmp_path / "later"))
    env = Environment(extensions=[AssetExtension])
    template = env.from_string("{{ asset('css/app.css') }}")
    with pytest.raises(ManifestError):
        template.render()
    write(tmp_path / "later", "/later/")
    assert template.render().startswith("/later/")


def test_an_unknown_path_is_an_error_of_the_template() -> None:
    env = Environment(extensions=[AssetExtension], loader=DictLoader({"a.html": "\n{{ asset('css/ap.css') }}"}))
    with pytest.raises(AssetNotFound, match=r'did you mean "css/app\.css"'):
        env.get_template("a.html").render()


@pytest.mark.parametrize("undefined", [Undefined, StrictUndefined, ChainableUndefined, DebugUndefined])
@pytest.mark.parametrize(
    "source", ["{{ asset(nothing) }}", "{{ nothing|asset }}", "{{ asset_integrity(nothing) }}", "{{ asset_tag(nothing) }}"]
)
def test_an_undefined_path_is_an_error_that_names_it(source: str, undefined: type[Undefined]) -> None:
    with pytest.raises(UndefinedError, match="'nothing' is undefined"):
        render(source, Environment(extensions=[AssetExtension], undefined=undefined))


class Subclass(AssetExtension):
    pass


def test_a_subclass_of_the_extension_is_the_extension(dist: Path) -> None:
    env = Environment(extensions=[Subclass])
    assert render("{{ asset('css/app.css') }}", env).startswith("/static/")
    install(env, Assets(dist, base_url="/given/"))
    assert render("{{ asset('css/app.css') }}", env).startswith("/given/")
    assert len(env.extensions) == 1


@pytest.mark.parametrize("given", ["dist", None, Path("dist")])
def test_install_takes_nothing_but_assets(given: Any) -> None:
    with pytest.raises(TypeError, match=r"install\(\) takes an Assets, not"):
        install(Environment(), given)


def test_install_gives_an_environment_its_assets(dist: Path) -> None:
    env = Environment()
    install(env, Assets(dist, base_url="/given/"))
    assert render("{{ asset('css/app.css') }}", env).startswith("/given/")
    install(env, Assets(dist, base_url="/again/"))
    assert render("{{ asset('css/app.css') }}", env).startswith("/again/")


def test_install_after_the_extension_was_loaded(dist: Path) -> None:
    env = Environment(extensions=["assetbuild.integrations.jinja.AssetExtension"])
    template = env.from_string("{{ asset('css/app.css') }}")
    assert template.render().startswith("/static/")
    install(env, Assets(dist, base_url="/given/"))
    assert template.render().startswith("/given/")


def test_two_environments_have_assets_of_their_own(dist: Path) -> None:
    one, other = Environment(), Environment()
    install(one, Assets(dist, base_url="/one/"))
    install(other, Assets(dist, base_url="/other/"))
    assert render("{{ asset('css/app.css') }}", one).startswith("/one/")
    assert render("{{ asset('css/app.css') }}", other).startswith("/other/")


def test_an_overlay_has_its_environments_assets_or_its_own(dist: Path) -> None:
    env = Environment()
    install(env, Assets(dist, base_url="/env/"))
    overlay = env.overlay(variable_start_string="[[", variable_end_string="]]")
    assert render("[[ asset('css/app.css') ]]", overlay).startswith("/env/")
    install(overlay, Assets(dist, base_url="/overlay/"))
    assert render("[[ asset('css/app.css') ]]", overlay).startswith("/overlay/")
    assert render("{{ asset('css/app.css') }}", env).startswith("/env/")


def test_an_overlay_of_an_environment_that_has_not_looked_anything_up() -> None:
    overlay = Environment(extensions=[AssetExtension]).overlay(autoescape=True)
    assert render("{{ asset('css/app.css') }}", overlay) == URL


def test_asynchronous_templates() -> None:
    env = Environment(extensions=[AssetExtension], enable_async=True, autoescape=True)
    template = env.from_string("{{ asset('css/app.css') }} {{ 'css/app.css'|asset }} {{ asset_tag('img/a.svg') }}")
    rendered = asyncio.run(template.render_async())
    assert rendered == f'{URL} {URL} <img src="/static/img/a.5d41402abc4b.svg">'


@pytest.mark.parametrize("kind", [SandboxedEnvironment, NativeEnvironment])
def test_other_kinds_of_environment(kind: type[Environment]) -> None:
    assert render("{{ asset('css/app.css') }}", kind(extensions=[AssetExtension])) == URL


def test_included_imported_and_inherited_templates() -> None:
    templates = {
        "base": "{{ asset('css/app.css') }}{% block b %}{% endblock %}{% include 'part' %}",
        "part": "{{ 'css/app.css'|asset }}",
        "macros": "{% macro m() %}{{ asset('css/app.css') }}{% endmacro %}",
        "page": "{% extends 'base' %}{% from 'macros' import m %}{% block b %}{{ m() }}{% endblock %}",
    }
    env = Environment(extensions=[AssetExtension], loader=DictLoader(templates))
    assert env.get_template("page").render() == URL * 3


SOURCE = """
import sys
from jinja2 import DictLoader, Environment, FileSystemBytecodeCache
from assetbuild.integrations.jinja import AssetExtension
text = "{{ asset('css/app.css') }} {{ 'css/app.css'|asset }} {{ asset_integrity('css/app.css') }}"
env = Environment(extensions=[AssetExtension], loader=DictLoader({"a": text}),
                  bytecode_cache=FileSystemBytecodeCache(sys.argv[1]))
print(env.get_template("a").render())
"""


def test_a_cache_of_bytecode_does_not_freeze_urls(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()

    def run(base_url: str) -> str:
        env = {**os.environ, "ASSETBUILD_BASE_URL": base_url, "ASSETBUILD_OUTPUT": str(tmp_path / "dist")}
        ran = subprocess.run([sys.executable, "-c", SOURCE, cache], env=env, capture_output=True, text=True, check=True)
        return ran.stdout

    assert run("/one/").split() == [URL.replace("static", "one")] * 2 + [SRI]
    (cached,) = cache.iterdir()
    assert URL[8:].encode() not in cached.read_bytes()
    assert run("/two/").split() == [URL.replace("static", "two")] * 2 + [SRI]


@pytest.mark.parametrize("value", ["1", " True ", "on", "Y"])
def test_a_template_that_was_compiled_follows_a_new_build(dist: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ASSETBUILD_AUTO_RELOAD", value)
    env = Environment(extensions=[AssetExtension])
    template = env.from_string("{{ 'css/app.css'|asset }}")
    assert template.render().startswith("/static/")
    write(dist, "/new/")
    assert template.render().startswith("/new/")


@pytest.mark.parametrize("value", ["2", "maybe", "1 0"])
def test_auto_reload_is_neither_on_nor_off_by_another_word(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ASSETBUILD_AUTO_RELOAD", value)
    with pytest.raises(ValueError, match=r"^ASSETBUILD_AUTO_RELOAD: "):
        render("{{ asset('css/app.css') }}")


@pytest.mark.parametrize("value", ["0", "", "false", "No", " 0 ", "n"])
def test_auto_reload_is_off_unless_asked_for(dist: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ASSETBUILD_AUTO_RELOAD", value)
    env = Environment(extensions=[AssetExtension])
    template = env.from_string("{{ asset('css/app.css') }}")
    assert template.render().startswith("/static/")
    write(dist, "/new/")
    assert template.render().startswith("/static/")


def test_functions_without_their_extension_say_so() -> None:
    env, other = Environment(extensions=[AssetExtension]), Environment()
    other.globals.update(env.globals)
    with pytest.raises(RuntimeError, match="not the extension"):
        render("{{ asset('css/app.css') }}", other)


def test_a_cache_object_may_be_shared(tmp_path: Path, dist: Path) -> None:
    cache = FileSystemBytecodeCache(str(tmp_path))
    for base_url in ("/one/", "/two/"):
        env = Environment(loader=DictLoader({"a": "{{ 'css/app.css'|asset }}"}), bytecode_cache=cache)
        install(env, Assets(dist, base_url=base_url))
        assert env.get_template("a").render().startswith(base_url)


@pytest.mark.parametrize("autoescape", [True, False])
def test_the_script_for_live_reload_is_in_development_builds_only(dist: Path, autoescape: bool) -> None:
    env = Environment(autoescape=autoescape)
    install(env, Assets(dist, auto_reload=True))
    template = env.from_string("[{{ asset_live_reload(nonce='n') }}]")
    assert template.render() == "[]"
    manifest = json.loads((dist / "manifest.json").read_text())
    live = {"mode": "development", "live_reload": "http://127.0.0.1:1/client.js?token=t"}
    (dist / ".new").write_text(json.dumps(manifest | live))
    (dist / ".new").replace(dist / "manifest.json")
    assert template.render() == (
        '[<script src="http://127.0.0.1:1/client.js?token=t" async crossorigin="anonymous" data-digest="x" '
        'data-base="/static/" nonce="n"></script>]'
    )
