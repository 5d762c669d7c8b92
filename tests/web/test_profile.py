"""One's own pages over HTTP, on both databases: e-mail, password, activity, all data (F42, F43, F55)."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select

from idp.app import create_app
from idp.services.account.addresses import ask_change, change_of, confirm
from idp.services.account.profile import means_of
from idp.services.account.recovery import ask_password, link_of
from idp.services.tickets import Purpose
from idp.services.work import Office
from idp.store.base import Base
from idp.store.people import Account, Person
from tests.office import StandingClock, close, open_test_office
from tests.web.conftest import register
from tests.web.kit import PERSONAS, Page, Site
from tests.web.letters import Letters
from tests.web.wire import over_http

# Under which name of the file each table that belongs to a person is told.
HELD = {
    "account": "account",
    "account_reset": "resets",
    "certificate": "certificates",
    "means": "means",
    "oidc_grant": "authorizations",
    "passkey": "passkeys",
    "pseudonym": "names_at_providers",
    "recovery_code": "recovery_codes_left",
    "responder": "responders",
    "session": "sessions",
}
LINK = re.compile(r"http://localhost:8000(/email-[a-z]+\?t=[0-9a-f]{64})")


@pytest.fixture
def office(world: str, web_keys: Path, clock: StandingClock) -> Iterator[Office]:
    """An office with the world, outside of the laboratory, on either database."""
    made = open_test_office(world, web_keys, clock, lab__enabled=False)
    yield made
    close(made)


@pytest.fixture
def site(office: Office) -> Iterator[Site]:
    """The application with clients of two services."""
    with over_http(create_app(office)) as app:
        yield Site(app, office, {slug: register(office, slug) for slug in ("RVO-3", "OLO")})


@pytest.fixture
def letters(office: Office) -> Letters:
    """The mails of the office."""
    return Letters(office)


def enter(site: Site, username: str, to: str = "/profiel", strong: bool = False) -> Page:
    """Log in at one's own pages, in the browser of the site."""
    page = site.get(f"/inloggen?naar={to}" + ("&sterk=ja" if strong else ""))
    if page.name == "login-password":
        page = site.identify(page, username)  # type: ignore[assignment]
    if page.name == "login-code":
        page = site.prove(page, username)  # type: ignore[assignment]
    return page


def test_our_own_pages_are_entered_by_the_same_login(site: Site) -> None:
    """The password opens one's own pages; a change asks the second factor and nothing twice."""
    assert enter(site, "anna").response.request.path == "/profiel"
    asked = site.get("/inloggen?naar=/profiel/email&sterk=ja")
    assert asked.name == "login-code"
    proven = site.prove(asked, "anna")
    assert isinstance(proven, Page)
    assert proven.response.request.path == "/profiel/email"
    assert site.get("/inloggen?naar=//evil.example&sterk=ja").response.request.path == "/profiel"


def press(site: Site, page: Page, control: str, **fields: str) -> Page:
    """Send the form of a control at the address of its page."""
    answer = site.follow(site.post(page.response.request.path, page.form_of(control) | fields))
    assert isinstance(answer, Page)
    return answer


def link_in(letters: Letters, path: str, to: str) -> str:
    """Deliver, and the one link of that kind in what went to an address."""
    texts = [mail.text for mail in letters.deliver() if mail.recipient == to]
    found = [hit for text in texts for hit in re.findall(rf"http://localhost:8000({path}\?t=[0-9a-f]{{64}})", text)]
    assert len(found) == 1, texts
    return str(found[0])


def email_of(office: Office, username: str) -> str:
    """The address of a person."""
    query = select(Person.email).join(Account, Account.person_id == Person.id).where(Account.username == username)
    with office.reading() as connection:
        return str(connection.execute(query).scalar_one())


def ask_email(site: Site, username: str, new: str) -> Page:
    """Log in all the way and ask for another address."""
    page = enter(site, username, "/profiel/email", strong=True)
    assert page.name == "profile-email"
    return press(site, page, "step-form", email=new)


