"""assetbuild.toml → one frozen Config; every mistake named at once."""

from __future__ import annotations

import dataclasses
import os
import pickle
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from assetbuild import config
from assetbuild.config import Bundle, Config, FilterRule
from assetbuild.errors import ConfigError
from assetbuild.patterns import Pattern


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project folder with sources and no configuration."""
    project = tmp_path / "project"
    (project / "assets").mkdir(parents=True)
    return project


def read(folder: Path, toml: str = "", environ: Mapping[str, str] | None = None, **given: str | None) -> Config:
    (folder / "assetbuild.toml").write_text(toml, encoding="utf-8")
    return config.load(cwd=folder, environ=environ or {}, output=given.get("output"), base_url=given.get("base_url"))


def mistakes(folder: Path, toml: str, environ: Mapping[str, str] | None = None, **given: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, toml, environ, **given)
    assert caught.value.exit_status == 2
    return [str(problem) for problem in caught.value.problems]


def mistake(folder: Path, toml: str, environ: Mapping[str, str] | None = None, **given: str) -> str:
    [message] = mistakes(folder, toml, environ, **given)
    return message


def test_a_place_in_a_list_is_the_one_that_it_has_in_the_file(folder: Path) -> None:
    toml = 'sources = ["asets", 3, "", "package:nope/static"]\ncompress = [1, "gz"]\n'
    assert [text.partition(": ")[2].split(":")[0] for text in mistakes(folder, toml)] == [
        "compress[0]",
        "compress[1]",
        "sources[0]",
        "sources[1]",
        "sources[2]",
        "sources[3]",
    ]


@pytest.mark.parametrize("output", [".", "..", "assets", "assets/dist"])
def test_an_output_in_the_wrong_place_is_one_mistake(folder: Path, output: str) -> None:
    assert mistake(folder, "", output=output).startswith("--output: ")


def test_an_output_beside_the_sources_that_holds_the_cache_is_named_by_what_named_it(folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "conf/assetbuild.toml").write_text('sources = ["../assets"]')
    with pytest.raises(ConfigError, match=r"^--output: the cache "):
        config.load("conf/assetbuild.toml", cwd=folder, environ={}, output="conf")


def test_an_output_that_is_a_dangling_link_is_said_to_be(folder: Path) -> None:
    (folder / "dist").symlink_to("nowhere")
    assert mistake(folder, "") == 'assetbuild.toml: output: "dist" is a symbolic link that leads nowhere; name a folder'


def test_a_base_url_that_is_not_utf_8_is_refused(folder: Path) -> None:
    url = os.fsdecode(b"/\xff/")
    assert mistake(folder, "", base_url=url).startswith("--base-url: ")
    assert mistake(folder, "", {"ASSETBUILD_BASE_URL": url}).startswith("ASSETBUILD_BASE_URL: ")


# ---- without a configuration


def test_without_a_configuration_assets_becomes_dist(folder: Path) -> None:
    loaded = config.load(cwd=folder, environ={})
    assert loaded.sources == (folder / "assets",)
    assert loaded.output == folder / "dist"
    assert loaded.file is None
    assert loaded.folder == loaded.working_folder == folder
    assert loaded.cache_dir == folder / ".assetbuild"
    assert loaded.base_url == "/static/"
    assert loaded.compress == ("br", "gzip")
    assert loaded.filter_timeout == 60.0
    assert loaded.templates == (folder / "templates",)
    assert not (loaded.exclude or loaded.keep_names or loaded.filters or loaded.bundles)
    assert [word for _, word in loaded.missing] == ["error"]
    assert loaded.source_date_epoch is None


def test_without_a_configuration_and_without_assets_one_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=tmp_path, environ={})
    assert "make the folder assets" in str(caught.value)
    assert "assets" in str(caught.value)


def test_an_artifact_can_be_read_where_the_sources_are_not(tmp_path: Path) -> None:
    assert config.load(cwd=tmp_path, environ={}, build=False).output == tmp_path / "dist"
    (tmp_path / "assetbuild.toml").write_text('sources = ["gone", "package:gone/static"]\noutput = "out"')
    assert config.load(cwd=tmp_path, environ={}, build=False).output == tmp_path / "out"


def test_the_working_folder_is_the_process_s_by_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert config.load(environ={}).sources == (folder / "assets",)


def test_a_config_is_a_frozen_value(folder: Path) -> None:
    loaded = read(folder, '[webassets]\nA = 1\n[filters]\n"*.css" = []')
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.output = Path("/")  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(loaded)) == loaded == read(folder, '[webassets]\nA = 1\n[filters]\n"*.css" = []')
    assert hash(loaded)


# ---- finding it


def test_the_nearest_folder_upward_is_taken(folder: Path) -> None:
    (folder / "assetbuild.toml").write_text("")
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    loaded = config.load(cwd=inner, environ={})
    assert loaded.file == folder / "assetbuild.toml"
    assert loaded.sources == (folder / "assets",)
    assert loaded.output == folder / "dist"
    assert loaded.working_folder == inner


def test_a_folder_where_the_configuration_should_be_is_not_passed_by(folder: Path) -> None:
    (folder.parent / "assetbuild.toml").write_text("")
    (folder / "assetbuild.toml").mkdir()
    with pytest.raises(ConfigError, match=r"^assetbuild\.toml: this is a folder"):
        config.load(cwd=folder, environ={})


def test_assetbuild_toml_wins_over_pyproject_in_one_folder(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.assetbuild]\noutput = "from-pyproject"')
    assert config.load(cwd=folder, environ={}).output.name == "from-pyproject"
    assert read(folder, 'output = "from-own"').output.name == "from-own"


def test_a_nearer_pyproject_wins_over_assetbuild_toml_above(folder: Path) -> None:
    inner = folder / "inner"
    (inner / "assets").mkdir(parents=True)
    (inner / "pyproject.toml").write_text("[tool.assetbuild]\n")
    (folder / "assetbuild.toml").write_text("")
    assert config.load(cwd=inner, environ={}).file == inner / "pyproject.toml"


@pytest.mark.parametrize("text", ["", "[tool.ruff]\n", "[project]\nname = 'assetbuild-user'\n", "this is not TOML"])
def test_a_pyproject_without_the_table_is_passed_by(folder: Path, text: str) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text(text)
    (folder / "assetbuild.toml").write_text("")
    assert config.load(cwd=inner, environ={}).file == folder / "assetbuild.toml"


def test_config_names_a_file_relative_to_the_working_folder(folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "conf" / "my.toml").write_text('sources = ["../assets"]')
    loaded = config.load("conf/my.toml", cwd=folder, environ={})
    assert loaded.sources == (folder / "assets",)
    assert loaded.output == folder / "conf" / "dist"
    assert loaded.cache_dir == folder / "conf" / ".assetbuild"


def test_config_may_name_a_pyproject(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.assetbuild]\noutput = "x"')
    (folder / "assetbuild.toml").write_text("")
    assert config.load("pyproject.toml", cwd=folder, environ={}).output == folder / "x"


def test_the_variable_names_one_too_and_the_command_line_wins(folder: Path) -> None:
    (folder / "a.toml").write_text('output = "a"')
    (folder / "b.toml").write_text('output = "b"')
    environ = {"ASSETBUILD_CONFIG": "a.toml"}
    assert config.load(cwd=folder, environ=environ).output.name == "a"
    assert config.load("b.toml", cwd=folder, environ=environ).output.name == "b"


@pytest.mark.parametrize(
    ("name", "words"),
    [("gone.toml", "no such"), ("", "no such"), ("assets", "folder"), ("pyproject.toml", "[tool.assetbuild]")],
)
def test_a_named_configuration_that_is_none_is_an_error(folder: Path, name: str, words: str) -> None:
    (folder / "pyproject.toml").write_text("[tool.ruff]")
    with pytest.raises(ConfigError) as caught:
        config.load(name, cwd=folder, environ={})
    assert words in str(caught.value)


def test_a_variable_that_names_no_file_is_blamed(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=folder, environ={"ASSETBUILD_CONFIG": "gone.toml"})
    assert str(caught.value) == "gone.toml: ASSETBUILD_CONFIG: there is no such configuration file"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"sources = [\n  'a',\n  b\n]\n", "assetbuild.toml:3:3: "),
        (b"output = 'a'\noutput = 'b'\n", "assetbuild.toml:2:13: "),
        (b"output = 'a", "assetbuild.toml:1:12: "),
        (b"a = 1\nb = '\xff'\n", "assetbuild.toml:2:6: this file is not UTF-8"),
    ],
)
def test_what_is_not_toml_is_an_error_with_its_place(folder: Path, text: bytes, place: str) -> None:
    (folder / "assetbuild.toml").write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=folder, environ={})
    assert str(caught.value).startswith(place)


def test_a_byte_order_mark_is_passed_over(folder: Path) -> None:
    (folder / "assetbuild.toml").write_bytes(b"\xef\xbb\xbfoutput = 'x'\r\n")
    assert config.load(cwd=folder, environ={}).output.name == "x"


def test_messages_name_files_as_typed_from_the_working_folder(folder: Path) -> None:
    (folder / "assetbuild.toml").write_text('sorces = []\nsources = ["asets"]')
    inner = folder / "inner"
    inner.mkdir()
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=inner, environ={})
    assert [str(problem) for problem in caught.value.problems] == [
        '../assetbuild.toml: sorces: there is no such key; did you mean "sources"?',
        '../assetbuild.toml: sources[0]: "../asets" does not exist; did you mean "../assets"?',
    ]


def test_keys_of_a_pyproject_are_named_in_full(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.assetbuild]\noutptu = 1")
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=folder, environ={})
    assert str(caught.value) == 'pyproject.toml: tool.assetbuild.outptu: there is no such key; did you mean "output"?'


def test_a_tool_entry_that_is_no_table_is_an_error(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool]\nassetbuild = 3")
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=folder, environ={})
    assert str(caught.value) == "pyproject.toml: tool.assetbuild must be a table, not a number"


# ---- values


def test_every_key_is_read(folder: Path) -> None:
    for name in ("more", "templates"):
        (folder / name).mkdir()
    (folder / "webassets.yml").write_text("")
    loaded = read(
        folder,
        """
