"""The table on the screen and the report in the documentation."""

import platform
import re
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

from tests.bench import floors
from tests.bench.bench import Row
from tests.bench.server import DEFAULTS

_RATIOS = {
    floors.RSA_2048: "x RSA-2048",
    floors.RSA_3072: "x RSA-3072",
    floors.ARGON2: "x Argon2",
    floors.FLASK: "x Flask",
}


def table(rows: Sequence[Row]) -> str:
    """All rows as a Markdown table, which reads well on a screen too."""
    head = ["", "value", "bar", "bar here", "", *_RATIOS.values(), "also seen"]
    lines = [head, ["---"] * len(head), *map(_cells, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join(
        "| "
        + " | ".join(text.ljust(width, "-" if text == "---" else " ") for text, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def machine() -> dict[str, str]:
    """On what this was measured."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal: *(\d+)", Path("/proc/meminfo").read_text())
    argon2 = DEFAULTS["argon2"]
    packages = ("granian", "flask", "sqlalchemy", "lxml", "cryptography", "authlib", "joserfc")
    return {
        "date": date.today().isoformat(),
        "processor": f"{len(Path('/proc/cpuinfo').read_text().split('processor')) - 1} x {cpu[1] if cpu else '?'}",
        "memory": f"{int(memory[1]) / 2**20:.0f} GiB" if memory else "?",
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "openssl": backend.openssl_version_text(),
        "packages": ", ".join(f"{name} {version(name)}" for name in packages),
        "argon2": f"m={argon2['memory_kib']} t={argon2['time']} p={argon2['lanes']}",
    }


def document(rows: Sequence[Row]) -> str:
    """The report as it is kept in the documentation."""
    facts = "\n".join(f"| {name} | {text} |" for name, text in machine().items())
    missed = [one for one in rows if one.met is False]
    verdict = "Every bar is met." if not missed else "Missed: " + "; ".join(map(_missed, missed)) + "."
    template = (Path(__file__).parent / "report.md").read_text()
    return template.format(facts=facts, table=table(rows), verdict=verdict)


def _missed(row: Row) -> str:
    return f"{row.name} {row.value:.2f} where {row.bar:.2f} {row.unit} is the bar"


def _cells(row: Row) -> list[str]:
    digits = 3 if row.unit == "ms CPU" else (0 if row.unit == "errors" else 1)
    stated, bar = (
        "" if one is None else f"{one:.{2 if digits == 3 else 0}f}" for one in (row.stated or row.bar, row.bar)
    )
    met = {None: "", True: "met", False: "MISSED"}[row.met]
    ratios = [f"{row.ratios[one]:.1f}" if one in row.ratios else "" for one in _RATIOS]
    notes = ", ".join(f"{name} {_short(number)}" for name, number in row.notes.items())
    return [row.name, f"{row.value:.{digits}f} {row.unit}", stated, bar, met, *ratios, notes]


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 or number == int(number) else f"{number:.1f}"