def test_every_page_of_the_profile_opens(site: Site) -> None:
    """A stranger finds the door at each; whoever is logged in sees each page and their own name on the first."""
    paths = ("/profiel", "/profiel/activiteit", "/profiel/sessies", "/profiel/gegevens", "/profiel/middel")
    changes = ("/profiel/email", "/profiel/wachtwoord")
    names = [site.get(path).name for path in (*paths, *changes)]
    assert names == ["profile-welcome", *["login-password"] * 6]
    assert enter(site, "anna").control("username").get_text() == "anna"
    assert [site.get(path).response.status_code for path in paths] == [200] * 5
    assert [site.get(path).name for path in changes] == ["login-code"] * 2
    assert site.get("/profiel/sleutels").name == "step-up-first"


def test_f42_an_address_of_somebody_else_is_never_taken(site: Site, office: Office, letters: Letters) -> None:
    """The page answers as always, no link leaves, its owner hears, and nothing changes (F42)."""
    before, taken = email_of(office, "anna"), email_of(office, "otto")
    assert ask_email(site, "anna", taken.upper()).name == "profile-email-sent"
    mails = {mail.recipient: mail for mail in letters.deliver()}
    assert set(mails) == {before, taken}
    assert "t=" not in mails[taken].text
    assert email_of(office, "anna") == before


def test_f42_who_asks_cannot_tell_a_taken_address_from_a_free_one(
    site: Site, office: Office, letters: Letters, clock: StandingClock
) -> None:
    """Pages, own mail, activity and the page to object are the same, whoever has the address (F42, SEC-27)."""
    taken, own = email_of(office, "otto"), email_of(office, "anna")
    seen, known = [], Counter[str]()
    # Twice a free one, so that the second round and the third have as much behind them.
    for wished in (taken.replace("@", "y@"), taken, taken.replace("@", "x@")):
        visitor, objecting = (Site(site.app, office, site.clients) for _ in range(2))
        clock.move(timedelta(seconds=30))
        sent = ask_email(visitor, "anna", wished)
        (mail,) = (one for one in letters.deliver() if one.recipient == own)
        (link,) = LINK.findall(mail.text)
        object_page = objecting.get(link)
        pages = [sent, object_page, *(visitor.get(path) for path in ("/profiel", "/profiel/email"))]
        deeds = Counter(
            one["event"] for one in json.loads(visitor.get("/profiel/gegevens.json").response.text)["activity"]
        )
        texts = [page.soup.main.get_text() if page.soup.main else "" for page in pages]
        shown = "\n".join([*texts, mail.subject, mail.text.replace(link, "")]).replace(wished, "*")
        seen.append((re.sub(r"\d\d\.\d\d|(?<=Kenmerk )\w+", "*", shown), deeds - known))
        known += deeds - known
        assert press(objecting, object_page, "object").name == "email-restored"
    assert seen[1] == seen[2]


def test_f42_an_address_taken_meanwhile_is_not_taken_twice(site: Site, office: Office, letters: Letters) -> None:
    """Two people get a link for one address; the first to confirm has it, the other's link is over (F42)."""
    other = Site(site.app, office, site.clients)
    ask_email(site, "anna", "new@example.test")
    first = link_in(letters, "/email-bevestigen", "new@example.test")
    ask_email(other, "otto", "new@example.test")
    second = link_in(letters, "/email-bevestigen", "new@example.test")
    assert press(other, other.get(second), "confirm").name == "email-done"
    lost = press(site, site.get(first), "confirm")
    assert (lost.name, lost.response.status_code) == ("responder-link-over", 410)
    assert email_of(office, "otto") == "new@example.test" != email_of(office, "anna")


