"""Twenty people who do one thing at once: it is done once, on both databases (SEC-25)."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select, update

from idp.services.account import recovery
from idp.services.authentication.presence import Present
from idp.services.second_factor import loss
from idp.services.second_factor.pairing import Entitled, pair_device
from idp.services.tickets import Held, Purpose, issue
from idp.services.work import Office
from idp.store.means import Means
from idp.store.people import Account, RecoveryCode, Responder
from tests.fixtures.database import fresh_postgresql, fresh_sqlite
from tests.office import close, open_test_office
from tests.services.deeds import DEEDS, NEW, SECRET, census, difference, get_ready
from tests.services.killed import FREE
from tests.web.responder_kit import shows, stock

AT_ONCE, OTHER = 20, "b" * 64


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, test_keys: Path
) -> Iterator[Office]:
    """An office with the world, in which nobody is slowed down."""
    folder = tmp_path_factory.mktemp("at-once")
    fresh = fresh_sqlite(folder, "world") if request.param == "sqlite" else fresh_postgresql("world")
    with contextmanager(lambda: fresh)() as url:
        made = open_test_office(url, test_keys, lab__enabled=False, argon2__waiting=AT_ONCE, **FREE)
        yield made
        close(made)


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


def test_of_twenty_devices_at_once_one_is_left(office: Office) -> None:
    """Somebody who pairs twenty devices in twenty windows has one in the end, not several that all count (PS-2)."""
    account, _ = get_ready(office, DEEDS["pairing"])
    secrets = [b"twenty-at-once-%05d" % place for place in range(AT_ONCE)]
    for place, secret in enumerate(secrets):
        stock(office, f"TW-{place:04}", secret)

    def take(place: int) -> bool:
        claim = Entitled(Present(account, True), "", f"10.0.0.{place}")
        return isinstance(pair_device(office, claim, f"TW-{place:04}", (shows(office, secrets[place]), "")), tuple)

    assert True in at_once(take)
    with office.reading() as connection:
        own = select(Responder.serial).where(Responder.account_id == account, Responder.status == "assigned")
        assert len(connection.execute(own).all()) == 1
        codes = select(RecoveryCode.id).where(RecoveryCode.account_id == account)
        assert len(connection.execute(codes).all()) == 10


def test_of_several_managers_at_once_one_has_the_word(office: Office) -> None:
    """Managers with a link each, who answer together, are not in each other's way, and one permit leaves (RUL-14)."""
    deed = DEEDS["colleague-confirms"]
    account, petra = get_ready(office, deed)
    with office.work("test") as work:
        papers = select(Means.organisation_id).where(Means.account_id == petra)
        organisation = work.connection.execute(papers).scalar_one()
        names = Account.username.in_(("anna", "bram", "chris", "dina"))
        managers = [petra, *work.connection.execute(select(Account.id).where(names)).scalars()]
        joining = update(Means).where(Means.account_id.in_(managers[1:]))
        work.connection.execute(joining.values(organisation_id=organisation, manages=True))
        for place, manager in enumerate(managers[1:], 1):
            payload = {"account": account, "organisation": "Papier"}
            held = Held(manager, payload, timedelta(hours=1), account)
            issue(work, Purpose.LOSS_CONFIRMATION, str(place) * 64, held)
    before = census(office, deed)

    def answer(place: int) -> bool:
        return loss.confirm(office, managers[place], str(place) * 64 if place else SECRET, lost=True)

    assert at_once(answer, len(managers)).count(True) == 1
    assert difference(before, census(office, deed)) == deed.gains | {"ticket loss-confirmation": -len(managers)}


def test_links_of_two_kinds_at_once_are_not_in_each_others_way(office: Office) -> None:
    """Password and address changed in the same moment, by two links of one account: no link is left, and none hangs."""
    deed = DEEDS["email-confirmation"]
    for _ in range(5):
        account, secret = get_ready(office, deed)
        with office.work("test") as work:
            held = Held(account, {"username": "anna", "login": ""}, timedelta(hours=1), account)
            issue(work, Purpose.PASSWORD_LINK, OTHER, held)
        link = recovery.link_of(office, OTHER)
        assert link is not None
        uses = partial(deed.act, office, account, secret), partial(choose, office, link)
        assert True in at_once(partial(_one_of, uses), 2)
        assert not {"ticket email-confirmation", "ticket password-link"} & census(office, deed).keys()


def choose(office: Office, link: recovery.Link) -> bool:
    """Use the link for a new password."""
    return recovery.choose_password(office, OTHER, link, NEW, "") == ()


def _one_of(acts: Sequence[Callable[[], bool]], place: int) -> bool:
    return acts[place]()