sources = ["assets", "more"]
output = "out"
base_url = "https://cdn.example.com/a"
exclude = ["**/*.psd", "drafts/"]
keep_names = ["robots.txt", ".well-known/**"]
missing = {"vendor/**" = "ignore", "**" = "warn"}
compress = ["zstd", "br", "zstd"]
templates = ["templates"]
follow_symlinks = true
filter_timeout = 2.5
bundles_from = "webassets.yml"

[filters]
"vendor/**" = []
"legacy/*.css" = ["myapp.filters:Uppercase", "rcssmin"]
"theme/*.scss" = {filters = ["libsass"], depends = ["theme/**/*.scss"], suffix = ".css"}

[bundles."app.js"]
contents = ["js/vendor/*.js", "app.js", "other.js"]
filters = ["rjsmin"]
publish_parts = true
depends = ["*.json"]

[bundles."all.css"]
contents = ["*.css"]

[webassets]
LIBSASS_STYLE = "compressed"

[jinja]
variable_start_string = "<<"
trim_blocks = true
extensions = ["jinja2.ext.do"]
""",
    )
    assert loaded.sources == (folder / "assets", folder / "more")
    assert loaded.output == folder / "out"
    assert loaded.base_url == "https://cdn.example.com/a/"
    assert loaded.exclude == (Pattern("**/*.psd"), Pattern("drafts/**"))
    assert loaded.keep_names == (Pattern("robots.txt"), Pattern(".well-known/**"))
    assert loaded.missing == ((Pattern("vendor/**"), "ignore"), (Pattern("**"), "warn"))
    assert loaded.compress == ("zstd", "br")
    assert loaded.templates == (folder / "templates",)
    assert loaded.follow_symlinks is True
    assert loaded.filter_timeout == 2.5
    assert loaded.bundles_from == "webassets.yml"
    assert loaded.filters == (
        FilterRule(Pattern("vendor/**"), ()),
        FilterRule(Pattern("legacy/*.css"), ("myapp.filters:Uppercase", "rcssmin")),
        FilterRule(Pattern("theme/*.scss"), ("libsass",), (Pattern("theme/**/*.scss"),), ".css"),
    )
    contents = tuple(Pattern(text, from_top=True) for text in ("js/vendor/*.js", "app.js", "other.js"))
    assert loaded.bundles == (
        Bundle("app.js", contents, ("rjsmin",), True, (Pattern("*.json"),)),
        Bundle("all.css", (Pattern("*.css", from_top=True),)),
    )
    assert loaded.webassets == {"LIBSASS_STYLE": "compressed"}
    assert loaded.jinja == {"variable_start_string": "<<", "trim_blocks": True, "extensions": ["jinja2.ext.do"]}


def test_the_first_filter_rule_stays_the_first(folder: Path) -> None:
    loaded = read(folder, '[filters]\n"z" = []\n"a" = []\n"m" = []')
    assert [rule.pattern.text for rule in loaded.filters] == ["z", "a", "m"]


def test_one_word_for_missing_is_for_all_files(folder: Path) -> None:
    [(pattern, word)] = read(folder, 'missing = "ignore"').missing
    assert word == "ignore"
    assert pattern.matches("a")
    assert pattern.matches("a/b/c.css")


def test_an_empty_list_of_codings_is_no_compression(folder: Path) -> None:
    assert read(folder, "compress = []").compress == ()


def test_a_bundle_without_filters_differs_from_one_with_none(folder: Path) -> None:
    loaded = read(folder, '[bundles]\na = {contents = ["x"]}\nb = {contents = ["x"], filters = []}')
    assert [bundle.filters for bundle in loaded.bundles] == [None, ()]


def test_an_environment_of_webassets_is_named_by_module(folder: Path) -> None:
    assert read(folder, 'bundles_from = "myapp.assets:env"').bundles_from == "myapp.assets:env"


def test_bundles_from_elsewhere_bring_their_own_folder(tmp_path: Path) -> None:
    assert read(tmp_path, 'bundles_from = "myapp.assets:env"').sources == ()


# ---- precedence


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(folder: Path) -> None:
    toml = 'output = "file"\nbase_url = "/file/"'
    environ = {"ASSETBUILD_OUTPUT": "env", "ASSETBUILD_BASE_URL": "/env/"}
    loaded = read(folder, toml)
    assert (loaded.output.name, loaded.base_url) == ("file", "/file/")
    loaded = read(folder, toml, environ)
    assert (loaded.output.name, loaded.base_url) == ("env", "/env/")
    loaded = read(folder, toml, environ, output="line", base_url="/line")
    assert (loaded.output.name, loaded.base_url) == ("line", "/line/")


def test_paths_of_the_environment_and_the_command_line_are_relative_to_the_working_folder(folder: Path) -> None:
    (folder / "assetbuild.toml").write_text('output = "x"')
    inner = folder / "inner"
    inner.mkdir()
    environ = {"ASSETBUILD_OUTPUT": "env", "ASSETBUILD_CACHE_DIR": "cache"}
    loaded = config.load(cwd=inner, environ=environ)
    assert loaded.output == inner / "env"
    assert loaded.cache_dir == inner / "cache"
    assert config.load(cwd=inner, environ=environ, output="../line").output == folder / "line"


def test_an_empty_variable_is_none(folder: Path) -> None:
    names = ("CONFIG", "OUTPUT", "BASE_URL", "CACHE_DIR")
    environ = {f"ASSETBUILD_{name}": "" for name in names} | {"SOURCE_DATE_EPOCH": ""}
    assert read(folder, "", environ) == read(folder)


def test_a_variable_that_names_the_manifest_means_its_folder(folder: Path) -> None:
    assert read(folder, "", {"ASSETBUILD_OUTPUT": "out/manifest.json"}).output == folder / "out"


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("1700000000", 1700000000), ("007", 7)])
def test_source_date_epoch_is_a_number_of_seconds(folder: Path, text: str, seconds: int) -> None:
    assert read(folder, "", {"SOURCE_DATE_EPOCH": text}).source_date_epoch == seconds


@pytest.mark.parametrize("text", ["-1", "1.5", "1e9", " 1", "1\n", "yesterday", "٣", "9" * 12, "9" * 40])
def test_any_other_source_date_epoch_is_an_error(folder: Path, text: str) -> None:
    assert mistake(folder, "", {"SOURCE_DATE_EPOCH": text}).startswith("SOURCE_DATE_EPOCH: ")


# ---- base URL


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ("/", "/"),
        ("/static/", "/static/"),
        ("/static", "/static/"),
        ("https://cdn.example.com", "https://cdn.example.com/"),
        ("http://localhost:8000/a", "http://localhost:8000/a/"),
        ("//cdn.example.com/a/", "//cdn.example.com/a/"),
    ],
)
def test_a_base_url_ends_in_a_slash(folder: Path, given: str, becomes: str) -> None:
    assert read(folder, f'base_url = "{given}"').base_url == becomes


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "empty"),
        ("static/", 'write "/static/"'),
        ("./static", 'write "/static/"'),
        ("cdn.example.com", 'write "https://cdn.example.com/"'),
        ("cdn.example.com/a/", 'write "https://cdn.example.com/a/"'),
        ("../static.d/", 'write "/../static.d/"'),
        ("/é/", "percent-encode"),
        ("/'/", "percent-encode"),
        ("ftp://example.com/", "http"),
        ("data:text/css,", "http"),
        ("https:///a", "names no host"),
        ("//", "names no host"),
        ("https://[::1/", "no URL"),
        ("https://example.com:port/", "no URL"),
        ("/a?b", "query"),
        ("/a#b", "fragment"),
        ("/a b/", "percent-encode"),
        ("/a'\\\\b/", "percent-encode"),
        ('/a\\"b/', "percent-encode"),
    ],
)
def test_what_is_no_base_url_is_refused(folder: Path, url: str, words: str) -> None:
    message = mistake(folder, f'base_url = "{url}"')
    assert message.startswith("assetbuild.toml: base_url: ")
    assert words in message


def test_whoever_named_the_base_url_is_blamed(folder: Path) -> None:
    assert mistake(folder, "", base_url="x").startswith("--base-url: ")
    assert mistake(folder, "", {"ASSETBUILD_BASE_URL": "x"}).startswith("ASSETBUILD_BASE_URL: ")


# ---- mistakes


def test_all_mistakes_are_reported_at_once(folder: Path) -> None:
    messages = mistakes(folder, 'sources = "assets"\nunknown = 1\n[filters]\n"[" = 3', {"SOURCE_DATE_EPOCH": "x"}, base_url="x")
    keys = ("--base-url:", "SOURCE_DATE_EPOCH:", "filters", "sources:", "unknown:")
    assert len(messages) == 6
    for key in keys:
        assert any(key in message for message in messages), key


def test_names_of_filters_are_asked_for_wherever_they_stand(folder: Path) -> None:
    toml = """
        [filters]
        "*.a" = ["good", "bad"]
        "*.b" = {filters = ["bad"]}
        [bundles."x.js"]
        contents = ["a"]
        filters = ["bad", "bad"]
    """
    (folder / "assetbuild.toml").write_text(toml)
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=folder, environ={}, filter_fault=lambda name: f"{name} is none" if name == "bad" else "")
    assert [str(problem) for problem in caught.value.problems] == [
        'assetbuild.toml: bundles."x.js".filters: bad is none',
        'assetbuild.toml: filters."*.a": bad is none',
        'assetbuild.toml: filters."*.b".filters: bad is none',
    ]


def test_a_module_that_brings_bundles_may_bring_filters_along(folder: Path) -> None:
    (folder / "assetbuild.toml").write_text('bundles_from = "app.assets:env"\n[filters]\n"*.a" = ["theirs"]')
    assert config.load(cwd=folder, environ={}, filter_fault=lambda _: "no").filters[0].filters == ("theirs",)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("sorces = []", 'sorces: there is no such key; did you mean "sources"?'),
        ("base-url = '/'", 'base-url: there is no such key; did you mean "base_url"?'),
        ("Output = 'x'", 'Output: there is no such key; did you mean "output"?'),
        ('"a b" = 1', '"a b": there is no such key; known keys: sources, output,'),
        ("sources = 'assets'", 'sources: must be a list, not text; write sources = ["assets"]'),
        ("sources = 'assets, more'", 'sources: must be a list, not text; write sources = ["assets", "more"]'),
        ("sources = []", "sources: is an empty list: there is nothing to build"),
        ("sources = [3]", "sources[0]: must be text, not a number"),
        ("sources = ['']", "sources[0]: may not be empty"),
        ("sources = true", "sources: must be a list of texts, not true"),
        ("output = 3", "output: must be a folder's path, not a number"),
        ("output = ''", "output: may not be empty"),
        ("base_url = 3", 'base_url: must be text like "/static/", not a number'),
        ("exclude = '*.psd'", 'exclude: must be a list, not text; write exclude = ["*.psd"]'),
        ("exclude = ['a//b']", 'exclude: "a//b": "//" means no folder'),
        ("keep_names = ['../x']", 'keep_names: "../x": "." and ".." mean nothing'),
        ("missing = 'warning'", 'missing: must be "error", "warn" or "ignore", not "warning"; did you mean "warn"?'),
        ("missing = false", 'missing: must be "error", "warn", "ignore", or a table'),
        ("missing = {'**' = 1}", 'missing."**": must be "error", "warn" or "ignore", not a number'),
        ("missing = {'[' = 'warn'}", 'missing."[": this "[" has no "]"'),
        ("compress = 'br'", 'compress: must be a list, not text; write compress = ["br"]'),
        ("compress = ['brotli']", 'compress[0]: "brotli" is no coding; did you mean "br"?'),
        ("compress = ['gz']", 'compress[0]: "gz" is no coding; did you mean "gzip"?'),
        ("compress = ['lzma']", 'compress[0]: "lzma" is no coding; there are "br", "gzip" and "zstd"'),
        ("templates = 'x'", 'templates: must be a list, not text; write templates = ["x"]'),
        ("follow_symlinks = 1", "follow_symlinks: must be true or false, not a number"),
        ("follow_symlinks = 'yes'", "follow_symlinks: must be true or false, not text"),
        ("filter_timeout = true", "filter_timeout: must be a number of seconds, not true"),
        ("filter_timeout = '60'", "filter_timeout: must be a number of seconds, not text"),
        ("filter_timeout = 0", "filter_timeout: 0 is no number of seconds"),
        ("filter_timeout = -1", "filter_timeout: -1 is no number of seconds"),
        ("filter_timeout = nan", "filter_timeout: nan is no number of seconds"),
        ("filter_timeout = inf", "filter_timeout: inf is no number of seconds"),
        ("filter_timeout = 2020-01-01", "filter_timeout: must be a number of seconds, not a date or a time"),
        ("bundles_from = 3", "bundles_from: must be a path"),
        ("bundles_from = 'gone.yml'", 'bundles_from: "gone.yml" is no file'),
        ("filters = []", "filters: must be a table, not a list"),
        ("filters.x = 'libsass,rcssmin'", 'filters.x: must be a list, not text; write "x" = ["libsass", "rcssmin"]'),
        ("filters.x = 3", "filters.x: must be a list of filters or a table, not a number"),
        ("filters.x = [3]", "filters.x[0]: must be text, not a number"),
        ("filters.x = {}", "filters.x: the chain is missing"),
        ("filters.x = {filters = 'a'}", 'filters.x.filters: must be a list, not text; write filters = ["a"]'),
        ("filters.x = {filters = [], sufix = '.css'}", 'filters.x.sufix: there is no such key; did you mean "suffix"?'),
        ("filters.x = {filters = [], suffix = 'css'}", 'filters.x.suffix: "css" is no suffix; write ".css"'),
        ("filters.x = {filters = [], suffix = '.a/b'}", 'filters.x.suffix: ".a/b" is no suffix'),
        ("filters.x = {filters = [], suffix = '.'}", 'filters.x.suffix: "." is no suffix'),
        ("filters.x = {filters = [], suffix = 3}", "filters.x.suffix: must be text"),
        ("filters.x = {filters = [], depends = 'a'}", 'filters.x.depends: must be a list, not text; write depends = ["a"]'),
        ("filters.'a//b' = []", 'filters."a//b": "//" means no folder'),
        ("bundles = 3", "bundles: must be a table, not a number"),
        ("bundles.x = ['a']", 'bundles.x: must be a table, not a list; write [bundles.x] and contents = ["a"] below it'),
        ("bundles.app.js.contents = ['a']", 'bundles.app.js: a name with a dot needs quotes; write [bundles."app.js"]'),
        ("bundles.x = {}", "bundles.x: it has no contents"),
        ("bundles.x = {contents = []}", "bundles.x.contents: is an empty list"),
        ("bundles.x = {contents = 'a'}", 'bundles.x.contents: must be a list, not text; write contents = ["a"]'),
        ("bundles.x = {contents = ['https://a/b.js']}", 'bundles.x.contents: "https://a/b.js": a pattern means files'),
        ("bundles.x = {contents = ['a'], output = 'b'}", "bundles.x.output: there is no such key"),
        ("bundles.x = {contents = ['a'], publish_parts = 1}", "bundles.x.publish_parts: must be true or false"),
        ("bundles.x = {contents = ['a'], filters = 'a'}", "bundles.x.filters: must be a list, not text"),
        ("bundles.'/x' = {contents = ['a']}", 'bundles."/x": "/x" is no logical path'),
        ("bundles.'../x' = {contents = ['a']}", 'bundles."../x": "../x" is no logical path'),
        ("bundles.'x/' = {contents = ['a']}", 'bundles."x/": "x/" is no logical path'),
        ("bundles.'' = {contents = ['a']}", 'bundles."": "" is no logical path'),
        ("bundles.'a\\b' = {contents = ['a']}", "a logical path has no backslash"),
        ('bundles."a\\u0007" = {contents = ["a"]}', "a logical path has no control characters"),
        ("webassets = []", "webassets: must be a table, not a list"),
        ("jinja = 3", "jinja: must be a table, not a number"),
        ("jinja.variable_start = 'x'", 'jinja.variable_start: there is no such key; did you mean "variable_start_string"?'),
        ("jinja.variable_start_string = 3", "jinja.variable_start_string: must be text, not a number"),
        ("jinja.trim_blocks = 'x'", "jinja.trim_blocks: must be true or false, not text"),
        ("jinja.extensions = 'x'", "jinja.extensions: must be a list, not text"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_what_helps(folder: Path, toml: str, expected: str) -> None:
    message = mistake(folder, toml)
    assert message.startswith("assetbuild.toml: ")
    assert expected in message


# ---- source roots


def test_a_root_that_is_a_file_is_an_error(folder: Path) -> None:
    (folder / "a.css").write_text("")
    assert '"a.css" is not a folder' in mistake(folder, 'sources = ["a.css"]')


def test_a_root_that_is_a_dangling_link_is_an_error(folder: Path) -> None:
    (folder / "link").symlink_to("gone")
    assert '"link" is a symbolic link that leads nowhere' in mistake(folder, 'sources = ["link"]')


def test_a_root_may_be_a_link(folder: Path) -> None:
    (folder / "link").symlink_to("assets")
    assert read(folder, 'sources = ["link"]').sources == (folder / "link",)


def test_the_default_root_must_exist_where_there_is_a_configuration(tmp_path: Path) -> None:
    message = mistake(tmp_path, "output = 'x'")
    assert 'sources: absent, and "assets" is no folder' in message


@pytest.mark.parametrize("again", ["assets", "./assets/", "assets/../assets", "link"])
def test_one_root_twice_is_an_error(folder: Path, again: str) -> None:
    (folder / "link").symlink_to("assets")
    assert 'is the same folder as "assets"' in mistake(folder, f'sources = ["assets", "{again}"]')


def test_one_root_may_be_inside_another(folder: Path) -> None:
    (folder / "assets" / "vendor").mkdir()
    assert len(read(folder, 'sources = ["assets", "assets/vendor"]').sources) == 2


def test_a_root_may_give_its_files_a_prefix(folder: Path) -> None:
    loaded = read(folder, 'sources = ["assets", {path = "assets", prefix = "lib/v1/"}]')
    assert loaded.sources == (folder / "assets", folder / "assets")
    assert loaded.prefixes == ("", "lib/v1/")
    assert read(folder, 'sources = [{path = "assets"}]').prefixes == ()


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ('{path = "assets", prefix = "../x"}', 'sources[0].prefix: "../x" is no logical path'),
        ('{path = "assets", prefix = "/x"}', 'sources[0].prefix: "/x" is no logical path'),
        ('{path = "assets", prefix = 1}', "sources[0].prefix: must be text like"),
        ('{path = "assets", prefixes = "x"}', 'sources[0].prefixes: there is no such key; did you mean "prefix"?'),
        ('{prefix = "x"}', "sources[0]: it has no path"),
        ('{path = 1, prefix = "x"}', "sources[0]: must be text, not a number"),
        ('{path = "assets"}, "assets"', 'sources[1]: "assets" is the same folder as "assets"'),
    ],
)
def test_what_is_wrong_with_a_prefix_is_said_at_its_place(folder: Path, root: str, message: str) -> None:
    assert message in mistake(folder, f"sources = [{root}]")


def test_dots_after_a_link_mean_what_they_mean_to_the_file_system(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "else" / "where").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "else" / "where")
    assert read(folder, 'sources = ["link/../where"]').sources == (tmp_path / "else" / "where",)
    assert read(folder, 'sources = ["assets/../assets"]').sources == (folder / "assets",)


def test_an_absolute_root_stays_as_it_is(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert read(folder, f'sources = ["{tmp_path}/elsewhere"]').sources == (tmp_path / "elsewhere",)


# ---- output


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("assets", "is a source root"),
        ("link", "is a source root"),
        ("assets/dist", 'is inside the source root "assets"'),
        ("link/dist", 'is inside the source root "assets"'),
        (".", "is inside the output folder"),
        ("..", "is inside the output folder"),
    ],
)
def test_output_and_roots_are_apart(folder: Path, output: str, words: str) -> None:
    (folder / "link").symlink_to("assets")
    messages = mistakes(folder, f'output = "{output}"')
    assert any(message.startswith("assetbuild.toml: output: ") and words in message for message in messages)


def test_paths_are_compared_as_paths_and_not_as_text(folder: Path) -> None:
    assert read(folder, 'output = "assets-dist"').output == folder / "assets-dist"


def test_whoever_named_the_output_is_blamed(folder: Path) -> None:
    assert mistake(folder, "", output="assets").startswith('--output: "assets" is a source root')
    assert mistake(folder, "", {"ASSETBUILD_OUTPUT": "assets"}).startswith('ASSETBUILD_OUTPUT: "assets" is a source root')


def test_an_output_that_is_a_file_is_an_error(folder: Path) -> None:
    (folder / "dist").write_text("")
    assert 'output: "dist" is not a folder' in mistake(folder, "")


def test_an_empty_output_on_the_command_line_is_an_error(folder: Path) -> None:
    assert mistake(folder, "", output="") == "--output: this names no folder"


@pytest.mark.parametrize("cache", ["dist", "dist/cache", ".", "assets/cache"])
def test_the_cache_is_apart_from_output_and_sources(folder: Path, cache: str) -> None:
    assert all("ASSETBUILD_CACHE_DIR: " in message for message in mistakes(folder, "", {"ASSETBUILD_CACHE_DIR": cache}))


def test_a_hidden_cache_may_be_inside_a_root(tmp_path: Path) -> None:
    loaded = read(tmp_path, 'sources = ["."]\noutput = "../dist"')
    assert loaded.cache_dir == tmp_path / ".assetbuild"


# ---- roots inside packages


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the import path."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    return site


def test_a_package_s_folder_is_found_and_nothing_of_the_package_runs(folder: Path, packages: Path) -> None:
    (packages / "noisylib" / "sub" / "static").mkdir(parents=True)
    (packages / "noisylib" / "static").mkdir()
    for init in ("__init__.py", "sub/__init__.py"):
        (packages / "noisylib" / init).write_text("raise SystemExit('imported')")
    loaded = read(folder, 'sources = ["package:noisylib/static", "package:noisylib.sub/static"]')
    assert loaded.sources == (packages / "noisylib" / "static", packages / "noisylib" / "sub" / "static")
    assert "noisylib" not in sys.modules


def test_a_namespace_package_s_folder_is_found_in_any_of_its_places(
    folder: Path, packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (packages / "spread" / "a").mkdir(parents=True)
    (tmp_path / "other" / "spread" / "b").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "other"))
    loaded = read(folder, 'sources = ["package:spread/a", "package:spread/b"]')
    assert loaded.sources == (packages / "spread" / "a", tmp_path / "other" / "spread" / "b")


def test_a_package_of_the_project_need_not_be_installed(folder: Path) -> None:
    (folder / "myownapp" / "static").mkdir(parents=True)
    (folder / "myownapp" / "__init__.py").write_text("")
    assert read(folder, 'sources = ["package:myownapp/static"]').sources == (folder / "myownapp" / "static",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("package:goneslib/static", 'there is no package "goneslib"'),
        ("package:onefile/static", '"onefile" is a module, not a package'),
        ("package:wholelib/gone", 'the package "wholelib" has no folder "gone"'),
        ("package:wholelib", "names no folder inside the package"),
        ("package:wholelib/", "names no folder inside the package"),
        ("package:wholelib/../x", "names no folder inside the package"),
        ("package:whole-lib/static", "is no name of a package"),
        ("package:/static", "is no name of a package"),
        ("package:zippedlib/static", "is inside an archive"),
        ("package:__main__/static", "package"),
    ],
)
def test_a_package_that_gives_no_folder_is_an_error(folder: Path, packages: Path, text: str, words: str) -> None:
    (packages / "wholelib").mkdir()
    (packages / "wholelib" / "__init__.py").write_text("")
    (packages / "onefile.py").write_text("")
    with zipfile.ZipFile(packages / "lib.zip", "w") as archive:
        archive.writestr("zippedlib/__init__.py", "")
        archive.writestr("zippedlib/static/a.css", "")
    sys.path.insert(0, str(packages / "lib.zip"))
    try:
        message = mistake(folder, f'sources = ["{text}"]')
    finally:
        sys.path.remove(str(packages / "lib.zip"))
    assert message.startswith("assetbuild.toml: sources[0]: ")
    assert words in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_configuration_that_may_not_be_read_is_an_error(folder: Path) -> None:
    (folder / "assetbuild.toml").write_text("")
    (folder / "assetbuild.toml").chmod(0)
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=folder, environ={})
    assert "cannot be read" in str(caught.value)


# ---- what the application of a framework adds


def test_an_applications_folders_stand_behind_those_of_the_file_and_count_once(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("assets", "static", "other")]
    for folder in folders:
        folder.mkdir()
    (tmp_path / "link").symlink_to(folders[0])
    application = config.Application((folders[1], tmp_path / "link", folders[2], folders[1]))
    loaded = config.load(cwd=tmp_path, environ={}, application=application)
    assert loaded.sources == tuple(folders)


def test_an_applications_folder_may_have_a_prefix(tmp_path: Path) -> None:
    for name in ("assets", "lib"):
        (tmp_path / name).mkdir()
    application = config.Application((("vendor", tmp_path / "lib"), ("", tmp_path / "assets"), ("vendor/", tmp_path / "lib")))
    loaded = config.load(cwd=tmp_path, environ={}, application=application)
    assert loaded.sources == (tmp_path / "assets", tmp_path / "lib")
    assert loaded.prefixes == ("", "vendor/")
    with pytest.raises(ConfigError, match=r'"lib" has a prefix that cannot be: "\.\./x" is no logical path'):
        config.load(cwd=tmp_path, environ={}, application=config.Application((("../x", tmp_path / "lib"),)))


def test_the_configuration_of_an_application_is_looked_for_in_its_folder_last(tmp_path: Path) -> None:
    for name in ("here", "project/static", "project/site"):
        (tmp_path / name).mkdir(parents=True)
    application = config.Application((tmp_path / "project/static",), folder=tmp_path / "project/site")
    assert config.load(cwd=tmp_path / "here", environ={}, application=application).folder == tmp_path / "project/site"
    (tmp_path / "project/assetbuild.toml").write_text('output = "out"\n')
    loaded = config.load(cwd=tmp_path / "here", environ={}, application=application)
    assert (loaded.folder, loaded.output) == (tmp_path / "project", tmp_path / "project/out")
    (tmp_path / "here/assetbuild.toml").write_text("")
    assert config.load(cwd=tmp_path / "here", environ={}, application=application).folder == tmp_path / "here"


def test_an_application_names_its_templates_where_the_file_does_not(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    application = config.Application(templates=(tmp_path / "x", tmp_path / "y"))
    loaded = config.load(cwd=tmp_path, environ={}, application=application)
    assert (loaded.templates, loaded.templates_given) == ((tmp_path / "x", tmp_path / "y"), True)
    (tmp_path / "assetbuild.toml").write_text('templates = ["z"]\n')
    assert config.load(cwd=tmp_path, environ={}, application=application).templates == (tmp_path / "z",)


def test_an_application_may_leave_out_the_folder_assets_unless_it_is_all_that_there_is(tmp_path: Path) -> None:
    for name in ("assets", "static"):
        (tmp_path / name).mkdir()
    application = config.Application((tmp_path / "static",), default_sources=False)
    assert config.load(cwd=tmp_path, environ={}, application=application).sources == (tmp_path / "static",)
    bare = config.Application(default_sources=False)
    assert config.load(cwd=tmp_path, environ={}, application=bare).sources == (tmp_path / "assets",)


def test_an_application_with_folders_needs_neither_a_file_nor_the_folder_assets(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    application = config.Application((tmp_path / "static",))
    assert config.load(cwd=tmp_path, environ={}, application=application).sources == (tmp_path / "static",)
    with pytest.raises(ConfigError, match="no folder assets here"):
        config.load(cwd=tmp_path, environ={}, application=config.Application())


def test_an_application_wins_over_the_file_and_the_environment_and_the_command_line_over_it(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "assetbuild.toml").write_text('output = "file"\nbase_url = "/file/"\n')
    application = config.Application((tmp_path / "static",), tmp_path / "app", "STATIC_ROOT", "/app/", "STATIC_URL")

    def told(environ: dict[str, str], output: str | None = None, base_url: str | None = None) -> tuple[str, str]:
        loaded = config.load(cwd=tmp_path, environ=environ, output=output, base_url=base_url, application=application)
        return loaded.output.name, loaded.base_url

    variables = {"ASSETBUILD_OUTPUT": "environment", "ASSETBUILD_BASE_URL": "/environment/"}
    assert told({}) == ("app", "/app/")
    assert told(variables) == ("environment", "/environment/")
    assert told(variables, "line", "/line/") == ("line", "/line/")


def test_a_message_about_an_applications_setting_has_the_settings_name(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    inside = tmp_path / "static/dist"
    application = config.Application((tmp_path / "static",), inside, "STATIC_ROOT", "static", "STATIC_URL")
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=tmp_path, environ={}, application=application)
    first, second = map(str, caught.value.problems)
    assert first.startswith("STATIC_ROOT: ")
    assert second.startswith("STATIC_URL: ")


@pytest.mark.parametrize("unit", ["{a=", "["])
def test_a_file_that_is_nested_too_deeply_is_an_error(tmp_path: Path, unit: str) -> None:
    (tmp_path / "assetbuild.toml").write_text("a=" + unit * 100_000)
    with pytest.raises(ConfigError) as caught:
        config.load(cwd=tmp_path, environ={})
    assert [str(problem) for problem in caught.value.problems] == ["assetbuild.toml: this file is nested too deeply"]
