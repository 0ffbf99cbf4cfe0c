"""Problems and their places."""

from __future__ import annotations

import time

import pytest

from assetbuild.errors import Lines, line_and_column


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("", 0, (1, 1)),
        ("ab", 1, (1, 2)),
        ("a\nb", 1, (1, 2)),
        ("a\nb", 2, (2, 1)),
        ("a\r\nb", 3, (2, 1)),
        ("a\rb\n\nc", 5, (4, 1)),
        ("a\nbc", 4, (2, 3)),
        ("\U0001f600a", 1, (1, 2)),
        ("a\u2028b", 2, (1, 3)),
    ],
)
def test_lines_and_columns_count_from_one_in_characters_as_editors_do(text: str, offset: int, place: tuple[int, int]) -> None:
    assert line_and_column(text, offset) == place


@pytest.mark.parametrize(("offset", "place"), [(0, (1, 1)), (1, (1, 1)), (2, (1, 2)), (4, (2, 1))])
def test_a_byte_order_mark_is_no_column(offset: int, place: tuple[int, int]) -> None:
    assert line_and_column("\ufeffab\ncd", offset) == place


def test_a_hundred_thousand_places_in_a_long_text_are_told_at_once() -> None:
    """Hours, were the lines counted for each."""
    text = "a{b:url(c.png)}\n" * 100_000
    lines = Lines(text)
    began = time.process_time()
    assert [lines.place(16 * number + 8)[0] for number in range(100_000)] == list(range(1, 100_001))
    assert time.process_time() - began < 10
