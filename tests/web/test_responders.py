"""Responders over HTTP and without scripts, on both databases: right, drifting, lost and replaced (F34 to F36)."""

import json
import re
from base64 import b32encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import select

from idp.app import create_app
from idp.domain.otp import Algorithm
from idp.domain.seeds import Seed
from idp.services.authentication.presence import Present
from idp.services.second_factor.loss import by_code, confirm_by_staff, permit, report
from idp.services.second_factor.pairing import Entitled
from idp.services.second_factor.pairing import pair_device as pair
from idp.services.second_factor.recovery_codes import make_codes
from idp.services.second_factor.responders import assign, look_up, take_in
from idp.services.work import Office
from idp.store.ledger import AuditEvent
from idp.store.means import Pseudonym
from idp.store.people import Account, Person, Responder
from tests.office import StandingClock, close, open_test_office
from tests.web.conftest import register
from tests.web.kit import Page, Site, told
from tests.web.letters import Letters
from tests.web.responder_kit import SECRET, SERIAL, Visitor, persona_shows, shows, stock
from tests.web.wire import over_http

STEP = timedelta(seconds=30)


@pytest.fixture
def office(world: str, web_keys: Path, clock: StandingClock) -> Iterator[Office]:
    """An office with the world, outside of the laboratory, on either database."""
    made = open_test_office(world, web_keys, clock, lab__enabled=False)
    yield made
    close(made)


@pytest.fixture
def site(office: Office) -> Iterator[Site]:
    """The application with clients of three services."""
    with over_http(create_app(office)) as app:
        yield Site(app, office, {slug: register(office, slug) for slug in ("RVO-3", "OLO", "UWV")})


@pytest.fixture
def letters(office: Office) -> Letters:
    """The mails of the office."""
    return Letters(office)


def events(office: Office, event: str) -> list[dict[str, str]]:
    """The facts of every recorded event of a kind."""
    query = select(AuditEvent.facts).where(AuditEvent.event == event).order_by(AuditEvent.sequence)
    with office.reading() as connection:
        return [json.loads(facts) for facts in connection.execute(query).scalars()]


def pseudonyms(office: Office, username: str) -> set[str]:
    """What providers call a person."""
    own = select(Person.id).join(Account, Account.person_id == Person.id).where(Account.username == username)
    with office.reading() as connection:
        return set(connection.execute(select(Pseudonym.value).where(Pseudonym.person_id.in_(own))).scalars())


def account_of(office: Office, username: str) -> str:
    """The id of an account."""
    with office.reading() as connection:
        return str(connection.execute(select(Account.id).where(Account.username == username)).scalar_one())


def link_in(letters: Letters, path: str, to: str = "") -> str:
    """Deliver, and the one link of that kind in what was delivered."""
    texts = [mail.text for mail in letters.deliver() if not to or mail.recipient == to]
    found = [hit for text in texts for hit in re.findall(rf"http://localhost:8000({path}\?t=[0-9a-f]{{64}})", text)]
    assert len(found) == 1, texts
    return str(found[0])


def codes_on(page: Page) -> list[str]:
    """The recovery codes of a page."""
    return [one.get_text() for one in page.control("recovery-codes").find_all("code")]


def pair_device(visitor: Visitor, office: Office, page: Page) -> Page:
    """Pair the device of the stock."""
    return visitor.press(page, "device-form", serial=SERIAL, **{"device-code": shows(office)})


def test_f34_a_login_is_password_and_the_code_of_the_personal_responder(site: Site, office: Office) -> None:
    """The password leads to the code and the code into the service, once; a level below asks no code (F34)."""
    anna = Visitor(site, "anna")
    assert anna.identify().name == "login-code"
    code = persona_shows(office, "anna")
    assert "code" in told(anna.own.fill(anna.page, {"code": f"{code[:3]} {code[3:]}"}))  # type: ignore[arg-type]
    again = Visitor(site, "anna")
    used = again.own.fill(again.identify(), {"code": code})
    assert isinstance(used, Page)
    assert used.control("problem")["data-problem"] == "L03"
    emre = Visitor(site, "emre", "OLO")
    assert "code" in told(emre.own.identify(emre.own.begin("OLO"), "emre"))


