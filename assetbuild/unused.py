"""Assets that nobody needs: no template names them, and nothing refers to them that a template names or that keeps its name."""

from __future__ import annotations

from collections.abc import Collection

from assetbuild import plan
from assetbuild.adopt import adopt
from assetbuild.build import everything, link
from assetbuild.cache import Cache, opened
from assetbuild.compile import glance
from assetbuild.config import Config
from assetbuild.errors import Problem


def unused(config: Config, named: Collection[str], *, jobs: int | None = None) -> dict[str, Problem]:
    """A finding for each asset that is not needed, by logical path, sorted. It takes a compilation to know what refers to what.

    named: logical paths that templates name. Raises whatever a build raises.
    """
    config = adopt(config).config
    tree = glance(config).tree()
    found = opened(str(config.cache_dir))
    cache = found if isinstance(found, Cache) else None
    with link(config, tree.excluded, everything(tree, config), cache, jobs=jobs) as linked:
        reached: set[str] = set()
        waiting = [path for path, text in linked.texts.items() if text.kept or path in named]
        while waiting:
            path = waiting.pop()
            if path not in reached:
                reached.add(path)
                waiting += filter(None, linked.texts[path].targets)
        findings = {}
        for path in sorted(linked.texts.keys() - reached):
            job = linked.jobs[path]
            file = job.shown if job.text is None else plan.config_file(config)
            what = f'no template leads to "{path}"'
            findings[path] = Problem(file, 0, 0, what, "remove it, or exclude it")
        return findings
