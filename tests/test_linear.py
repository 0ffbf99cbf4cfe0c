"""Four times as much to do is four times the work, in instructions: for hostile texts and for large projects."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.npm import thorough
from tests.tools.steps import MOST, Growth, counted

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not shutil.which("valgrind") and not os.environ.get("CI"),
        reason="valgrind is not installed: apt-get install valgrind",
    ),
]


@pytest.fixture(scope="module")
def growths() -> dict[str, Growth]:
    """From the name of each case what it took."""
    return counted(times=3, whole=True) if thorough() else counted()


def test_nothing_takes_more_than_linear_work(growths: dict[str, Growth]) -> None:
    assert len(growths) > 20
    assert {name: growth for name, growth in growths.items() if growth.factor > MOST and name != "control"} == {}


def test_what_is_quadratic_is_seen(growths: dict[str, Growth]) -> None:
    assert growths["control"].factor > 2 * MOST
