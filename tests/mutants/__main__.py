"""``python -m tests.mutants [MODULE[.FUNCTION] …]``: exit 1 when a fault is unnoticed that nobody argued to be none."""

import os
import sys
import time

from tests.mutants.report import argued, written
from tests.mutants.run import MODULES, ROOT, Trial, faults, trials


def main(wanted: list[str]) -> int:
    """Try the faults of some modules or functions, or of all with a report."""
    os.chdir(ROOT)
    began = time.monotonic()
    planted = faults(MODULES)
    if wanted:
        planted = [one for one in planted if one.module in wanted or f"{one.module}.{one.function}" in wanted]
    done: list[Trial] = []

    def seen(trial: Trial) -> None:
        done.append(trial)
        if not trial.noticed:
            print(f"unnoticed: {trial.fault.module}.py:{trial.fault.line} {trial.fault.name}", flush=True)
        if len(done) % 50 == 0:
            print(f"{len(done)} of {len(planted)} after {time.monotonic() - began:.0f} s", flush=True)

    trials(planted, seen)
    arguments = argued()
    unnoticed = [trial.fault for trial in done if not trial.noticed]
    unexplained = [fault for fault in unnoticed if fault.name not in arguments]
    if not wanted:
        (ROOT / "docs" / "mutation.md").write_text(written(done, arguments))
    noticed, argued_away = len(done) - len(unnoticed), len(unnoticed) - len(unexplained)
    print(f"{len(done)} faults, {noticed} noticed, {argued_away} argued to be none")
    for fault in unexplained:
        print(f"no test and no argument: {fault.module}.py:{fault.line} {fault.name}")
    return 1 if unexplained or len(done) < len(planted) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