def test_f34_a_device_out_of_step_is_asked_for_the_next_code(site: Site, office: Office, clock: StandingClock) -> None:
    """mees's device is 90 seconds fast: with the code after it he is in, and from then on one code is enough (L06)."""
    mees = Visitor(site, "mees")
    asked = mees.own.fill(mees.identify(), {"code": persona_shows(office, "mees", 90)})
    assert isinstance(asked, Page)
    assert asked.control("problem")["data-problem"] == "L06"
    assert asked.control("code").get("value") == ""
    clock.move(STEP)
    assert "code" in told(mees.own.fill(asked, {"code": persona_shows(office, "mees", 90)}))
    clock.move(STEP)
    later = Visitor(site, "mees")
    assert "code" in told(later.own.fill(later.identify(), {"code": persona_shows(office, "mees", 90)}))


def test_f34_no_other_code_brings_a_device_back_in_step(site: Site, office: Office, clock: StandingClock) -> None:
    """Only the very next code counts: the same again is asked anew, and one of another time is asked anew too."""
    mees = Visitor(site, "mees")
    page: Page | str = mees.identify()
    for ahead in (90, 90, 180, 90):
        assert isinstance(page, Page)
        page = mees.own.fill(page, {"code": persona_shows(office, "mees", ahead)})
        assert isinstance(page, Page)
        assert page.control("problem")["data-problem"] == "L06"
    assert events(office, "code.accepted") == []


def test_f34_a_device_that_counts_presses_logs_in(site: Site, office: Office) -> None:
    """Presses that were never sent are skipped, a press behind is used, and one far ahead asks the next (O-5)."""
    shown = pyotp.HOTP(b32encode(SECRET).decode()).at
    with office.work("test") as work:
        take_in(work, (Seed(1, SERIAL, SECRET, Algorithm.HOTP, counter=7),))
        assign(work, SERIAL, "zohra")
    told_of = []
    for press in (7, 12, 12, 30, 31):
        zohra = Visitor(site, "zohra")
        page = zohra.own.fill(zohra.identify(), {"code": shown(press)})
        if isinstance(page, Page) and page.control("problem")["data-problem"] == "L06":
            told_of.append("L06")
            page = zohra.own.fill(page, {"code": shown(press + 1)})
        told_of.append("in" if isinstance(page, str) else str(page.control("problem")["data-problem"]))
    assert told_of == ["in", "in", "L03", "L06", "in", "L03"]


def test_f35_somebody_elses_code_is_a_wrong_code(site: Site, office: Office) -> None:
    """A colleague's code is refused in the words of any wrong one; the trail names the device it may be (F35)."""
    petra_code = persona_shows(office, "petra")
    stock(office)
    with office.work("test") as work:
        # zohra is petra's colleague; let her have a device of her own again.
        assign(work, SERIAL, "zohra")
    zohra = Visitor(site, "zohra")
    wrong = zohra.own.fill(zohra.identify(), {"code": petra_code})
    plain = zohra.own.fill(wrong, {"code": "000000" if petra_code != "000000" else "111111"})  # type: ignore[arg-type]
    assert isinstance(wrong, Page)
    assert isinstance(plain, Page)
    assert wrong.control("problem")["data-problem"] == plain.control("problem")["data-problem"] == "L02"
    assert "possible_responder" in events(office, "code.refused")[0]
    assert "possible_responder" not in events(office, "code.refused")[1]


def test_f36_customer_service_finds_who_holds_a_number(office: Office) -> None:
    """A number leads to its holder with a masked name, status and last use; that it was asked is recorded (F36)."""
    with office.work("agent") as work:
        found = look_up(work, " sh-2600 107 ")
        assert look_up(work, "SH-9999999") is None
    assert found is not None
    assert (found.serial, found.status) == ("SH-2600107", "assigned")
    assert (found.holder, found.last_used_at) == ("A. d. B.", None)
    assert [one["responder"] for one in events(office, "responder.looked-up")] == ["SH-2600107", "SH-9999999"]
    assert events(office, "responder.looked-up")[0]["account"] == account_of(office, "anna")


