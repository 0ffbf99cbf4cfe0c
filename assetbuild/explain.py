"""Where an asset came from, what was done to it, what it refers to, what refers to it, and why the next build would write
it anew. Everything is worked out afresh; nothing is written."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from assetbuild import fingerprint, publish
from assetbuild.adopt import adopt
from assetbuild.build import Linked, everything, link
from assetbuild.compile import glance
from assetbuild.config import Config
from assetbuild.errors import BuildError, ConfigError, Problem
from assetbuild.link import MISSING
from assetbuild.runtime import manifest as treaty
from assetbuild.unit import places


@dataclass(frozen=True, slots=True)
class Mention:
    """A reference: the line and column where it stands in its source (0: a filter made it up), the path as written, the
    logical path that it means (None: it is missing, or left alone as it is no file of the tree)."""

    line: int
    column: int
    text: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of one asset.

    source: the file as one would type it from the working folder, "" for a bundle. root: its source root. parts: the files of
    a bundle. size_before, size: bytes of the source and of the published file. referred_by: logical path, line and column of
    each reference to it. group: the members of its cycle. why: what is new against the artifact that is there.
    """

    logical_path: str
    public_path: str
    source: str
    root: str
    parts: tuple[str, ...]
    filters: tuple[str, ...]
    size_before: int
    size: int
    refers_to: tuple[Mention, ...]
    referred_by: tuple[tuple[str, int, int], ...]
    group: tuple[str, ...]
    why: str
    notes: tuple[Problem, ...]


def explain(config: Config, path: str, *, jobs: int | None = None) -> Explanation:
    """Explain an asset: by its logical path, its source's path, or the public path it has now.

    Raises BuildError for a path that is none of these, and whatever a build raises.
    """
    config = adopt(config).config
    tree = glance(config).tree()
    with link(config, tree.excluded, everything(tree, config), None, jobs=jobs) as linked:
        names = {output.public_path: logical for logical, output in linked.outputs.items()}
        names |= {job.source.path: logical for logical, job in linked.jobs.items()}
        names |= {logical: logical for logical in linked.outputs}
        if path not in names:
            for part, bundle in linked.work.parts.items():
                if path in (part, linked.work.sources[part].source.path):
                    what = f'"{path}" is a part of the bundle "{bundle}" and not published on its own'
                    raise BuildError(Problem("", 0, 0, what, f"assetbuild explain {bundle}"))
            near = difflib.get_close_matches(path, names, 3, 0.5)
            hint = "did you mean " + " or ".join(f'"{name}"' for name in near) + "?" if near else ""
            raise BuildError(Problem("", 0, 0, f'"{path}" is no asset of this project', hint))
        return _explanation(linked, config, names[path])


def _explanation(linked: Linked, config: Config, path: str) -> Explanation:
    job, unit, output, text = linked.jobs[path], linked.compiled[path], linked.outputs[path], linked.texts[path]
    at = places(job, unit)
    mentions = tuple(
        Mention(*place, reference.path, target or None)
        for place, reference, target in zip(at, text.references, text.targets, strict=True)
    )
    referred_by: list[tuple[str, int, int]] = []
    for other, other_text in sorted(linked.texts.items()):
        if path in other_text.targets:
            where = places(linked.jobs[other], linked.compiled[other])
            referred_by.extend((other, *where[i]) for i, target in enumerate(other_text.targets) if target == path)
    group = sorted(p for p, o in linked.outputs.items() if o.group and o.group == output.group)
    return Explanation(
        path,
        output.public_path,
        job.shown if job.text is None else "",
        config.shown(config.sources[job.source.root]) if job.text is None else "",
        tuple(part.shown for part in linked.assembled[path].parts.values()) if path in linked.assembled else (),
        job.chain.filters,
        job.source.size,
        output.size,
        mentions,
        tuple(referred_by),
        tuple(group),
        _why(linked, config, path),
        tuple(problem for problem in linked.warnings if problem.file == job.shown),
    )


def _why(linked: Linked, config: Config, path: str) -> str:
    """The reason, against the manifest in the output folder, for which the next build writes this asset or does not."""
    try:
        publish.owned(config.output, config.shown(config.output))
        before = treaty.load(config.output / treaty.NAME)["assets"]
    except ConfigError as error:
        return f"not written: {error.problems[0].message}"
    except treaty.ManifestError:
        return "there is no artifact yet"
    if path not in before:
        return "new: the artifact does not have it"
    text, output = linked.texts[path], linked.outputs[path]
    if not _differs(linked, before, path):
        if before[path]["path"] != output.public_path:
            return "changed: it gets another name"
        file = str(config.output / output.public_path)
        if not publish.whole(file, output.digest, output.size, config.source_date_epoch):
            return "damaged: its file in the artifact is gone, or was changed by hand"
        return "unchanged: the artifact has it as it is"
    causes = sorted(
        target
        for target in {target for target in text.targets if target not in (None, MISSING)}
        if target is not None and target in before and before[target]["path"] != linked.outputs[target].public_path
    )
    if output.group:
        return "changed: it, or a member of its cycle, or what they refer to, changed"
    if causes:
        names = ", ".join(causes)
        return f"changed: what it refers to has a new name ({names})"
    return "changed: its source, or what its filters make of it, is different"


def _differs(linked: Linked, before: Mapping[str, treaty.Entry], path: str) -> bool:
    output = linked.outputs[path]
    return before[path]["integrity"] != fingerprint.integrity(output.digest)
