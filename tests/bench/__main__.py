"""``python -m tests.bench``: measure, print the table, and on request write the report."""

import argparse
import dataclasses
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench.bench import Bench, Row, Scale
from tests.bench.report import document, machine, table

_PARTS = {"costs": Bench.costs, "isolation": Bench.isolated, "writers": Bench.written, "growth": Bench.grown}
_QUICK = Scale(passes=2, flows=0.2, written=1_000, accounts=10_000, providers=200)


def main() -> int:
    """Exit 0 when every flow succeeded; bars are told, not enforced: timing is no verdict (RUL-37)."""
    wishes = _wishes()
    scale = _QUICK if wishes.quick else Scale(passes=wishes.passes)
    if wishes.full:
        scale = dataclasses.replace(scale, written=100_000)
    chosen = wishes.only.split(",") if wishes.only else list(_PARTS)
    rows, failures = _run(scale, chosen)
    rows += [Row(**row) for file in wishes.include for row in json.loads(file.read_text())["rows"]]
    if wishes.json:
        print(json.dumps({"machine": machine(), "rows": [_data(one) for one in rows], "failures": failures}))
    else:
        print("\n".join(f"{name:10} {text}" for name, text in machine().items()) + "\n\n" + table(rows))
    if wishes.report:
        wishes.report.write_text(document(rows))
    for one in failures[:20]:
        print("FAILED", one, file=sys.stderr)
    return 1 if failures else 0


def _run(scale: Scale, chosen: list[str]) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as folder:
        for name in chosen:
            with ExitStack() as stack:
                bench = Bench(Path(folder) / name, scale, lambda text: print(text, file=sys.stderr), stack)
                bench.folder.mkdir()
                rows += _PARTS[name](bench)
                failures += bench.failures
    return rows, failures


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look in two minutes: less of everything")
    parser.add_argument("--full", action="store_true", help="100,000 flows by 16 writers")
    parser.add_argument("--passes", type=int, default=3, help="passes per workload; the lowest counts")
    parser.add_argument("--only", default="", help=f"parts, with commas: {', '.join(_PARTS)}")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--include", type=Path, nargs="*", default=[], help="rows of earlier runs, kept by --json")
    parser.add_argument("--report", type=Path, help="write the report to this file, such as docs/performance.md")
    return parser.parse_args()


def _data(row: Row) -> dict[str, object]:
    return dataclasses.asdict(row)


if __name__ == "__main__":
    sys.exit(main())
