"""Random documents against libxmlsec1: both directions, and mutants (the long run is ``tests/fuzz/signatures.py``)."""

from collections import Counter

import pytest

from tests.protocol.xml_differential import compare

DOCUMENTS = 2_000
SLICES = 8


@pytest.mark.parametrize("part", range(SLICES))
def test_ours_and_libxmlsec1_agree(part: int) -> None:
    """Each signs, both verify, what comes back is what was signed, and no mutant passes that libxmlsec1 refuses."""
    each = DOCUMENTS // SLICES
    counts: Counter[str] = Counter()
    for seed in range(part * each, (part + 1) * each):
        counts += compare(seed, mutations=1)
    assert counts["libxmlsec1 signs, ours verifies"] == each
    assert counts["ours signs a tree, both verify"] == each
    assert counts["ours signs canonical text, both verify"] == each
    assert counts["one octet changed: refused by both"] > each / 2
    assert counts["one node moved: refused by both"] > each / 3
