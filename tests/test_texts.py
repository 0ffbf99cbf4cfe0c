"""Long texts that are changed in place give what is written anew gives."""

from __future__ import annotations

import hashlib
from itertools import combinations, product
from typing import Any

import pytest

from assetbuild import entries, sums, texts
from assetbuild.index import Depth
from assetbuild.records import NONE, Asset, File
from assetbuild.runtime import manifest as treaty
from assetbuild.tally import LARGEST, tally

#: One is the beginning of another, one of several bytes, one to be quoted; and as many as make it worth to take a text apart.
NAMES = ("a", 'a"', "a/b.css", "b", "ä.css")
MANY = tuple(f"many/{number:03}.css" for number in range(texts.FEW + 2))
HEAD = {"version": 1, "previous": []}


def steps() -> list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """(names before, names afterwards, those of them that are made anew)."""
    some = [names for size in (0, 1, 2, len(NAMES)) for names in combinations(NAMES, size)]
    found = [(old, new, new[:1]) for old in some for new in some]
    return [*found, ((), MANY, ()), (MANY, (), ()), (MANY, (*MANY, *NAMES), ("many/000.css",)), ((*MANY, *NAMES), NAMES, NAMES)]


def asset(name: str, number: int) -> Asset:
    digest = f"{number:064x}"
    files = [File(f"{name}.{number}", digest, number), File(f"{name}.{number}.gz", digest, 7, "gzip 9")]
    return Asset(files, [(f"0/{name}", digest), ("0/part.css", digest)], [f"{name}.svg", "all.svg", "\x1bno name"])


def known(name: str, number: int) -> Asset:
    """The same, but for what can be no source."""
    made = asset(name, number)
    return Asset(made.files, made.sources, made.wanted[:2])


def entry(name: str, number: int) -> treaty.Entry:
    usual: treaty.Entry = {"path": f"{name}.{number}", "integrity": "", "size": number, "type": ""}
    return usual if number == 1 else {**usual, "variants": {"br": 1}, "missing": ["x"]}


def manifest(names: dict[str, int]) -> bytes:
    found: Any = {**HEAD, "assets": {name: entry(name, number) for name, number in names.items()}}
    found["checksum"] = "sha256-" + hashlib.sha256(treaty.dump(found)).hexdigest()
    return treaty.dump(found)


@pytest.mark.parametrize(("old", "new", "anew"), steps())
def test_what_is_changed_in_place_is_what_is_written_anew(
    old: tuple[str, ...], new: tuple[str, ...], anew: tuple[str, ...]
) -> None:
    before = dict.fromkeys(old, 1)
    after = {name: 2 if name in anew or name not in before else 1 for name in new}
    gone = [name for name in before if after.get(name) != 1]
    made = {name: 2 for name, number in after.items() if number == 2}

    texts_of = {name: entries.entry(name, entry(name, number)) for name, number in made.items()}
    text = entries.changed(manifest(before), gone, texts_of)
    data, digest = entries.assembled(HEAD, text)
    assert (data, digest) == (manifest(after), hashlib.sha256(data).hexdigest())

    records = NONE.changed((), {name: asset(name, 1) for name in before})
    changed = records.changed(gone, {name: asset(name, 2) for name in made})
    assert changed == NONE.changed((), {name: asset(name, number) for name, number in after.items()})
    assert list(changed.names.items()) == sorted((name, f"{name}.{number}") for name, number in after.items())
    assert changed.assets(new) == {name: known(name, number) for name, number in after.items()}

    def lines(names: dict[str, int]) -> list[str]:
        return [file.line for name, number in names.items() for file in asset(name, number).files]

    summed = sums.changed(b"", (), lines(before))
    expected = "".join(f"{line}\n" for line in sorted(lines(after), key=lambda line: line[66:])).encode()
    assert sums.changed(summed, lines(dict.fromkeys(gone, 1)), lines(made)) == expected


@pytest.mark.parametrize("names", [NAMES, (*NAMES, *MANY)])
def test_records_are_found_by_what_is_in_them(names: tuple[str, ...]) -> None:
    records = NONE.changed((), {name: asset(name, 1) for name in names})
    everything = set(names)
    for asked in (names[:2], names):  # Searched for, and looked up.
        assert records.owners([f"0/{name}" for name in asked]) == {f"0/{name}": {name} for name in asked}
        assert records.owning([f"{name}.1" for name in asked]) == set(asked)
        assert records.owning([f"{name}.1.gz" for name in asked]) == set(asked)
        assert records.referrers([f"{name}.svg" for name in asked]) == set(asked)
        assert records.digests([f"0/{name}" for name in asked]) == {f"0/{name}": f"{1:064x}" for name in asked}
    assert records.referrers(["all.svg"]) == records.owners(["0/part.css"])["0/part.css"] == everything
    assert records.sizes() == dict.fromkeys(names, 1)
    # Nothing is found by what it is not: an asset is no source, and half a name is none.
    assert not records.referrers([*names, "0/a", "a.sv", "no name", "\x1bno name"])
    assert not records.owning(["a", "a.", "0/a"])
    assert records.owners(["a"]) == {"a": set()}
    assert records.assets(["nothing"]) == {}


@pytest.mark.parametrize("length", [3, 3 * texts.FEW])
def test_what_leads_to_a_file_is_found_over_any_number_of_steps(length: int) -> None:
    chain = {f"{number:04}.css": Asset([File("", "", 0)], [], [f"{number + 1:04}.css"]) for number in range(length)}
    other = {"other.css": Asset([File("", "", 0)], [], ["0000.css"])}
    records = NONE.changed((), {**chain, "no.css": Asset([File("", "", 0)], [], ["0000.cs"])})
    records = records.changed((), other)
    assert records.leading_to([f"{length:04}.css"]) == {f"{length:04}.css", *chain, "other.css"}
    assert records.leading_to(["0000.css"]) == {"0000.css", "other.css"}


@pytest.mark.parametrize("before", [(), (1,), (4, 4, 3, 3, 2), (5, 4, 3, 2, 1)])
def test_the_largest_are_the_largest_whatever_came_and_went(before: tuple[int, ...]) -> None:
    old = {f"{number}.css": size for number, size in enumerate(before)}
    assets = {name: Asset([File(name, "", size)], [], []) for name, size in old.items()}
    known = tally({}, {}, assets, Depth(NONE.changed((), assets), b"", {}, {}))
    for sizes in product((None, 1, 3, 9), repeat=len(before) and 3):
        now = {f"{number}.css": size for number, size in enumerate(sizes) if size is not None}
        made = {name: Asset([File(name, "", size)], [], []) for name, size in now.items()}
        dropped = {name: asset for name, asset in assets.items() if name in ("0.css", "1.css", "2.css")}
        after = {**{name: size for name, size in old.items() if name not in dropped}, **now}
        records = NONE.changed((), assets).changed(dropped, made)
        expected = [[name, size] for name, size in sorted(after.items(), key=lambda one: (-one[1], one[0]))]
        assert tally(known, dropped, made, Depth(records, b"", {}, {}))["largest"] == expected[:LARGEST]