def test_f43_one_changes_the_own_address_with_the_second_factor(site: Site, office: Office, letters: Letters) -> None:
    """Nothing changes before the link of the new address is confirmed, once; the old one hears twice (F43)."""
    before = email_of(office, "anna")
    assert enter(site, "anna").name == "profile"
    assert site.get("/profiel/email").name == "login-code"
    wrong = press(site, enter(site, "anna", "/profiel/email", strong=True), "step-form", email="anna at work")
    assert (wrong.response.status_code, wrong.control("email")["value"]) == (422, "anna at work")
    assert press(site, wrong, "step-form", email=before).control("problem")["data-problem"] == "R17"
    assert press(site, wrong, "step-form", email="anna@new.example").name == "profile-email-sent"
    link = link_in(letters, "/email-bevestigen", "anna@new.example")
    assert [one.recipient for one in letters.taken].count(before) == 1
    stranger = Site(site.app, office, site.clients)
    page = stranger.get(link)
    assert (page.name, email_of(office, "anna")) == ("email-confirm", before)
    assert press(stranger, page, "confirm").name == "email-done"
    assert email_of(office, "anna") == "anna@new.example"
    assert stranger.get(link).name == "responder-link-over"
    assert [one.recipient for one in letters.deliver()] == [before]
    assert sorted(one.recipient for one in letters.notices()) == sorted([before, "anna@new.example"])


def test_f43_a_newer_wish_makes_the_older_link_worthless(site: Site, office: Office, letters: Letters) -> None:
    """Of two links only the last one asked works (SEC-31)."""
    ask_email(site, "anna", "one@new.example")
    first = link_in(letters, "/email-bevestigen", "one@new.example")
    ask_email(site, "anna", "two@new.example")
    assert site.get(first).name == "responder-link-over"


@pytest.mark.parametrize("confirmed", [False, True])
def test_f43_the_old_address_undoes_a_change(site: Site, office: Office, letters: Letters, confirmed: bool) -> None:
    """An objection holds a change up or restores the address, and ends every session and link (F43, SEC-30)."""
    before = email_of(office, "anna")
    ask_email(site, "anna", "thief@new.example")
    mails = {mail.recipient: mail.text for mail in letters.deliver()}
    link = LINK.findall(mails["thief@new.example"])[0]
    stranger = Site(site.app, office, site.clients)
    if confirmed:
        press(stranger, stranger.get(link), "confirm")
    # The thief logs in, and changes the password as well: the old address still has the last word.
    objection = LINK.findall(mails[before])[0]
    old = PERSONAS["anna"].password
    fields = {"current-password": old, "new-password": "dief2026gestolen"}
    assert press(site, site.get("/profiel/wachtwoord"), "step-form", **fields).name == "profile-password-changed"
    assert site.get("/profiel").name == "profile"
    assert press(stranger, stranger.get(objection), "object").name == "email-restored"
    assert email_of(office, "anna") == before
    assert site.get("/profiel").name == "profile-welcome"
    assert stranger.get(link).name == "responder-link-over"
    assert stranger.get(objection).name == "responder-link-over"


def test_f43_an_objection_ends_what_later_addresses_may_object_to(
    site: Site, office: Office, letters: Letters, clock: StandingClock
) -> None:
    """A thief who moves on to a third address cannot undo, from the second, what the first one restored (F43)."""
    before = email_of(office, "anna")
    for wished in ("thief@new.example", "other@new.example"):
        clock.move(timedelta(seconds=30))
        ask_email(site, "anna", wished)
        page = site.get(link_in(letters, "/email-bevestigen", wished))
        assert press(site, page, "confirm").name == "email-done"
    letters.deliver()
    found = [(mail.recipient, link) for mail in letters.taken for link in LINK.findall(mail.text) if "bezwaar" in link]
    (first, *_), thiefs = ([link for to, link in found if to == one] for one in (before, "thief@new.example"))
    assert press(site, site.get(first), "object").name == "email-restored"
    assert thiefs
    assert [site.get(link).name for link in thiefs] == ["responder-link-over"] * len(thiefs)
    assert email_of(office, "anna") == before