def test_a_lost_responder_drops_the_level(site: Site, letters: Letters) -> None:
    """anna reports a loss: she is refused at EH3, is let in at EH2, and hears of it (RUL-14)."""
    later = Visitor(site, "anna")
    later.identify()
    assert later.press(later.lost(), "report").name == "lost-ways"
    assert ["kwijt" in mail.subject for mail in letters.notices()] == [True]
    refused = Visitor(site, "anna")
    assert refused.identify().reasons == ["NO_RESPONDER"]
    low = Visitor(site, "anna", "OLO")
    assert "code" in told(low.own.identify(low.own.begin("OLO"), "anna"))


def test_a_loss_ends_what_the_responder_proved_in_a_login_under_way(site: Site, office: Office) -> None:
    """otto gave his code and still has to choose when his responder is reported lost: he begins anew (RUL-14)."""
    otto = Visitor(site, "otto", "UWV")
    choosing = otto.own.prove(otto.identify(), "otto")
    assert isinstance(choosing, Page)
    assert choosing.name == "login-choose"
    with office.work("test") as work:
        assert report(work, account_of(office, "otto"))
    first = choosing.control("organisation-1")
    after = otto.own.fill(choosing, {"organisation": str(first["value"])})
    assert isinstance(after, Page)
    assert after.name == "login-password"


def test_a_recovery_code_pairs_another_responder(site: Site, office: Office, clock: StandingClock) -> None:
    """With a code of the list anna pairs a device in the middle of a login, and stays the same person (PS-2)."""
    anna = Visitor(site, "anna")
    anna.log_in()
    known = pseudonyms(office, "anna")
    codes = codes_on(anna.press(anna.own.get("/profiel/responder"), "new-codes"))
    assert len(set(codes)) == 10
    clock.move(STEP)
    later = Visitor(site, "anna")
    later.identify()
    ways = later.press(later.lost(), "report")
    assert later.press(ways, "step-form", **{"recovery-code": "AAAA-AAAA-AAAA"}).control("problem")
    pairing = later.press(ways, "step-form", **{"recovery-code": codes[0].lower().replace("-", " ")})
    assert pairing.name == "pair-responder"
    stock(office)
    wrong = later.press(pairing, "device-form", serial=SERIAL, **{"device-code": "000000"})
    assert wrong.control("problem")["data-problem"] == "R10"
    done = pair_device(later, office, wrong)
    assert (done.name, len(codes_on(done))) == ("recovery-codes", 10)

    clock.move(STEP)
    page = later.own.get(f"/login/{later.login}")
    assert page.name == "login-code"
    assert "code" in told(later.own.fill(page, {"code": shows(office)}))
    assert pseudonyms(office, "anna") == known
    old = Visitor(site, "anna")
    with_old = old.own.fill(old.identify(), {"code": persona_shows(office, "anna")})
    assert isinstance(with_old, Page)
    assert with_old.control("problem")["data-problem"] == "L02"


def test_an_app_is_paired_by_its_key(site: Site, office: Office, clock: StandingClock) -> None:
    """The key that stands beside the QR code pairs an app, which then logs in; the former device does not."""
    anna = Visitor(site, "anna")
    anna.log_in()
    page = anna.own.get("/responder-koppelen")
    key = "".join(page.control("app-key").get_text().split())
    picture = page.soup.find("img", class_="qr")
    assert picture is not None
    assert str(picture["src"]).startswith("data:image/svg+xml")
    app = pyotp.TOTP(key)
    done = anna.press(page, "app-form", **{"app-code": app.at(clock.now())})
    assert done.name == "recovery-codes"
    clock.move(STEP)
    again = Visitor(site, "anna")
    assert "code" in told(again.own.fill(again.identify(), {"code": app.at(clock.now())}))


def test_an_app_whose_picture_is_over_is_told_to_scan_again(site: Site, office: Office, clock: StandingClock) -> None:
    """After half an hour, or after another browser showed a picture, the page says that the old one is over."""
    anna = Visitor(site, "anna")
    anna.log_in()
    page = anna.own.get("/responder-koppelen")
    app = pyotp.TOTP("".join(page.control("app-key").get_text().split()))
    other = Visitor(site, "anna")
    clock.move(STEP)
    other.log_in()
    other.own.get("/responder-koppelen")
    over = anna.press(page, "app-form", **{"app-code": app.at(clock.now())})
    assert (over.control("problem")["data-problem"], over.response.status_code) == ("R18", 422)
    fresh = pyotp.TOTP("".join(over.control("app-key").get_text().split()))
    assert anna.press(over, "app-form", **{"app-code": fresh.at(clock.now())}).name == "recovery-codes"


