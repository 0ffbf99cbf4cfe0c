"""sbom: libraries known by their licence comments, as a bill of materials that the standard's own schema accepts."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from assetbuild import cli
from assetbuild.banners import banners
from tests import npm
from tests.conftest import Project

if TYPE_CHECKING:
    from cyclonedx.validation.json import JsonStrictValidator

JQUERY = "/*! jQuery v3.7.1 | (c) OpenJS Foundation and other contributors | jquery.org/license */\n"
NORMALIZE = "/*! normalize.css v8.0.1 | MIT License | github.com/necolas/normalize.css */\n"
BOOTSTRAP = """/*!
  * Bootstrap v5.3.3 (https://getbootstrap.com/)
  * Copyright 2011-2024 The Bootstrap Authors (https://github.com/twbs/bootstrap/graphs/contributors)
  * Licensed under MIT (https://github.com/twbs/bootstrap/blob/main/LICENSE)
  */
"""

KNOWN: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    JQUERY: ("jQuery", "3.7.1", ("MIT",), "jquery"),
    "/*!\n * jQuery JavaScript Library v3.7.1\n * https://jquery.com/\n *\n * Released under the MIT license\n */": (
        "jQuery JavaScript Library",
        "3.7.1",
        ("MIT",),
        "jquery",
    ),
    "/*! jQuery UI - v1.13.2 - 2022-07-14\n* http://jqueryui.com\n* Copyright jQuery Foundation; Licensed MIT */": (
        "jQuery UI",
        "1.13.2",
        ("MIT",),
        "jquery-ui",
    ),
    NORMALIZE: ("normalize.css", "8.0.1", ("MIT",), "normalize.css"),
    BOOTSTRAP: ("Bootstrap", "5.3.3", ("MIT",), "bootstrap"),
    BOOTSTRAP.replace("Bootstrap v", "Bootstrap  v"): ("Bootstrap", "5.3.3", ("MIT",), "bootstrap"),
    BOOTSTRAP.replace("Bootstrap v", "Bootstrap Reboot v"): ("Bootstrap", "5.3.3", ("MIT",), "bootstrap"),
    BOOTSTRAP.replace("Bootstrap v", "Bootstrap alert.js v").replace("\n", "\r\n"): (
        "Bootstrap",
        "5.3.3",
        ("MIT",),
        "bootstrap",
    ),
    "/**\n * @license\n * Lodash <https://lodash.com/>\n * Released under MIT license <https://lodash.com/license>\n"
    " * Based on Underscore.js 1.8.3 <http://underscorejs.org/LICENSE>\n */": ("Lodash", "", ("MIT",), ""),
    "//! moment.js\n//! version : 2.29.4\n//! license : MIT\n//! momentjs.com\n": ("moment.js", "2.29.4", ("MIT",), "moment"),
    '@charset "UTF-8";/*!\n * animate.css - https://animate.style/\n * Version - 4.1.1\n * Licensed under the MIT license */': (
        "animate.css",
        "4.1.1",
        ("MIT",),
        "animate.css",
    ),
    "/*!\n  Highlight.js v11.9.0 (git: b7ec4bfafc)\n  (c) 2006-2023 contributors\n  License: BSD-3-Clause\n */": (
        "Highlight.js",
        "11.9.0",
        ("BSD-3-Clause",),
        "",
    ),
    "/*! @name mux.js @version 7.1.0 @license Apache-2.0 */": ("mux.js", "7.1.0", ("Apache-2.0",), ""),
    "/**\n* @vue/shared v3.5.45\n* (c) 2018-present\n* @license MIT\n**/": ("@vue/shared", "3.5.45", ("MIT",), "@vue/shared"),
    "/*! @license DOMPurify 3.4.18 | (c) Cure53 | Released under the Apache license 2.0 and Mozilla Public License 2.0 */": (
        "DOMPurify",
        "3.4.18",
        ("Apache-2.0", "MPL-2.0"),
        "dompurify",
    ),
    "/*!\n * Font Awesome Free 7.3.1 by @fontawesome - https://fontawesome.com\n * License - https://fontawesome.com/license/free"
    " (Icons: CC BY 4.0, Fonts: SIL OFL 1.1, Code: MIT License)\n */": (
        "Font Awesome Free",
        "7.3.1",
        ("CC-BY-4.0", "MIT", "OFL-1.1"),
        "@fortawesome/fontawesome-free",
    ),
    "/* tiny.js 1.0.0-rc.1\n * SPDX-License-Identifier: MIT OR Apache-2.0\n */": (
        "tiny.js",
        "1.0.0-rc.1",
        ("MIT OR Apache-2.0",),
        "",
    ),
}

NOT_CERTAIN = [
    "/* mine */",
    "/*! Version 1.2.3, MIT */",
    "/*! jQuery v3.7.1 */",  # No licence.
    "/*! A plugin for jQuery v3.7.1 | MIT */",
    "/*! based on jQuery 3.7.1 | MIT License */",
    "/*! MIT License */",  # Of what?
    "/** @license\n * slightly modified parse-headers 2.0.2 <https://x.test>\n * Available under the MIT license\n */",
    "/* Pastel On Dark theme ported from ACE editor\n * @license MIT\n * @version 1.1\n */",
    "/*! Thing 1.2.3 | built at the MIT Media Lab */",
    "/*! Thing 1.2.3 | Dual licensed under the MIT or GPL Version 2 licenses. */",
    "/*! HTML5 Shiv 3.7.3 | MIT/GPL2 Licensed */",
    "/*! Thing 1.2.3 | BSD licensed */",
    "/*! Thing 1 | MIT */",
    "/*!\n * Bootstrap #{$file} v5.3.9 (https://getbootstrap.com/)\n * Licensed under MIT\n */",
    "let text = '/*! jQuery v3.7.1 | MIT */'",
    "let n = 1; /* jQuery v3.7.1 | MIT */",  # A remark, behind the first statement.
    "f(`\n/*! jQuery v3.7.1 | MIT */`); /*!",
    "/*! jQuery v3.7.1 | MIT",
]


@pytest.mark.parametrize("text", KNOWN)
def test_a_banner_says_which_library_it_is_and_under_which_licence(text: str) -> None:
    (found,) = banners(text, ".css" if text.startswith("@charset") else ".js")
    assert (found.name, found.version, found.licences, found.package) == KNOWN[text]


@pytest.mark.parametrize("text", NOT_CERTAIN)
def test_what_is_not_certain_is_not_guessed(text: str) -> None:
    assert banners(text, ".js") == []


def test_banners_in_the_midst_of_a_file_are_found_where_they_are_comments() -> None:
    script = f"{JQUERY}!function(){{}}();\nf('{NORMALIZE.strip()}');\n{BOOTSTRAP}let b;"
    assert [(one.name, script[one.offset : one.offset + 3]) for one in banners(script, ".js")] == [
        ("jQuery", "/*!"),
        ("Bootstrap", "/*!"),
    ]
    sheet = f"a{{content:'{JQUERY.strip()}'}}\n{NORMALIZE}"
    assert [one.name for one in banners(sheet, ".css")] == ["normalize.css"]


@pytest.mark.parametrize("text", ["/*! a" + "-" * 50_000, "/*!" * 50_000, "/*! " + "x 1." * 50_000 + "*/", "//" * 100_000])
def test_hostile_comments_take_no_longer_than_others(text: str) -> None:
    assert banners(text + " | MIT */", ".js") == []


SITE: dict[str, str | bytes] = {
    "assetbuild.toml": '[bundles."all.js"]\ncontents = ["vendor/*.js"]\n',
    "assets/vendor/jquery.js": JQUERY + "jq( );",
    "assets/vendor/both.js": f"{BOOTSTRAP}bs();\n{JQUERY}jq( );",
    "assets/site.scss": "@use 'parts'; a { b: parts.$c }",
    "assets/_parts.scss": NORMALIZE + "$c: red;",
    "assets/own.js": "// Mine, MIT\nlet  own;",
    "assets/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
}


@pytest.fixture
def site(inside: Project) -> Project:
    return inside.write(SITE)


def run(*words: str) -> int:
    return cli.main(["compile", "--quiet", *words])


@cache
def schema() -> JsonStrictValidator:
    # Its import takes seconds, of every process that collects the tests.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6)


def checked(folder: Path) -> dict[str, Any]:
    text = (folder / "sbom.json").read_text()
    assert schema().validate_str(text) is None
    document: dict[str, Any] = json.loads(text)
    return document


def test_the_bill_names_each_library_its_licence_its_files_and_the_artifact(site: Project) -> None:
    assert run("--sbom", "sbom.json") == 0
    said = checked(site.folder)
    assert said["metadata"]["component"]["version"] == site.manifest["digest"]
    listed = {one["bom-ref"]: one for one in said["components"]}
    jquery, bootstrap = "pkg:npm/jquery@3.7.1", "pkg:npm/bootstrap@5.3.3"
    assert listed.keys() == {jquery, bootstrap, "pkg:npm/normalize.css@8.0.1"}
    assert said["dependencies"] == [{"ref": "artifact", "dependsOn": sorted(listed)}]
    assert listed[jquery]["licenses"] == [{"license": {"id": "MIT", "acknowledgement": "declared"}}]
    assert listed[jquery]["evidence"]["occurrences"] == [
        {"location": "assets/vendor/both.js", "line": 7},
        {"location": "assets/vendor/jquery.js", "line": 1},
    ]
    digests = {name: hashlib.sha256((site.folder / name).read_bytes()).hexdigest() for name in SITE}
    for one in said["components"]:
        for file in one["components"]:
            assert file["hashes"] == [{"alg": "SHA-256", "content": digests[file["name"]]}]
    normalize = listed["pkg:npm/normalize.css@8.0.1"]
    assert normalize["hashes"] == normalize["components"][0]["hashes"], "the file is that library and nothing else"
    assert "hashes" not in listed[bootstrap], "a file with two libraries in it is neither of them"


def test_it_is_the_same_for_the_same_and_tells_nothing_of_the_machine(
    site: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--sbom", "sbom.json")
    first = (site.folder / "sbom.json").read_bytes()
    assert not {"serialNumber", "timestamp"} & {*json.loads(first), *json.loads(first)["metadata"]}
    run("--sbom", "sbom.json")
    assert (site.folder / "sbom.json").read_bytes() == first, "nothing had changed"
    other = Project(tmp_path_factory.mktemp("elsewhere")).write(SITE)
    monkeypatch.chdir(other.folder)
    run("--sbom", "sbom.json")
    assert (other.folder / "sbom.json").read_bytes() == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    run("--sbom", "sbom.json")
    assert checked(other.folder)["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"


def test_after_a_change_it_lists_what_is_there_now(site: Project) -> None:
    run("--sbom", "sbom.json")
    site.write({"assets/vendor/jquery.js": JQUERY.replace("3.7.1", "4.0.0") + "jq( );"})
    (site.folder / "assets/_parts.scss").write_text("$c: red;")
    run("--sbom", "sbom.json")
    names = [f"{one['name']} {one['version']}" for one in checked(site.folder)["components"]]
    assert names == ["Bootstrap 5.3.3", "jQuery 3.7.1", "jQuery 4.0.0"]


def test_two_libraries_of_one_name_are_two(site: Project) -> None:
    site.write({f"assets/{name}.js": f"/*! tiny 1.0.0 | {name} License */let t" for name in ("MIT", "ISC")})
    site.write({"assets/x.js": "/* tiny 1.0.0\nSPDX-License-Identifier: MIT OR LicenseRef-x */let x"})
    run("--sbom", "sbom.json")
    tiny = [one for one in checked(site.folder)["components"] if one["name"] == "tiny"]
    assert [one["licenses"][0].get("expression") or one["licenses"][0]["license"]["id"] for one in tiny] == [
        "ISC",
        "MIT",
        "MIT OR LicenseRef-x",
    ]


@pytest.mark.parametrize("where", ["dist/s.json", "assets/s.json"])
def test_it_is_not_written_into_the_artifact_nor_among_the_sources(
    site: Project, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    assert run("--sbom", where) == 2
    assert "--sbom names a file in" in capsys.readouterr().err
    assert not (site.folder / where).exists()


def test_libraries_as_npm_has_them_are_known(site: Project) -> None:
    files = {
        "bootstrap": "bootstrap/dist/js/bootstrap.bundle.min.js",
        "chart.js": "chart.js/dist/chart.umd.min.js",
        "dompurify": "dompurify/dist/purify.min.js",
        "@picocss/pico": "@picocss/pico/css/pico.min.css",
        "@vue/reactivity": "@vue/reactivity/dist/reactivity.esm-browser.js",
    }
    versions = {}
    for package, file in files.items():
        site.write({f"assets/{file}": (npm.packages() / file).read_bytes()})
        versions[package] = json.loads((npm.packages() / package / "package.json").read_bytes())["version"]
    site.write({"assetbuild.toml": 'missing = "ignore"\ncompress = []\nfilters."*" = []\nexclude = ["*.scss", "vendor/**"]\n'})
    assert run("--sbom", "sbom.json") == 0
    found = {one["purl"]: one["evidence"]["occurrences"][0]["location"] for one in checked(site.folder)["components"]}
    expected = {f"pkg:npm/{quote(name)}@{versions[name]}": f"assets/{file}" for name, file in files.items()}
    assert expected.items() <= found.items()
