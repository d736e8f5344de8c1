"""The first trials of a job, before there is anything to learn from: spread evenly, and known at once.

A Sobol sequence of 16 points (Sobol', 1967; direction numbers of Joe and Kuo, 2008) with its digits scrambled
as by Owen, Randomly permuted (t, m, s)-nets, 1995. It is written down here, as a library that makes one is
slow to import, and the first trials shall not wait for it.
"""

from __future__ import annotations

from random import Random

from hpo.search.uniform import derived_seed
from hpo.spec.space import Space

BITS = 4
POINTS = 2**BITS
"""How many points there are."""

SEQUENCE = (
    "08c46ea23bf75d91",
    "084c6e2a5d193b7f",
    "084ca2e6f7b35d19",
    "084ce6a27f3b91d5",
    "08c46ea2915df73b",
    "08c42ae65d917fb3",
    "084c6e2a7f3b195d",
    "08c4e62af73b19d5",
    "08c4a26e5d91f73b",
    "08c4e62ab37f5d91",
    "08c46ea219d57fb3",
    "084c6e2af7b391d5",
    "08c46ea2d519b37f",
    "084ce6a2f7b3195d",
    "084ce6a2d5913b7f",
    "084c2a6e5d197f3b",
    "084c2a6e3b7f195d",
    "08c42ae6b37f915d",
    "084c6e2a3b7f5d19",
    "08c4e62a19d5f73b",
    "084c6e2a91d5f7b3",
    "08c4a26e3bf7915d",
    "084c2a6eb3f791d5",
    "08c42ae6f73bd519",
    "084c2a6ed591f7b3",
    "084ce6a2195df7b3",
    "08c4a26e915d3bf7",
    "08c4a26e7fb3d519",
    "084ca2e63b7f91d5",
    "084ce6a291d57f3b",
)
"""For each of the first axes, in which sixteenth of it each point lies."""


class Start:
    """The start points of one job."""

    def __init__(self, space: Space, seed: int) -> None:
        axes = [
            _scrambled(_sixteenths(axis, seed), Random(derived_seed(seed, axis)))  # noqa: S311 -- to be repeated
            for axis in range(len(space))
        ]
        self._points = list(zip(*axes, strict=True))

    def point(self, number: int) -> tuple[float, ...]:
        """Return point `number`, from 1 to POINTS, one coordinate in [0, 1) a parameter."""
        return self._points[number - 1]


def _sixteenths(axis: int, seed: int) -> list[int]:
    """Return the sequence's own, or past its last axis some order of all sixteenths."""
    if axis < len(SEQUENCE):
        return [int(digit, POINTS) for digit in SEQUENCE[axis]]
    order = list(range(POINTS))
    Random(derived_seed(seed, axis, POINTS)).shuffle(order)  # noqa: S311 -- to be repeated
    return order


def _scrambled(sixteenths: list[int], random: Random) -> list[float]:
    """Flip each digit of the coordinates or not, by the digits before it, and fill up what follows."""
    flips = {(place, leading): random.getrandbits(1) for place in range(BITS) for leading in range(2**place)}
    coordinates = []
    for sixteenth in sixteenths:
        scrambled = 0
        for place in range(BITS):
            digit = sixteenth >> (BITS - 1 - place) & 1
            leading = sixteenth >> (BITS - place)
            scrambled = scrambled << 1 | digit ^ flips[place, leading]
        coordinates.append((scrambled + random.random()) / POINTS)
    return coordinates
