"""What the compressors take when nothing else is done: every text-like file by one thread, to nowhere, with the libraries and
levels that assetbuild uses. `compressors_alone.py SOURCE`."""

import os
import sys

from assetbuild.compressors import chosen, tools
from assetbuild.runtime.media_types import media_type
from assetbuild.variants import is_text_like


def main(source: str) -> None:
    packers = tools(("br", "gzip"))
    for top, _, files in os.walk(source):
        for name in files:
            if is_text_like(media_type(name)):
                with open(os.path.join(top, name), "rb") as file:
                    data = file.read()
                for tool in chosen(packers, len(data)):
                    for _ in tool.pack(iter((data,)), len(data)):
                        pass


main(*sys.argv[1:])
