"""Each difference between the readings in docs/saml.md is held by a test that exists."""

import re
from pathlib import Path

from tests.protocol.test_saml_request import TABLE

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "saml.md"
_DIFFERENCE = re.compile(r"^\| [^|]+ \| [^|]+ \| [^|]+ \| `([^`]+)` \|$", re.MULTILINE)


def test_every_difference_has_its_test() -> None:
    """The last cell names a row of the table of requests, or a test function; every strict row stands in it."""
    section = PAGE.read_text().partition("## Strict and lenient")[2].partition("\n## ")[0]
    named = _DIFFERENCE.findall(section)
    rows = section.count("\n| ") - 1
    functions = {
        name for file in FOLDER.glob("test_saml_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert len(named) == rows
    assert set(named) <= functions | {row.name for row in TABLE}
    strict = {row.name for row in TABLE if row.name.rpartition(", ")[2] in ("strict", "strict scheme")}
    assert strict - set(named) <= {"higher minimum, strict scheme"}
