"""Builds every bundle of a project with webassets itself and prints a JSON object: each bundle's `output` as written, and its
text. Runs in a process of its own, in the project's folder:

    python build.py FILE.yml | MODULE:ATTRIBUTE
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import json
import os
import sys
import warnings
from typing import Any


def main(bundles_from: str) -> None:
    warnings.simplefilter("ignore")
    import webassets.bundle
    import webassets.env
    import webassets.loaders

    sys.path.insert(0, os.getcwd())
    environment: Any = webassets.env.Environment
    loader: Any = webassets.loaders.YAMLLoader
    wrap: Any = webassets.bundle.wrap
    with contextlib.ExitStack() as stack, contextlib.redirect_stdout(sys.stderr):
        env: Any
        if ":" in bundles_from:
            module, _, attribute = bundles_from.partition(":")
            env = getattr(importlib.import_module(module), attribute)
            if inspect.isfunction(env):
                env = env()
            if hasattr(env, "app_context"):
                stack.enter_context(env.app_context())
                env = env.jinja_env.assets_environment
        else:
            env = loader(bundles_from).load_environment()
            if not len(env):
                env = environment(os.environ["DIRECTORY"], "/static")
                env.register(loader(bundles_from).load_bundles())
        env.config.update({"cache": False, "manifest": False, "debug": False})
        built = {}
        for bundle in env:
            if not (bundle.output or bundle.is_container):
                continue
            for one, extra, context in bundle.iterbuild(wrap(env, bundle)):
                if one.output:
                    stream = io.StringIO()
                    one._build(context, extra, force=True, output=stream, disable_cache=True)
                    built[one.output] = stream.getvalue()
    print(json.dumps(built))  # noqa: T201 (what it prints is its result)


if __name__ == "__main__":
    main(sys.argv[1])
