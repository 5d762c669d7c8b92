"""What every test of the protocols gets."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.database import fresh_sqlite
from tests.protocol.oidc_kit import Provider
from tests.protocol.saml_kit import Bench


def pytest_addoption(parser: pytest.Parser) -> None:
    """``pytest tests/protocol --rewrite`` writes the golden messages anew and shows what changed."""
    parser.addoption("--rewrite", action="store_true", help="write the golden messages anew and show the difference")


@pytest.fixture
def bench(sqlite_database: str, tmp_path: Path) -> Bench:
    """The codec with its office, without any relying party yet."""
    return Bench(sqlite_database, tmp_path)


@pytest.fixture(scope="session")
def seeded_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the invented world in it, to be copied."""
    folder = tmp_path_factory.mktemp("world")
    for url in fresh_sqlite(folder):
        Provider(url).close()
        shutil.copyfile(folder / "idp.db", folder / "world.db")
    return folder / "world.db"


@pytest.fixture(scope="session")
def shared_provider(seeded_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """One OpenID Provider for all tests that leave its clock and its people alone."""
    file = tmp_path_factory.mktemp("shared") / "idp.db"
    shutil.copyfile(seeded_world, file)
    made = Provider(f"sqlite:///{file}", empty=True)
    yield made
    made.close()


@pytest.fixture
def provider(seeded_world: Path, tmp_path: Path) -> Iterator[Provider]:
    """An OpenID Provider in the invented world, without any client yet."""
    shutil.copyfile(seeded_world, tmp_path / "idp.db")
    made = Provider(f"sqlite:///{tmp_path / 'idp.db'}", empty=True)
    yield made
    made.close()
