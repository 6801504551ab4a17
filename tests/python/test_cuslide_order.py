"""The shuffled order of cuCIM's cuslide plugin, which the drop-in CuImage keeps."""

import pytest
from microtome import _core

# What std::shuffle with std::default_random_engine gives in libstdc++ 12, computed by a program of that one call.
KNOWN = {
    (10, 0): [2, 7, 1, 6, 8, 0, 4, 9, 5, 3],
    (10, 1): [2, 7, 1, 6, 8, 0, 4, 9, 5, 3],
    (10, 42): [1, 6, 3, 9, 5, 0, 7, 2, 4, 8],
    (10, 12345): [8, 9, 7, 2, 5, 4, 1, 3, 6, 0],
    (0, 3): [],
    (1, 3): [0],
    (7, 3): [2, 5, 4, 0, 6, 3, 1],
    (12, 99): [5, 0, 6, 2, 4, 11, 9, 10, 7, 8, 1, 3],
}
# Longer ones, on both sides of the length from which each position takes a draw of its own: first positions and a hash.
LONG = {
    (46341, 7): ([14719, 37942, 36763, 25438], 204419601),
    (46342, 7): ([14719, 37942, 36763, 25438], 674883284),
    (50001, 123456789012345): ([12831, 49315, 39442, 41047], 773080225),
    (60000, 2147483647): ([7657, 15610, 58593, 37701], 758528998),
}


@pytest.mark.parametrize(("count", "seed"), KNOWN)
def test_known_orders(count, seed):
    assert _core.cuslide_permutation(count, seed).tolist() == KNOWN[count, seed]


@pytest.mark.parametrize(("count", "seed"), LONG)
def test_long_orders(count, seed):
    order = _core.cuslide_permutation(count, seed).tolist()
    assert sorted(order) == list(range(count))
    digest = 0
    for position in order:
        digest = (digest * 31 + position) % 1000000007
    assert (order[:4], digest) == LONG[count, seed]