def test_f43_an_objection_leaves_earlier_addresses_theirs(
    site: Site, office: Office, letters: Letters, clock: StandingClock
) -> None:
    """A thief who objects from the second address leaves the first one its last word (F43)."""
    before = email_of(office, "anna")
    for wished in ("thief@new.example", "other@new.example"):
        clock.move(timedelta(seconds=30))
        ask_email(site, "anna", wished)
        page = site.get(link_in(letters, "/email-bevestigen", wished))
        assert press(site, page, "confirm").name == "email-done"
    letters.deliver()
    found = [(mail.recipient, link) for mail in letters.taken for link in LINK.findall(mail.text) if "bezwaar" in link]
    for whose in ("thief@new.example", before):
        link = next(link for to, link in found if to == whose)
        assert press(site, site.get(link), "object").name == "email-restored"
        assert email_of(office, "anna") == whose


def test_f43_the_other_account_of_the_person_is_looked_after_too(
    site: Site, office: Office, letters: Letters, clock: StandingClock
) -> None:
    """sam and sam2 share an address: with it go the links of both, and an objection logs both out (F43, SEC-30)."""
    with office.reading() as connection:
        sam = str(connection.execute(select(Account.id).where(Account.username == "sam")).scalar_one())
    other = Site(site.app, office, site.clients)

    def link_of_sam2() -> str:
        assert ask_password(office, "sam2", "", "10.0.0.1") is None
        return letters.link().partition("t=")[2]

    first = link_of_sam2()
    assert ask_change(office, sam, "thief@new.example")
    page = site.get(link_in(letters, "/email-bevestigen", "thief@new.example"))
    assert link_of(office, first) is not None
    assert press(site, page, "confirm").name == "email-done"
    assert link_of(office, first) is None
    letters.deliver()
    second = link_of_sam2()
    assert letters.taken[-1].recipient == "thief@new.example"
    assert enter(other, "sam2").name == "profile"
    found = [one for mail in letters.taken for one in LINK.findall(mail.text) if "bezwaar" in one]
    assert press(site, site.get(found[0]), "object").name == "email-restored"
    assert link_of(office, second) is None
    assert other.get("/profiel").name == "profile-welcome"


def test_f43_twenty_confirmations_at_once_change_it_once(site: Site, office: Office, letters: Letters) -> None:
    """Twenty browsers use one link together: one is told that it worked, and one mail says so (SEC-25)."""
    ask_email(site, "anna", "anna@new.example")
    secret = link_in(letters, "/email-bevestigen", "anna@new.example").partition("t=")[2]
    change = change_of(office, secret, Purpose.EMAIL_CONFIRMATION)
    assert change is not None
    with ThreadPoolExecutor(20) as pool:
        worked = list(pool.map(lambda _: confirm(office, secret, change), range(20)))
    assert worked.count(True) == 1
    assert len(letters.deliver()) == 1
    assert [one.recipient for one in letters.notices()].count("anna@new.example") == 1


def test_a_new_password_ends_sessions_elsewhere(site: Site, office: Office, letters: Letters) -> None:
    """The old one is asked; here one stays logged in, elsewhere not, and a mail says so (SEC-30)."""
    elsewhere = Site(site.app, office, site.clients)
    assert enter(elsewhere, "anna").name == "profile"
    page = enter(site, "anna", "/profiel/wachtwoord", strong=True)
    wrong = press(site, page, "step-form", **{"current-password": "wrong1234", "new-password": "nieuw2026wachtw"})
    assert wrong.control("problem")["data-problem"] == "R16"
    old = PERSONAS["anna"].password
    weak = press(site, page, "step-form", **{"current-password": old, "new-password": "kort"})
    assert weak.control("problem")["data-problem"] == "R04"
    fields = {"current-password": old, "new-password": "nieuw2026wachtw"}
    assert press(site, page, "step-form", **fields).name == "profile-password-changed"
    assert (site.get("/profiel").name, elsewhere.get("/profiel").name) == ("profile", "profile-welcome")
    assert letters.deliver() == []
    (mail,) = letters.notices()
    told = [line for line in mail.text.splitlines() if line.startswith("- ")]
    assert sorted("wachtwoord" in line for line in told) == [False, False, True]


