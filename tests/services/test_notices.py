"""What happened to an account is told once, in the order it happened, several within minutes in one mail (SEC-30)."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from idp.ports import Mail, MailDelayed
from idp.services.mail.addressing import ADDRESSING
from idp.services.mail.delivery import Postman
from idp.services.mail.holders import write_to
from idp.services.mail.notices import GATHERED_FOR, Notice, announce
from idp.services.work import Office
from idp.settings import load
from idp.store.parcels import Parcel
from idp.store.people import Account, Person
from tests.office import T0, StandingClock, writer
from tests.services.conftest import OpenOffice

ANNA, SAM = "anna@zonneschijn.test", "sam@schoonmaak.test"
FACTS = {
    Notice.RESPONDER_ASSIGNED: {"serial": "4417"},
    Notice.RESPONDER_PAIRED: {"serial": "4417"},
    Notice.PASSKEY_ADDED: {"label": "blauw"},
}


class Paper:
    """Writes every notice of a mail as one line."""

    def write(self, template: str, _locale: str, facts: Any) -> tuple[str, str, str]:
        """Its subject is the text, its text the facts."""
        return template, str(facts.get("notices", facts)), ""


@dataclass
class Box:
    """Keeps what it takes; while ``away`` is set it takes a mail and dies before it says so."""

    mails: list[Mail] = field(default_factory=list)
    away: bool = False

    def send(self, mail: Mail) -> None:
        """Take a mail."""
        self.mails.append(mail)
        if self.away:
            raise MailDelayed("connection")


@pytest.fixture
def clock() -> StandingClock:
    """The clock of the office."""
    return StandingClock()


@pytest.fixture
def office(open_office: OpenOffice, world: str, clock: StandingClock) -> Office:
    """An office with the world, on either database."""
    return open_office(world, clock, lab__enabled=False)


@pytest.fixture
def sends(office: Office) -> Callable[..., list[Mail]]:
    """One round of the worker with real texts; answers what left."""

    def round_of(box: Box | None = None, paper: Any = None) -> list[Mail]:
        taken = box or Box()
        before = len(taken.mails)
        Postman(office, paper or writer(office.settings), taken, ADDRESSING).deliver_due()
        return taken.mails[before:]

    return round_of


def account_of(office: Office, username: str) -> str:
    """The id of an account."""
    with office.reading() as connection:
        return str(connection.execute(select(Account.id).where(Account.username == username)).scalar_one())


def happens(office: Office, username: str, notice: Notice) -> None:
    """Announce something."""
    account = account_of(office, username)
    with office.work("test") as work:
        announce(work, account, notice, **FACTS.get(notice, {}))


def test_several_notices_within_minutes_are_one_mail(office: Office, clock: StandingClock, sends: Any) -> None:
    """A login, a password and a responder: one mail, each with its moment, in order; advice and warning once."""
    for notice in (Notice.NEW_DEVICE, Notice.PASSWORD_CHANGED, Notice.RESPONDER_PAIRED, Notice.NEW_DEVICE):
        happens(office, "anna", notice)
        clock.move(timedelta(minutes=1))
    assert sends() == []
    clock.move(timedelta(minutes=1))
    (mail,) = sends()
    assert (mail.recipient, mail.subject) == (ANNA, "Dit gebeurde er met uw account")
    lines = [line for line in mail.text.splitlines() if line.startswith("- ")]
    assert [re.findall(r"11\.0\d", line) for line in lines] == [["11.00"], ["11.01"], ["11.02"], ["11.03"]]
    assert ["ingelogd" in lines[0], "wachtwoord" in lines[1], "4417" in lines[2]] == [True] * 3
    assert (mail.text.count("niet zelf gedaan"), mail.text.count("/profiel/sessies")) == (1, 1)
    assert mail.html.count("<li>") == 4
    clock.move(timedelta(hours=1))
    assert sends() == []


@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_notice_alone_is_a_mail_of_its_own(language: str) -> None:
    """Every notice has its own subject, names the account and the moment, and carries no secret, in both languages."""
    paper = writer(load(None, {}, {}))
    subjects = set()
    for notice in Notice:
        facts = {"username": "anna", "at": T0.isoformat()} | FACTS.get(notice, {})
        subject, text, _html = paper.write(notice.value, language, facts)
        subjects.add(subject)
        assert ("15 January 2026 at 11:00" if language == "en" else "15 januari 2026 om 11.00 uur") in text
        assert "anna" in text
        assert "?t=" not in text
    assert len(subjects) == len(Notice)


def test_what_carries_a_link_leaves_at_once(office: Office, sends: Any) -> None:
    """A letter beside a notice is not held up by it, and is never gathered: its link has its own time."""
    happens(office, "anna", Notice.RESPONDER_LOST)
    account = account_of(office, "anna")
    with office.work("test") as work:
        write_to(work, account, "pair-responder", secret="a" * 64, until=work.now.isoformat())
    (mail,) = sends()
    assert "/responder-koppelen?t=" in mail.text


def test_one_mail_for_each_address_and_language(office: Office, clock: StandingClock, sends: Any) -> None:
    """Two accounts on one address share a mail that names both; another language makes another mail."""
    happens(office, "sam", Notice.PASSWORD_CHANGED)
    happens(office, "sam2", Notice.PASSWORD_CHANGED)
    happens(office, "anna", Notice.PASSWORD_CHANGED)
    with office.work("test") as work:
        work.connection.execute(update(Account).where(Account.username == "sam2").values(locale="en"))
    happens(office, "sam2", Notice.NEW_DEVICE)
    clock.move(GATHERED_FOR)
    mails = sends()
    assert sorted(mail.recipient for mail in mails) == [ANNA, SAM, SAM]
    english = "Somebody logged in from a new device"
    (dutch,) = (mail for mail in mails if mail.recipient == SAM and mail.subject != english)
    assert [f"gebruikersnaam {name} is" in dutch.text for name in ("sam", "sam2")] == [True, True]
    assert [mail.recipient for mail in mails if mail.subject == english] == [SAM]


def test_the_address_of_the_moment_hears(office: Office, clock: StandingClock, sends: Any) -> None:
    """What was done before the address changed is told at the old one, what is done after it at the new one (F43)."""
    happens(office, "anna", Notice.PASSWORD_CHANGED)
    with office.work("test") as work:
        work.connection.execute(update(Person).where(Person.email == ANNA).values(email="dief@elders.test"))
    happens(office, "anna", Notice.RECOVERY_CODES_MADE)
    clock.move(GATHERED_FOR)
    assert {mail.recipient: mail.subject for mail in sends()} == {
        ANNA: "Uw wachtwoord is gewijzigd",
        "dief@elders.test": "U hebt nieuwe herstelcodes",
    }


def test_a_mail_that_is_tried_again_says_the_same(office: Office, clock: StandingClock, sends: Any) -> None:
    """What happens after the first attempt is another mail, so that nobody takes it for the one they have."""
    box = Box(away=True)
    happens(office, "anna", Notice.NEW_DEVICE)
    happens(office, "anna", Notice.PASSWORD_CHANGED)
    clock.move(GATHERED_FOR)
    (first,) = sends(box)
    happens(office, "anna", Notice.RESPONDER_LOST)
    clock.move(GATHERED_FOR)
    box.away = False
    again, other = sends(box)
    assert again == first
    assert other.id != first.id
    assert other.subject == "Uw responder is als kwijt gemeld"


def test_more_than_fit_are_told_in_the_next_mail(office: Office, clock: StandingClock, sends: Any) -> None:
    """Of 120 notices none is lost and no mail is endless."""
    account = account_of(office, "anna")
    with office.work("test") as work:
        for _ in range(120):
            announce(work, account, Notice.NEW_DEVICE)
    clock.move(GATHERED_FOR)
    mails = [*sends(), *sends(), *sends(), *sends()]
    assert [mail.text.count("\n- ") for mail in mails] == [50, 50, 20]


def test_a_notice_that_cannot_be_read_holds_up_no_other(office: Office, clock: StandingClock, sends: Any) -> None:
    """One sealed with a key that is gone fails on its own; those before and after it are told."""
    for notice in (Notice.NEW_DEVICE, Notice.PASSWORD_CHANGED, Notice.RESPONDER_LOST):
        happens(office, "anna", notice)
        clock.move(timedelta(seconds=1))
    with office.work("test") as work:
        work.connection.execute(
            update(Parcel).where(Parcel.template == Notice.PASSWORD_CHANGED).values(payload=b"sealed by another")
        )
    clock.move(GATHERED_FOR)
    assert [mail.text.count("\n- ") for mail in (*sends(), *sends())] == [2]


def test_eight_workers_tell_everything_once(office: Office, clock: StandingClock, sends: Any) -> None:
    """Workers on one outbox make one mail for each address, whoever is fastest, and none waits for another for ever."""
    for turn in range(6):
        for username in ("anna", "otto", "petra"):
            happens(office, username, list(Notice)[turn])
        clock.move(timedelta(seconds=1))
    clock.move(GATHERED_FOR)
    box = Box()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sends(box), range(8)))
    assert sorted(mail.text.count("\n- ") for mail in box.mails) == [6, 6, 6]
    assert len({mail.recipient for mail in box.mails}) == 3


def test_a_killed_worker_loses_no_notice(office: Office, test_keys: Path, tmp_path: Path) -> None:
    """Wherever it dies, three notices wait or are in one mail with all of them; again it is word for word the same."""
    account = account_of(office, "anna")
    with office.work("test") as work:
        for number in range(3):
            announce(work, account, Notice.RESPONDER_PAIRED, serial=f"nr-{number}")
    given = office.settings.database.url, str(test_keys), str(tmp_path / "box")
    command = [sys.executable, "-m", "tests.services.killed_notices", *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    states = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(states) > 8
    assert {one["waiting"] for one in states} == {3, 1, 0}
    for one in states:
        assert len({mail for mail, _ in one["taken"]}) <= 1
        assert all(sorted(told) == ["nr-0", "nr-1", "nr-2"] for _, told in one["taken"])
    assert states[-1]["waiting"] == 0
    assert states[-1]["taken"]


Deed = tuple[str, Notice]
DEEDS = st.one_of(
    st.tuples(st.sampled_from(["sam", "sam2", "anna"]), st.sampled_from(Notice)),
    st.integers(1, 400),
    st.sampled_from(["away", "back"]),
)


def test_whatever_happens_everything_is_told_in_order(office: Office, clock: StandingClock, sends: Any) -> None:
    """Deeds, pauses and a server that comes and goes: each notice is in one mail, and in its order."""

    @settings(max_examples=12, deadline=None)
    @given(st.lists(DEEDS, max_size=25))
    def told(story: list[Deed | int | str]) -> None:
        with office.work("test") as work:
            work.connection.execute(delete(Parcel))
        box, happened = Box(), []
        for one in story:
            if isinstance(one, tuple):
                happens(office, *one)
                happened.append((clock.now().isoformat(), *one))
                clock.move(timedelta(seconds=1))
            elif isinstance(one, int):
                clock.move(timedelta(seconds=one))
                sends(box, Paper())
            else:
                box.away = one == "away"
        box.away = False
        for _ in range(30):
            clock.move(timedelta(hours=1))
            sends(box, Paper())
        _compare(happened, box.mails)

    told()


def _compare(happened: list[tuple[str, str, Notice]], mails: list[Mail]) -> None:
    """Every deed stands in one mail, repeated only word for word under the same id, in its order."""
    unique = {mail.id: mail for mail in mails}
    assert all(replace(mail, at=unique[mail.id].at) == unique[mail.id] for mail in mails)
    heard: list[str] = []
    for mail in unique.values():
        times = re.findall(r'(?<=["\']at["\']: ["\'])[^"\']+', mail.text)
        assert all(one < other for one, other in pairwise(times))
        heard += times
    assert sorted(heard) == [at for at, _, _ in happened]
