"""What the catalogue knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mineral:
    """One entry. hardness is on Mohs' scale, from 1 (talc) to 10 (diamond)."""

    slug: str
    name: str
    formula: str
    hardness: float
    system: str
    family: str
    note: str


MINERALS = (
    Mineral(
        "quartz",
        "Quartz",
        "SiO2",
        7,
        "Trigonal",
        "Silicates",
        "Six-sided prisms under a pointed roof. Scratches window glass and breaks like it, in shells.",
    ),
    Mineral(
        "fluorite",
        "Fluorite",
        "CaF2",
        4,
        "Cubic",
        "Halides",
        "Grows in cubes, yet splits into octahedra. Some pieces glow blue under a black light.",
    ),
    Mineral(
        "pyrite",
        "Pyrite",
        "FeS2",
        6.5,
        "Cubic",
        "Sulfides",
        "Brassy cubes with fine lines on each face. Draw it over a tile: gold leaves gold, pyrite leaves black.",
    ),
    Mineral(
        "calcite",
        "Calcite",
        "CaCO3",
        3,
        "Trigonal",
        "Carbonates",
        "Cleaves into leaning boxes. A clear piece laid on a line of print shows the line twice.",
    ),
    Mineral(
        "almandine",
        "Almandine",
        "Fe3Al2(SiO4)3",
        7.5,
        "Cubic",
        "Silicates",
        "The wine-red garnet of mica schist, in twelve-sided grains that outlast the rock around them.",
    ),
    Mineral(
        "gypsum",
        "Gypsum",
        "CaSO4·2H2O",
        2,
        "Monoclinic",
        "Sulfates",
        "Soft enough for a fingernail. Its twins look like the tail of a swallow.",
    ),
    Mineral(
        "halite",
        "Halite",
        "NaCl",
        2.5,
        "Cubic",
        "Halides",
        "Rock salt. When it grows in haste the edges outrun the faces and leave a stepped hollow.",
    ),
    Mineral(
        "malachite",
        "Malachite",
        "Cu2CO3(OH)2",
        4,
        "Monoclinic",
        "Carbonates",
        "Green in green, ring upon ring, laid down by water that has passed through copper ore.",
    ),
)


def search(words: str) -> list[Mineral]:
    """The minerals in whose name, family or crystal system each of the words occurs."""
    wanted = words.casefold().split()
    return [
        mineral
        for mineral in MINERALS
        if all(word in f"{mineral.name} {mineral.family} {mineral.system}".casefold() for word in wanted)
    ]