def test_sessions_are_listed_and_ended(site: Site, office: Office) -> None:
    """Each session can be ended by itself, only one's own, and all together (SEC-30)."""
    elsewhere, other = (Site(site.app, office, site.clients) for _ in range(2))
    enter(elsewhere, "anna")
    enter(other, "otto")
    enter(site, "anna")
    page = site.get("/profiel/sessies")
    assert len(page.control("sessions").find_all("li")) == 2
    others = other.get("/profiel/sessies").form_of("end-1")["session"]
    press(site, page, "end-1", session=others)
    assert other.get("/profiel").name == "profile"
    press(site, page, "end-2")
    assert (elsewhere.get("/profiel").name, site.get("/profiel").name) == ("profile-welcome", "profile")
    assert press(site, site.get("/profiel/sessies"), "end-all").name == "all-ended"
    assert site.get("/profiel").name == "profile-welcome"


@pytest.mark.parametrize("odd", ["a\0b", "\ud800"])
def test_what_no_form_of_ours_sends_is_no_fault_of_ours(site: Site, odd: str) -> None:
    """Characters that a database does not take, in any field, end in a page that says what to do (SEC-2)."""
    page = enter(site, "anna", "/profiel/sleutels", strong=True)
    token = page.form_of("step-form")["csrf_token"]
    fields = ("session", "passkey", "label", "answer", "email", "current-password", "new-password", "language")
    steps = ("end", "remove", "add", "app", "device", "recovery-code", "codes")
    more = ("serial", "app-code", "device-code", "recovery-code", "username", "code")
    paths = ("/profiel", *(f"/profiel/{one}" for one in ("sessies", "sleutels", "email", "wachtwoord", "responder")))
    for path in (*paths, "/responder-koppelen", "/responder-kwijt", "/wachtwoord-vergeten", "/gebruikersnaam-vergeten"):
        for step in steps:
            sent = dict.fromkeys((*fields, *more), odd) | {"csrf_token": token, "step": step}
            body = "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in sent.items())
            answer = site.browser.post(
                path, data=body, content_type="application/x-www-form-urlencoded", base_url="http://localhost:8000"
            )
            assert answer.status_code < 500, (path, step)


def test_activity_tells_every_login(site: Site, clock: StandingClock) -> None:
    """When, where, at which level, for whom and with which reference; a stranger's activity is not told; paged."""
    clock.move(timedelta(seconds=60))
    site.log_in("anna", "RVO-3")
    enter(site, "anna")
    page = site.get("/profiel/activiteit")
    rows = [" ".join(one.get_text(" ").split()) for one in page.control("deeds").find_all("li")]
    assert any("EH3" in row and "namens" in row and "Kenmerk" in row for row in rows), rows
    other = Site(site.app, site.office, site.clients)
    enter(other, "otto")
    assert len(other.get("/profiel/activiteit").control("deeds").find_all("li")) == 1
    for _ in range(25):
        site.get("/inloggen?naar=/profiel")
    assert len(site.get("/profiel/activiteit?pagina=1").control("deeds").find_all("li")) == 20
    assert site.get("/profiel/activiteit?pagina=2").control("previous")
    assert site.get("/profiel/activiteit?pagina=999999").response.status_code == 200


@pytest.mark.parametrize("username", ["anna", "emre", "otto"])
def test_trying_ones_means_says_what_a_login_does(site: Site, username: str) -> None:
    """At each service the page and a login agree on whether one is let in (one decision for both)."""
    enter(site, username)
    page = site.get("/profiel/middel")
    let_in = [str(one.strong.get_text()) for one in page.control("let-in").find_all("li") if one.strong]
    for slug in ("RVO-3", "OLO"):
        service = next(one for one in site.office.directory.services() if one.slug == slug)
        fresh = Site(site.app, site.office, site.clients)
        at = fresh.begin(slug)
        at = fresh.identify(at, username)  # type: ignore[assignment]
        refused = isinstance(at, Page) and at.name == "login-refused"
        assert (service.name["nl"] in let_in) is not refused, slug