def test_a_number_that_is_unknown_or_taken_is_answered_alike(site: Site, office: Office) -> None:
    """A wrong code, an unknown number and somebody else's device have one answer (SEC-27)."""
    anna = Visitor(site, "anna")
    anna.log_in()
    stock(office)
    page = anna.own.get("/responder-koppelen")
    answers = set()
    for serial in (SERIAL, "HW-9999", "SH-2600212"):
        answer = anna.press(page, "device-form", serial=serial, **{"device-code": "000000"})
        text = answer.control("problem").get_text()
        answers.add((answer.response.status_code, answer.control("problem")["data-problem"], text))
    assert len(answers) == 1


def test_a_manager_confirms_a_loss(site: Site, office: Office, letters: Letters, clock: StandingClock) -> None:
    """zohra asks, petra confirms with her second factor, and zohra pairs with the link and her password."""
    zohra = Visitor(site, "zohra")
    assert zohra.identify().reasons == ["NO_RESPONDER"]
    assert zohra.press(zohra.lost(), "manager").control("managers-asked")
    link = link_in(letters, "/collega-bevestigen", "petra@papier.test")
    weak = Visitor(site, "petra", "OLO")
    weak.own.identify(weak.own.begin("OLO"), "petra")
    assert weak.own.get(link).name == "step-up-first"
    stranger = Visitor(site, "anna")
    stranger.log_in()
    assert stranger.own.get(link).name == "responder-link-over"
    petra = Visitor(site, "petra")
    petra.log_in()
    page = petra.own.get(link)
    assert "Zohra" in page.control("colleague").get_text()
    assert petra.press(page, "confirm").name == "colleague-done"
    assert petra.own.get(link).name == "responder-link-over"
    permit = link_in(letters, "/responder-koppelen", "zohra@papier.test")
    assert site.get(permit).name == "log-in-first"
    assert stranger.own.get(permit).name == "pair-responder"
    stock(office)
    # anna gave her own second factor: she pairs for herself, and zohra's permit is untouched.
    assert pair_device(stranger, office, stranger.own.get("/responder-koppelen")).name == "recovery-codes"
    stock(office, "HW-0002", b"abcdefghijklmnopqrst")
    page = zohra.own.get(permit)
    assert page.name == "log-in-first"
    page = zohra.own.get(f"/responder-koppelen?login={zohra.login}")
    fields = {"device-code": shows(office, b"abcdefghijklmnopqrst")}
    assert zohra.press(page, "device-form", serial="HW-0002", **fields).name == "recovery-codes"


def test_a_reset_waits_a_day_and_falls_to_an_objection(
    site: Site, office: Office, letters: Letters, clock: StandingClock
) -> None:
    """Whoever was told may object without logging in; without objection it goes through after a day, once."""
    zohra = Visitor(site, "zohra")
    zohra.identify()
    assert zohra.press(zohra.lost(), "reset").control("waiting")
    sent = letters.deliver()
    assert {mail.recipient for mail in sent} == {"zohra@papier.test", "petra@papier.test"}
    link = re.findall(r"/bezwaar\?t=[0-9a-f]{64}", sent[1].text)[0]
    page = site.get(link)
    objected = site.fill(page, {}, "object")
    assert isinstance(objected, Page)
    assert objected.name == "objected"
    assert site.get(link).name == "responder-link-over"
    clock.move(timedelta(hours=25))

    again = Visitor(site, "zohra")
    again.identify()
    ways = again.press(again.lost(), "reset")
    assert again.press(ways, "manager").name == "lost-ways"
    clock.move(timedelta(hours=23, minutes=59))
    early = Visitor(site, "zohra")
    early.identify()
    assert early.lost().soup.select("[data-testid=finish]") == []
    clock.move(timedelta(minutes=2))
    ready = Visitor(site, "zohra")
    ready.identify()
    assert ready.press(ready.lost(), "finish").name == "pair-responder"
    assert [one["account"] for one in events(office, "reset.done")] == [account_of(office, "zohra")]


