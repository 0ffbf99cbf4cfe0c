"""Names of filters: which can be none, without looking for what a filter needs."""

from __future__ import annotations

import pytest
import webassets.filter

from assetbuild.filters import chains, names, needs
from assetbuild.filters.webassets import _REFUSED


@pytest.mark.parametrize("name", [*sorted(webassets.filter._FILTERS.keys() - _REFUSED.keys()), "my.module:Class"])
def test_what_webassets_has_is_a_filter_installed_or_not(name: str) -> None:
    assert names.fault(name) == ""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("rcsmin", 'no filter is called "rcsmin"; the nearest are rcssmin, rjsmin, cssmin'),
        ("dartsass", 'no filter is called "dartsass"; the nearest are dart_sass'),
        ("zzz", 'no filter is called "zzz"'),
        ("cssrewrite", "not needed"),
        ("dustjs", "whole folders"),
        ("jspacker", "loses a word"),
        ("replace", "takes arguments"),
    ],
)
def test_what_is_no_filter_is_said_with_what_may_have_been_meant(name: str, says: str) -> None:
    assert says in names.fault(name)


def test_the_names_that_are_let_pass_unasked_are_webassets_own() -> None:
    assert needs.NEEDS.keys() <= webassets.filter._FILTERS.keys()


@pytest.mark.parametrize(
    "name",
    sorted({*(name for chain in chains._BUILT_IN.values() for name in chain), *chains._PRODUCES, *chains.COMPILED.values()}),
)
def test_every_filter_that_a_chain_knows_of_may_be_named_in_the_configuration(name: str) -> None:
    assert names.fault(name) == ""