def test_f55_one_takes_all_data_along(site: Site, office: Office) -> None:
    """The file holds person, means, mandates, responders and activity, no secret, and nobody else's data (F55)."""
    enter(site, "anna", "/profiel/gegevens", strong=True)
    response = site.get("/profiel/gegevens.json").response
    found = json.loads(response.get_data())
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert found["person"]["email"] == email_of(office, "anna")
    assert all(found[name] for name in ("means", "mandates", "responders", "activity"))
    keyed = {"account.id", "person.id"}
    tables = Base.metadata.tables.values()
    assert {one.name for one in tables if keyed & {key.target_fullname for key in one.foreign_keys}} == HELD.keys()
    assert found.keys() > {"mails", *HELD.values()}
    assert [one["template"] for one in found["mails"]] == ["new-device"]
    assert not {"password_hash", "secret", "public_key"} & set(re.findall(r'"([a-z_]+)":', json.dumps(found)))
    assert email_of(office, "otto") not in json.dumps(found)
    weak = Site(site.app, office, site.clients)
    enter(weak, "anna")
    assert weak.get("/profiel/gegevens.json").name == "login-code"


def test_f55_one_asks_to_be_forgotten(site: Site, office: Office, letters: Letters) -> None:
    """Page and mail say until when something must be kept; customer service hears, and it is recorded (F55)."""
    page = enter(site, "anna", "/profiel/gegevens", strong=True)
    with office.reading() as connection:
        account = connection.execute(select(Account.id).where(Account.username == "anna")).scalar_one()
        last = max(one.valid_until for one in means_of(connection, account))
    assert str(last.year + 7) in page.control("until").get_text()
    assert press(site, page, "erase").name == "erasure-asked"
    mails = {mail.recipient: mail.text for mail in letters.deliver()}
    assert set(mails) == {email_of(office, "anna"), office.settings.brand.email}
    assert str(last.year + 7) in mails[email_of(office, "anna")]


def test_f55_asking_again_and_again_makes_one_mail_a_day(site: Site, letters: Letters, clock: StandingClock) -> None:
    """Who asks to be forgotten ten times has the same page each time; customer service hears once a day (SEC-28)."""
    page = enter(site, "anna", "/profiel/gegevens", strong=True)
    assert {press(site, page, "erase").name for _ in range(10)} == {"erasure-asked"}
    assert len(letters.deliver()) == 2
    clock.move(timedelta(days=1, minutes=1))
    press(site, enter(site, "anna", "/profiel/gegevens", strong=True), "erase")
    assert [mail.recipient for mail in letters.deliver()].count(site.office.settings.brand.email) == 1


def test_the_language_of_mails_is_a_choice(site: Site, letters: Letters) -> None:
    """Whoever chooses English reads English, on pages and in mails."""
    page = press(site, enter(site, "anna", strong=True), "save-language", language="en")
    assert str(page.soup.html["lang"]) == "en"  # type: ignore[index]
    press(site, site.get("/profiel/gegevens"), "erase")
    (mail,) = (mail for mail in letters.deliver() if mail.recipient == email_of(site.office, "anna"))
    assert "asked" in mail.text


def test_logins_in_unknown_browsers_are_announced_in_one_mail(
    site: Site, letters: Letters, clock: StandingClock
) -> None:
    """Three browsers within minutes make one mail with three times; a browser that was here before makes none."""
    browsers = [Site(site.app, site.office, site.clients) for _ in range(3)]
    for browser in browsers:
        assert enter(browser, "anna").name == "profile"
    assert letters.deliver() == []
    clock.move(timedelta(minutes=6))
    mails = letters.deliver()
    assert [mail.text.count("\n- ") for mail in mails] == [3]
    press(browsers[0], browsers[0].get("/profiel/sessies"), "end-all")
    assert enter(browsers[0], "anna").name == "profile"
    clock.move(timedelta(minutes=6))
    assert letters.deliver() == []
