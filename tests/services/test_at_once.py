"""Twenty people who do one thing at once: it is done once, on both databases (SEC-25)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest

from idp.lab.seed import seed
from idp.services.work import Office
from tests.fixtures.database import fresh_postgresql, fresh_sqlite
from tests.office import open_test_office
from tests.services.deeds import DEEDS, census, difference, get_ready
from tests.services.killed import FREE

AT_ONCE, OTHER = 20, "b" * 64
# One office for each database, used by one worker.
pytestmark = pytest.mark.xdist_group("at-once")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, test_keys: Path
) -> Iterator[Office]:
    """An office with the world, in which nobody is slowed down."""
    fresh = fresh_sqlite(tmp_path_factory.mktemp("at-once")) if request.param == "sqlite" else fresh_postgresql()
    with contextmanager(lambda: fresh)() as url:
        made = open_test_office(url, test_keys, lab__enabled=False, argon2__waiting=AT_ONCE, **FREE)
        seed(made, 7)
        yield made
        made.engine.dispose()
        made.directory._engine.dispose()


def at_once(act: Callable[[int], bool], many: int = AT_ONCE) -> list[bool]:
    """Do something in many threads that begin together; answers what came of each."""
    barrier = Barrier(many)

    def one(place: int) -> bool:
        barrier.wait(60)
        return act(place)

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


@pytest.mark.parametrize("name", DEEDS)
def test_of_twenty_at_once_one_does_it(office: Office, name: str) -> None:
    """Twenty tries with the same link, code, answer or password: one succeeds, and all changes once."""
    deed = DEEDS[name]
    account, given = get_ready(office, deed)
    before = census(office, deed)
    done = at_once(lambda _place: deed.act(office, account, given))
    assert done.count(True) == (AT_ONCE if deed.shared else 1)
    assert difference(before, census(office, deed)) == deed.gains