def test_an_objection_after_the_day_stops_who_did_not_pair_yet(
    site: Site, office: Office, letters: Letters, clock: StandingClock
) -> None:
    """The day is over and the thief may pair: whoever objects before that still stops it, not after (RUL-14)."""
    zohra = Visitor(site, "zohra")
    zohra.identify()
    zohra.press(zohra.lost(), "reset")
    links = [hit for mail in letters.deliver() for hit in re.findall(r"/bezwaar\?t=[0-9a-f]{64}", mail.text)]
    clock.move(timedelta(hours=25))
    thief = Visitor(site, "zohra")
    thief.identify()
    pairing = thief.press(thief.lost(), "finish")
    assert pairing.name == "pair-responder"
    objected = site.fill(site.get(links[0]), {}, "object")
    assert isinstance(objected, Page)
    assert objected.name == "objected"
    stock(office)
    assert pair_device(thief, office, pairing).name == "no-permit"
    assert [one["account"] for one in events(office, "reset.cancelled")] == [account_of(office, "zohra")]
    assert len(letters.notices()) == 1
    with office.work("test") as work:
        allowed = permit(work, account_of(office, "zohra"), "manager", timedelta(hours=1))
    claim = Entitled(Present(account_of(office, "zohra"), False), allowed, "10.0.0.1")
    assert isinstance(pair(office, claim, SERIAL, (shows(office), "")), tuple)
    late = site.fill(site.get(links[1]), {}, "object")
    assert isinstance(late, Page)
    assert late.name == "responder-link-over"


def test_customer_service_lets_somebody_pair_again(site: Site, office: Office, letters: Letters) -> None:
    """After calling back, customer service sends a link; the device is lost from that moment (F36)."""
    with office.work("agent") as work:
        confirm_by_staff(work, account_of(office, "anna"), "agent-1")
    assert link_in(letters, "/responder-koppelen", "anna@zonneschijn.test")
    refused = Visitor(site, "anna")
    assert refused.identify().reasons == ["NO_RESPONDER"]


def test_of_twenty_uses_of_one_recovery_code_one_succeeds(site: Site, office: Office) -> None:
    """Twenty browsers that send the same recovery code at once: one may pair, nineteen hear that it is wrong."""
    account = account_of(office, "anna")
    with office.work("test") as work:
        code = make_codes(work, account)[0]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda place: by_code(office, account, code, f"10.0.0.{place}"), range(20)))
    assert sum(isinstance(one, str) for one in found) == 1


def test_of_twenty_who_take_one_device_one_has_it(site: Site, office: Office) -> None:
    """Twenty people who pair the same device at once: one does, and it has one holder (F35)."""
    stock(office)
    code = shows(office)
    with office.reading() as connection:
        accounts = list(connection.execute(select(Account.id).limit(20)).scalars())
    claims = [Entitled(Present(one, True), "", f"10.0.0.{place}") for place, one in enumerate(accounts)]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda claim: pair(office, claim, SERIAL, (code, "")), claims))
    assert sum(isinstance(one, tuple) for one in found) == 1
    with office.reading() as connection:
        holder = select(Responder.account_id).where(Responder.serial == SERIAL)
        held_by = connection.execute(holder).scalar_one()
    assert held_by == next(one for one, got in zip(accounts, found, strict=True) if isinstance(got, tuple))


def test_of_twenty_uses_of_one_permit_one_pairs(site: Site, office: Office) -> None:
    """One permit pairs one device, however many are tried at once; the others stay in stock."""
    account = account_of(office, "zohra")
    secrets = [bytes([place]) * 20 for place in range(1, 21)]
    for place, secret in enumerate(secrets):
        stock(office, f"HW-{place:04}", secret)
    with office.work("test") as work:
        allowed = permit(work, account, "manager", timedelta(hours=1))

    def take(place: int) -> object:
        claim = Entitled(Present(account, False), allowed, f"10.0.0.{place}")
        return pair(office, claim, f"HW-{place:04}", (shows(office, secrets[place]), ""))

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(take, range(20)))
    assert sum(isinstance(one, tuple) for one in found) == 1
    with office.reading() as connection:
        taken = select(Responder.status).where(Responder.serial.like("HW-%"), Responder.status != "stock")
        assert list(connection.execute(taken).scalars()) == ["assigned"]
