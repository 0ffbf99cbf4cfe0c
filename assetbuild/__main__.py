"""`python -m assetbuild`, and the door of the command `assetbuild`."""

from __future__ import annotations

import gc
import sys

# A build makes hundreds of thousands of values that stay to its end, and hardly a cycle among them: the collector, which would
# look at them all again and again, finds next to nothing.
_COLLECT_EVERY = 200_000

_NEEDS_BUILD = 'assetbuild: the command line needs the build extra: pip install "assetbuild[build]"\n'


def main() -> int:
    """Run the command line. Returns the exit status: 0 done, 1 failed, 2 usage or configuration, 130 interrupted."""
    gc.set_threshold(_COLLECT_EVERY, 20, 20)
    try:
        from assetbuild import cli

        status = cli.main()
        gc.freeze()  # Else the interpreter goes through all of it once more before it lets go of it.
        return status
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write(_NEEDS_BUILD)
        return 2
    except KeyboardInterrupt:
        # Before, or after, the command line has anybody who hears of it.
        sys.stderr.write("interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
