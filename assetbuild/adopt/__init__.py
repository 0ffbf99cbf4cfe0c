"""The bundles of a project that uses webassets, taken as they are: a webassets YAML file or `module:environment` becomes source
roots, bundles and settings of this configuration. webassets says which files a bundle has and through which filters they go,
in which order; it builds nothing, and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from assetbuild.config import Config
from assetbuild.errors import Problem


@dataclass(frozen=True, slots=True)
class Adopted:
    """config: with what `bundles_from` names in it, and `bundles_from` None. warnings: what could not be honoured. read: the
    absolute paths of the files that say it."""

    config: Config
    warnings: tuple[Problem, ...] = ()
    read: tuple[str, ...] = ()


def adopt(config: Config) -> Adopted:
    """The configuration with the bundles that `bundles_from` names; without it, the configuration as it is.

    It imports the project's module, from the configuration's folder as the working folder. Raises ConfigError with everything
    that is wrong.
    """
    if config.bundles_from is None:
        return Adopted(config)
    from assetbuild.adopt import environment, translation  # webassets takes long to import.

    with environment.opened(config) as found:
        return Adopted(*translation.translate(config, found), found.read)
