"""Names of filters: which can be none, without looking for what a filter needs."""

from __future__ import annotations

import pytest
import webassets.filter

from assetbuild.filters import names, needs


@pytest.mark.parametrize("name", [*sorted(webassets.filter._FILTERS.keys() - {"cssrewrite", "replace"}), "my.module:Class"])
def test_what_webassets_has_is_a_filter_installed_or_not(name: str) -> None:
    assert names.fault(name) == ""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("rcsmin", 'no filter is called "rcsmin"; the nearest are rcssmin, rjsmin, cssmin'),
        ("zzz", 'no filter is called "zzz"'),
        ("cssrewrite", "not needed"),
        ("replace", "takes arguments"),
    ],
)
def test_what_is_no_filter_is_said_with_what_may_have_been_meant(name: str, says: str) -> None:
    assert says in names.fault(name)


def test_the_names_that_are_let_pass_unasked_are_webassets_own() -> None:
    assert needs.NEEDS.keys() <= webassets.filter._FILTERS.keys()
