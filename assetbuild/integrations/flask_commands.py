"""`flask assetbuild …`: the command line of assetbuild, told what the application knows. Imported when it is called, never by a
process that serves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from assetbuild import cli
from assetbuild.config import Application


def run(
    words: Sequence[str],
    *,
    folders: Iterable[tuple[str, Path]],
    templates: Iterable[Path],
    project: Path,
    output: Path,
    base_url: str | None,
) -> int:
    """Run one command; returns its exit status.

    folders: prefix and folder of each source root that stands behind those of the configuration. templates: where `check`
    looks, unless the configuration says. project: where the configuration is looked for, too. output: the folder that the
    application reads. base_url: what the application's setting says, or None.
    """
    application = Application(
        sources=tuple((prefix, folder) if prefix else folder for prefix, folder in folders),
        output=output,
        output_name="ASSETBUILD_OUTPUT in app.config",
        base_url=base_url,
        base_url_name="ASSETBUILD_BASE_URL in app.config",
        templates=tuple(templates),
        program="flask assetbuild",
        folder=project,
    )
    return cli.main(words, application=application)
