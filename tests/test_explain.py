from __future__ import annotations

import pytest

from assetbuild import cli
from assetbuild import config as configuration
from assetbuild.errors import BuildError
from assetbuild.explain import Explanation, Mention, explain
from tests.conftest import Project

SITE = {
    "assets/css/app.css": '@import "base.css";\n/* a comment that goes */\nbody { background: url( "../img/a.png" ) }\n',
    "assets/css/base.css": "p { background: url(https://example.com/a.png) }",
    "assets/img/a.png": "png",
    "assets/js/a.js": 'import "./b.js"',
    "assets/js/b.js": 'import "./a.js"',
    "assets/theme.scss": ".a { .b { background: url(img/a.png) } }",
}


def ask(project: Project, path: str) -> Explanation:
    return explain(configuration.load(cwd=project.folder, environ={}), path)


def test_it_tells_what_an_asset_is_made_of_and_who_wants_it(project: Project) -> None:
    told = ask(project.write(SITE), "css/base.css")
    assert (told.logical_path, told.source, told.root, told.filters) == (
        "css/base.css",
        "assets/css/base.css",
        "assets",
        ("rcssmin",),
    )
    assert told.size < told.size_before
    assert told.referred_by == (("css/app.css", 1, 10),)
    assert told.refers_to == ()


def test_references_stand_where_they_were_written_not_where_the_minifier_put_them(project: Project) -> None:
    assert ask(project.write(SITE), "css/app.css").refers_to == (
        Mention(1, 10, "base.css", "css/base.css"),
        Mention(3, 26, "../img/a.png", "img/a.png"),
    )


def test_a_compiled_language_is_searched_for_the_references_text(project: Project) -> None:
    told = ask(project.write(SITE), "theme.css")
    assert told.filters == ("dart_sass", "rcssmin")
    assert told.refers_to == (Mention(1, 27, "img/a.png", "img/a.png"),)


def test_members_of_a_cycle_are_named(project: Project) -> None:
    assert ask(project.write(SITE), "js/b.js").group == ("js/a.js", "js/b.js")


@pytest.mark.parametrize("name", ["theme.css", "theme.scss"])
def test_an_asset_is_found_by_the_names_it_has(project: Project, name: str) -> None:
    assert ask(project.write(SITE), name).logical_path == "theme.css"


def test_an_asset_is_found_by_its_public_path(project: Project) -> None:
    project.write(SITE).compile()
    assert ask(project, project.public("img/a.png")).logical_path == "img/a.png"


def test_an_unknown_path_names_the_nearest(project: Project) -> None:
    with pytest.raises(BuildError, match=r'"css/ap\.css" is no asset of this project; did you mean "css/app\.css"'):
        ask(project.write(SITE), "css/ap.css")


def test_why_it_would_be_written_anew(project: Project) -> None:
    project.write(SITE)
    assert ask(project, "img/a.png").why == "there is no artifact yet"
    project.compile()
    assert ask(project, "img/a.png").why == "unchanged: the artifact has it as it is"
    project.write({"assets/img/a.png": "other", "assets/new.txt": "", "assets/js/b.js": 'import "./a.js";1'})
    assert ask(project, "new.txt").why == "new: the artifact does not have it"
    assert ask(project, "img/a.png").why == "changed: its source, or what its filters make of it, is different"
    assert ask(project, "css/app.css").why == "changed: what it refers to has a new name (img/a.png)"
    assert ask(project, "js/a.js").why == "changed: it, or a member of its cycle, or what they refer to, changed"


@pytest.mark.parametrize("damage", ["gone", "changed", "closed"])
def test_a_published_file_that_was_damaged_by_hand_is_not_called_unchanged(project: Project, damage: str) -> None:
    project.write(SITE).compile()
    file = project.folder / "dist" / project.public("img/a.png")
    if damage == "gone":
        file.unlink()
    elif damage == "changed":
        file.write_bytes(b"gnp")
    else:
        file.chmod(0o600)
    assert ask(project, "img/a.png").why == "damaged: its file in the artifact is gone, or was changed by hand"
    project.compile()
    assert ask(project, "img/a.png").why == "unchanged: the artifact has it as it is"


def test_what_the_next_build_refuses_is_said_to_be_refused(project: Project) -> None:
    project.write(SITE).compile()
    project.write({"dist/manifest.json": "{"})
    assert ask(project, "img/a.png").why.startswith("not written: its manifest.json cannot be used (is not JSON")
    (project.folder / "dist/manifest.json").unlink()
    assert ask(project, "img/a.png").why.startswith("not written: the output folder is not empty")


def test_another_name_for_the_same_bytes_is_a_change(project: Project) -> None:
    project.write(SITE).compile()
    project.write({"assetbuild.toml": 'keep_names = ["a.png"]'})
    assert ask(project, "img/a.png").why == "changed: it gets another name"


def test_nothing_is_written(project: Project) -> None:
    before = sorted(project.write(SITE).folder.rglob("*"))
    ask(project, "css/app.css")
    assert sorted(project.folder.rglob("*")) == before


def test_a_source_below_a_prefix_is_found_by_its_path_in_the_tree_and_by_its_file(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"assetbuild.toml": 'sources = [{path = "lib", prefix = "vendor"}]', "lib/a.css": "a{}"})
    told = ask(project, "vendor/a.css")
    assert (told.logical_path, told.source, told.root) == ("vendor/a.css", "lib/a.css", "lib")
    monkeypatch.chdir(project.folder)
    assert cli.main(["explain", "lib/a.css"]) == 0
    assert "vendor/a.css" in capsys.readouterr().out
