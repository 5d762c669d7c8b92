"""The stored report of a run, and the arguments why some faults are none."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.mutants.faults import Fault
from tests.mutants.run import MODULES, Trial

ARGUMENTS = Path(__file__).with_name("equivalent.toml")
PAGE = """# Mutation testing of the domain

`make mutants` plants one fault at a time in the rules and runs the unit tests on it. Every comparison is turned, every
branch is taken always and never, every condition, filter, statement and member of a set is left out, every number moved
by one, every reason, step and level exchanged for another. That command writes this page.

| Module | Faults planted | Noticed by a test | Shown to change nothing |
|---|---|---|---|
{rows}

## Faults that no test can notice

{items}
"""


def argued() -> dict[str, str]:
    """Faults by name that change nothing anybody can see, each with the argument."""
    found: dict[str, str] = tomllib.loads(ARGUMENTS.read_text())
    return found


def written(done: Sequence[Trial], arguments: Mapping[str, str]) -> str:
    """The report as a page of the documentation."""
    tried = {module: [trial for trial in done if trial.fault.module == module] for module in MODULES}
    rows = [_row(module, some) for module, some in tried.items() if some]
    unnoticed = [trial.fault for trial in done if not trial.noticed]
    return PAGE.format(rows="\n".join(rows), items="\n".join(_item(fault, arguments) for fault in unnoticed) or "None.")


def _item(fault: Fault, arguments: Mapping[str, str]) -> str:
    place = f"`{fault.module}.py`, `{fault.function}`"
    return f"- {place}: `{fault.before}` → `{fault.after}`. {arguments.get(fault.name, '**Open.**')}"


def _row(module: str, done: Sequence[Trial]) -> str:
    noticed = sum(trial.noticed for trial in done)
    return f"| `idp/domain/{module}.py` | {len(done)} | {noticed} | {len(done) - noticed} |"
