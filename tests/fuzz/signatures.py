"""The long comparison with libxmlsec1: ``python -m tests.fuzz.signatures [DOCUMENTS] [FIRST_SEED]``."""

import sys
from collections import Counter
from multiprocessing import Pool

from lxml import etree

from tests.protocol.xml_differential import compare
from tests.protocol.xml_kit import curve_key, rsa_key


def slice_of(seeds: range) -> Counter[str]:
    """The counts of some documents; a disagreement ends the run with its seed."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        try:
            counts += compare(seed, mutations=4)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
    return counts


def main(arguments: list[str]) -> None:
    """Run and print what was compared."""
    documents = int(arguments[0]) if arguments else 10_000
    first = int(arguments[1]) if len(arguments) > 1 else 1_000_000
    rsa_key(), curve_key()
    slices = [range(start, min(start + 250, first + documents)) for start in range(first, first + documents, 250)]
    with Pool() as pool:
        counts = sum(pool.imap_unordered(slice_of, slices), Counter[str]())
    print(f"{documents} documents from seed {first}, libxml2 {'.'.join(map(str, etree.LIBXML_VERSION))}")
    for what, count in sorted(counts.items()):
        print(f"{count:8} {what}")


if __name__ == "__main__":
    main(sys.argv[1:])
