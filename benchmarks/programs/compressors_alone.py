"""What the compressors take when nothing else is done: every text-like file, to nowhere, with the libraries and levels that
assetbuild uses. `compressors_alone.py SOURCE PROCESSES`; several take the files largest first, each the next one."""

import os
import sys
from multiprocessing import Pool

from assetbuild.compressors import chosen, tools
from assetbuild.runtime.media_types import media_type
from assetbuild.variants import is_text_like


def pack(task: tuple[str, str, int]) -> None:
    path, name, size = task
    with open(path, "rb") as file:
        data = file.read()
    for tool in tools(("br", "gzip")):
        if tool.name == name:
            for _ in tool.pack(iter((data,)), size):
                pass


def main(source: str, processes: str) -> None:
    packers = tools(("br", "gzip"))
    tasks = []
    for top, _, files in os.walk(source):
        for name in files:
            path = os.path.join(top, name)
            if is_text_like(media_type(name)):
                size = os.path.getsize(path)
                tasks += [(tool.cost * size, (path, tool.name, size)) for tool in chosen(packers, size)]
    tasks.sort(reverse=True)
    if processes == "1":
        for _, task in tasks:
            pack(task)
        return
    with Pool(int(processes)) as pool:
        for _ in pool.imap_unordered(pack, [task for _, task in tasks]):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
