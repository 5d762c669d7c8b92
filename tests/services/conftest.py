"""Fixtures for tests of the services."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idp.services.work import Office
from tests.fixtures.database import keys
from tests.office import close, open_test_office

OpenOffice = Callable[..., Office]
Written = Callable[[str], Path]


@pytest.fixture(scope="session")
def test_keys() -> Path:
    """The folder of one set of keys for all tests of the run."""
    return keys()


@pytest.fixture
def open_office(test_keys: Path) -> Iterator[OpenOffice]:
    """Opens offices, ``open_office(url, clock=None, **settings)``, and closes their connections afterwards."""
    opened: list[Office] = []

    def open_one(url: str, clock: object = None, **overrides: object) -> Office:
        office = open_test_office(url, test_keys, clock, **overrides)  # type: ignore[arg-type]  # any clock will do
        opened.append(office)
        return office

    yield open_one
    for office in opened:
        close(office)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a catalogue file and answers where it is."""

    def write(toml: str) -> Path:
        file = tmp_path / "catalogue.toml"
        file.write_text(toml, encoding="utf-8")
        return file

    return write
