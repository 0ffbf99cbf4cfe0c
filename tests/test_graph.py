from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.graph import groups


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ({}, []),
        ({"a": []}, [("a",)]),
        ({"a": ["b"], "b": []}, [("b",), ("a",)]),
        ({"a": ["a"]}, [("a",)]),
        ({"a": ["b"], "b": ["a"]}, [("a", "b")]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, [("d",), ("b",), ("c",), ("a",)]),
        ({"a": ["b"], "b": ["c"], "c": ["b", "d"], "d": []}, [("d",), ("b", "c"), ("a",)]),
        # Two cycles that share no node are two groups; two that share one are one.
        ({"a": ["b"], "b": ["a", "c"], "c": ["d"], "d": ["c"]}, [("c", "d"), ("a", "b")]),
        ({"a": ["b", "c"], "b": ["a"], "c": ["a"]}, [("a", "b", "c")]),
    ],
)
def test_groups_come_after_all_that_they_refer_to(edges: dict[str, list[str]], expected: list[tuple[str, ...]]) -> None:
    assert groups(edges) == expected


def test_a_chain_longer_than_the_stack_is_no_matter() -> None:
    n = 50_000
    chain = {f"{i:06}": [f"{i + 1:06}"] for i in range(n)} | {f"{n:06}": []}
    assert [group[0] for group in groups(chain)] == sorted(chain, reverse=True)


def test_a_long_cycle_is_one_group() -> None:
    n = 50_000
    cycle = {str(i): [str((i + 1) % n)] for i in range(n)}
    (group,) = groups(cycle)
    assert len(group) == n


def reachable(edges: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        for target in edges[todo.pop()]:
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


@given(st.integers(1, 9), st.integers(0, 2**32))
def test_two_nodes_share_a_group_exactly_if_each_reaches_the_other(size: int, seed: int) -> None:
    dice = random.Random(seed)
    names = [chr(97 + i) for i in range(size)]
    edges = {a: {b for b in names if dice.random() < 0.25} for a in names}
    result = groups(edges)
    group_of = {name: number for number, group in enumerate(result) for name in group}
    reach = {name: reachable(edges, name) for name in names}
    for a in names:
        for b in names:
            if a != b:
                assert (group_of[a] == group_of[b]) == (b in reach[a] and a in reach[b])
            if b in edges[a]:
                assert group_of[b] <= group_of[a]


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_does_not_depend_on_the_order_of_the_input(order: list[str]) -> None:
    edges = {"a": ["c", "b"], "b": ["d"], "c": ["d"], "d": ["b"]}
    assert groups({name: edges[name] for name in order}) == groups(edges)
