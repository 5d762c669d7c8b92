"""What every test of the protocols gets."""

from pathlib import Path

import pytest

from tests.protocol.saml_kit import Bench


def pytest_addoption(parser: pytest.Parser) -> None:
    """``pytest tests/protocol --rewrite`` writes the golden messages anew and shows what changed."""
    parser.addoption("--rewrite", action="store_true", help="write the golden messages anew and show the difference")


@pytest.fixture
def bench(sqlite_database: str, tmp_path: Path) -> Bench:
    """The codec with its office, without any relying party yet."""
    return Bench(sqlite_database, tmp_path)
