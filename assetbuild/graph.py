"""Who refers to whom: an order in which the referred come first, and the groups that are cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def groups(edges: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The strongly connected groups of a graph, each after all that it refers to; members sorted.

    edges: node → the nodes it refers to; every node is a key. The order depends on nothing but the graph.
    Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972) without recursion, since import chains may be
    longer than the interpreter's stack; time is linear in nodes and edges.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    result: list[tuple[str, ...]] = []
    for start in sorted(edges):
        if start in index:
            continue
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        work = [(start, iter(sorted(edges[start])))]
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(edges[target]))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == index[node]:
                    members: list[str] = []
                    while not members or members[-1] != node:
                        members.append(stack.pop())
                    on_stack.difference_update(members)
                    result.append(tuple(sorted(members)))
    return result
