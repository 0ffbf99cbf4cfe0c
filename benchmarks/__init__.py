"""assetbuild and its peers, measured side by side in one run: `python -m benchmarks` in a clone; see docs/benchmarks.md.

Rooms, each of which imports only from those before it: corpora (what is built), measure (a process and what it took),
contenders (who builds it), sections (what is asked of whom; runtime and watching too), targets and table (what came of it).
"""
