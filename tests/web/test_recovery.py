"""Getting back a username or a password, over HTTP and without scripts, on both databases (F37 to F41)."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select, update

from idp.app import create_app
from idp.effects.postman import postman_of
from idp.lab.seed import seed
from idp.services.mail.notices import GATHERED_FOR
from idp.services.mail.parcels import SEAL
from idp.services.tickets import Held, Purpose, issue, redeem
from idp.services.work import Office
from idp.store.grants import GrantRow
from idp.store.ledger import AuditEvent
from idp.store.parcels import Parcel
from idp.store.people import Account, Responder
from idp.store.tickets import Ticket
from tests.office import StandingClock, close, open_test_office
from tests.services.smtp_server import Manners, SmtpServer
from tests.web.conftest import register
from tests.web.kit import Page, Site, told
from tests.web.letters import Letters
from tests.web.wire import over_http

NEW = "nieuw2026wachtw"
AT_ONCE = 20


@pytest.fixture
def office(world: str, web_keys: Path, clock: StandingClock) -> Iterator[Office]:
    """An office with the world, outside of the laboratory, on either database."""
    made = open_test_office(world, web_keys, clock, lab__enabled=False, argon2__waiting=AT_ONCE)
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


def ask(site: Site, path: str, **fields: str) -> Page:
    """Fill in a page of recovery."""
    page = site.fill(site.get(path), fields)
    assert isinstance(page, Page)
    return page


def open_link(site: Site, link: str) -> Page:
    """Open a link from a mail."""
    return site.get(link)


def reset(site: Site, letters: Letters, username: str = "sam", password: str = NEW) -> Page:
    """From the question to the new password."""
    ask(site, "/wachtwoord-vergeten", username=username)
    page = site.fill(open_link(site, letters.link()), {"new-password": password})
    assert isinstance(page, Page)
    return page


def logs_in(site: Site, username: str, password: str) -> bool:
    """Whether a password gets past the first page."""
    fresh = Site(site.app, site.office, site.clients)
    page = fresh.identify(fresh.begin("OLO"), username, password)
    return isinstance(page, str) or page.name != "login-password"


def test_f37_each_broken_rule_of_a_password_is_told(site: Site, letters: Letters) -> None:
    """A password that breaks rules is refused with those rules, and is not typed again for the person."""
    ask(site, "/wachtwoord-vergeten", username="sam")
    page = open_link(site, letters.link())
    refused = site.fill(page, {"new-password": "kort!!"})
    assert isinstance(refused, Page)
    assert refused.response.status_code == 422
    text = refused.control("problem").text
    assert "ten minste 8 tekens" in text
    assert "ten minste 2 cijfers" in text
    assert "ten hoogste 1 bijzonder teken" in text
    assert "letters" not in text
    assert refused.control("new-password")["value"] == ""
    assert len(refused.soup.select("[data-pattern]")) == 6
    assert isinstance(site.fill(refused, {"new-password": NEW}), Page)
    assert logs_in(site, "sam", NEW)


@pytest.mark.parametrize("cookies", [{}, {"idp-lang": "nl"}], ids=["none", "another"])
def test_a_form_whose_cookie_is_gone_leads_back_to_its_page(site: Site, cookies: dict[str, str]) -> None:
    """After the browser was closed and its tab restored, the error page has the way back, with the login (D.1)."""
    begun = site.begin("RVO-3").response.request.path.rpartition("/")[2]
    path = f"/wachtwoord-vergeten?login={begun}"
    fields = site.get(path).form_of("step-form") | {"username": "sam"}
    for name in ("idp-form", "idp-browser"):
        site.browser.delete_cookie(name, domain="localhost")
    for name, value in cookies.items():
        site.browser.set_cookie(name, value, domain="localhost")
    stale = Page(site.post(path, fields))
    assert (stale.error, stale.response.status_code) == ("EXPIRED_PAGE" if cookies else "NO_COOKIES", 400)
    assert stale.control("again")["href"] == path


def test_f38_all_usernames_on_an_address_come_in_one_mail(site: Site, letters: Letters) -> None:
    """Two accounts on one address are listed in one mail with their organisations, however it was typed."""
    page = ask(site, "/gebruikersnaam-vergeten", email=" Sam@Schoonmaak.TEST ")
    assert page.name == "recovery-sent"
    (mail,) = letters.deliver()
    assert mail.recipient == "sam@schoonmaak.test"
    assert "- sam (Schoonmaakbedrijf Glans B.V.)\n- sam2 (Strandpaviljoen De Golf B.V.)" in mail.text
    assert "<li>sam (Schoonmaakbedrijf Glans B.V.)</li>" in mail.html
    assert letters.deliver() == []


def test_f38_a_mail_speaks_the_language_of_its_reader(site: Site, letters: Letters, office: Office) -> None:
    """The mail is in the language of the account, whoever asked in whichever."""
    with office.work("test") as work:
        work.connection.execute(update(Account).where(Account.username == "anna").values(locale="en"))
    ask(site, "/gebruikersnaam-vergeten", email="anna@zonneschijn.test")
    (mail,) = letters.deliver()
    assert mail.subject == "Your username"
    assert "You asked us what your username is" in mail.text
    assert '<html lang="en">' in mail.html


@pytest.mark.parametrize(
    ("path", "field", "known", "unknown"),
    [
        ("/gebruikersnaam-vergeten", "email", "sam@schoonmaak.test", "niemand@schoonmaak.test"),
        ("/wachtwoord-vergeten", "username", "sam", "niemand"),
        ("/wachtwoord-vergeten", "username", "sam", "n\u0130emand \u00e9"),
    ],
)
def test_f38_f39_known_and_unknown_are_answered_alike(
    site: Site, letters: Letters, office: Office, path: str, field: str, known: str, unknown: str
) -> None:
    """Status, headers, page, outbox and audit trail are the same; the worker discards what has no recipient."""
    answers = []
    for typed in (known, unknown):
        site.browser = site.new_browser()
        page = site.get(path)
        response = site.post(path, page.form_of("step-form") | {field: typed})
        sent = site.follow(response)
        assert isinstance(sent, Page)
        kept = {name: value for name, value in response.headers.items() if name not in ("Set-Cookie", "Date")}
        answers.append((response.status_code, kept, response.data, sent.response.status_code, sent.response.data))
    assert answers[0] == answers[1]
    with office.reading() as connection:
        rows = connection.execute(select(Parcel).order_by(Parcel.id)).all()
        asked = select(AuditEvent.facts).where(AuditEvent.event == "recovery.asked")
        trail = connection.execute(asked).scalars().all()
    assert [(row.recipient, row.locale, row.status, row.template) for row in rows[:1]] == [
        (row.recipient, row.locale, row.status, row.template) for row in rows[1:]
    ]
    assert trail[0] == trail[1]
    assert len(letters.deliver()) == 1
    assert letters.counts == {"sent": 1, "discarded": 1}


def test_f39_a_link_gives_a_new_password_once(site: Site, letters: Letters) -> None:
    """The link works once; after it the new password logs in, the old one does not, and the change is announced."""
    ask(site, "/wachtwoord-vergeten", username="SAM")
    link = letters.link()
    page = open_link(site, link)
    assert page.name == "new-password"
    assert "t=" not in page.response.request.url
    done = site.fill(page, {"new-password": NEW})
    assert isinstance(done, Page)
    assert done.name == "password-changed"
    (notice,) = letters.notices()
    assert notice.subject == "Uw wachtwoord is gewijzigd"
    assert NEW not in notice.text
    again = open_link(site, link)
    assert (again.name, again.response.status_code) == ("link-over", 410)
    assert logs_in(site, "sam", NEW)
    assert not logs_in(site, "sam", "Sam2026-lab")


def test_f39_opening_a_link_does_not_use_it(site: Site, letters: Letters) -> None:
    """A mail scanner that opens the link first takes nothing away, and the secret leaves the address at once."""
    ask(site, "/wachtwoord-vergeten", username="sam")
    link = letters.link()
    for _ in range(3):
        response = site.new_browser().get(link, base_url="http://localhost:8000")
        assert (response.status_code, response.headers["Location"]) == (303, "/wachtwoord-nieuw")
        assert response.headers["Referrer-Policy"] == "no-referrer"
    assert open_link(site, link).name == "new-password"


def test_f39_a_newer_link_ends_the_older(site: Site, letters: Letters) -> None:
    """Of two links only the newer one works."""
    ask(site, "/wachtwoord-vergeten", username="sam")
    older = letters.link()
    ask(site, "/wachtwoord-vergeten", username="sam")
    newer = letters.link()
    assert open_link(site, older).name == "link-over"
    assert open_link(site, newer).name == "new-password"


def test_f39_a_link_lasts_half_an_hour(site: Site, letters: Letters, clock: StandingClock) -> None:
    """It works just before its time is up and not after; a form that was open meanwhile is refused too."""
    ask(site, "/wachtwoord-vergeten", username="sam")
    link = letters.link()
    clock.move(timedelta(minutes=29, seconds=59))
    page = open_link(site, link)
    assert page.name == "new-password"
    clock.move(timedelta(seconds=2))
    late = site.fill(page, {"new-password": NEW})
    assert isinstance(late, Page)
    assert late.name == "link-over"
    assert not logs_in(site, "sam", NEW)


def test_f39_a_new_password_leaves_the_second_factor(site: Site, letters: Letters, office: Office) -> None:
    """The responder and a block because of wrong codes stay; the code is asked as before (SEC-31)."""
    with office.work("test") as work:
        work.connection.execute(update(Account).where(Account.username == "sam").values(wrong_codes=7))
        before = work.connection.execute(select(Responder).order_by(Responder.id)).all()
    reset(site, letters)
    with office.reading() as connection:
        assert connection.execute(select(Responder).order_by(Responder.id)).all() == before
        wrong = connection.execute(select(Account.wrong_codes).where(Account.username == "sam")).scalar_one()
    assert wrong == 7
    page = site.identify(site.begin("RVO-3"), "sam", NEW)
    assert isinstance(page, Page)
    assert page.name == "login-code"


def test_f39_a_new_password_ends_what_the_old_one_opened(site: Site, letters: Letters, office: Office) -> None:
    """A kept session, a code on its way to a service and a login that is half way are worth nothing any more."""
    answer = told(site.log_in("sam", "RVO-3"))
    assert "code" in answer
    other = Site(site.app, office, site.clients)
    half = other.identify(other.begin("RVO-3"), "sam")
    assert isinstance(half, Page)
    assert half.name == "login-code"
    third = Site(site.app, office, site.clients)
    reset(third, letters)
    with office.reading() as connection:
        alive = connection.execute(select(func.count()).where(GrantRow.revoked_at.is_(None))).scalar_one()
    assert alive == 0
    after = other.prove(half, "sam")
    assert isinstance(after, Page)
    assert after.name == "login-password"
    again = site.begin("RVO-3")
    assert again.name == "login-password"


def test_f39_an_answer_that_waits_for_its_party_ends_too(site: Site, letters: Letters, office: Office) -> None:
    """An answer by artifact, made for the account before its password changed, is not handed out afterwards."""
    with office.work("test") as work:
        sam, anna = (
            work.connection.execute(select(Account.id).where(Account.username == name)).scalar_one()
            for name in ("sam", "anna")
        )
        for account in (sam, anna):
            held = Held("party", {"response": account}, timedelta(seconds=60), account)
            issue(work, Purpose.SAML_ARTIFACT, account * 2, held)
    reset(site, letters)
    with office.work("test") as work:
        assert redeem(work, Purpose.SAML_ARTIFACT, sam * 2, "party") is None
        assert redeem(work, Purpose.SAML_ARTIFACT, anna * 2, "party") == {"response": anna}


def test_f39_of_twenty_uses_of_a_link_one_counts(site: Site, letters: Letters, office: Office) -> None:
    """Twenty people with one link at the same moment set one password (SEC-25)."""
    ask(site, "/wachtwoord-vergeten", username="sam")
    link = letters.link()
    barrier = Barrier(AT_ONCE)

    def use(number: int) -> str:
        reader = Site(site.app, office, site.clients)
        page = open_link(reader, link)
        barrier.wait(60)
        after = reader.fill(page, {"new-password": f"wachtwoord{number:02}x"})
        assert isinstance(after, Page)
        return f"{number:02}" if after.name == "password-changed" else after.error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = Counter(pool.map(use, range(AT_ONCE)))
    assert outcomes.pop("R02") == AT_ONCE - 1
    (winner,) = outcomes
    assert logs_in(site, "sam", f"wachtwoord{winner}x")
    with office.reading() as connection:
        changed = select(func.count()).where(AuditEvent.event == "password.changed")
        assert connection.execute(changed).scalar_one() == 1


def test_f39_nothing_secret_stays_after_sending(site: Site, letters: Letters, office: Office) -> None:
    """The outbox and the tickets hold no link, username or address once the mail left and the link was used."""
    reset(site, letters)
    letters.notices()
    with office.reading() as connection:
        payloads = connection.execute(select(Parcel.payload)).scalars().all()
        tickets = connection.execute(select(Ticket.payload).where(Ticket.purpose == "password-link")).scalars().all()
    assert [json.loads(office.vault.unseal(one, SEAL)) for one in payloads] == [{}, {}]
    assert tickets == ["{}"]


def test_f39_a_login_that_asked_too_often_is_told_when(site: Site, letters: Letters, clock: StandingClock) -> None:
    """After five questions in a row the sixth waits, alike for known and unknown; what was typed stays (RUL-20)."""
    for username in ("sam", "niemand"):
        for _ in range(5):
            assert ask(site, "/wachtwoord-vergeten", username=username).name == "recovery-sent"
        late = ask(site, "/wachtwoord-vergeten", username=username)
        assert late.response.status_code == 429
        assert late.response.headers["Retry-After"] == "31"
        assert late.control("username")["value"] == username
        assert "Het kan weer vanaf" in late.control("problem").text
    clock.move(timedelta(seconds=31))
    assert ask(site, "/wachtwoord-vergeten", username="sam").name == "recovery-sent"


def test_f39_nobody_can_be_buried_in_mail_or_kept_from_theirs(
    site: Site, letters: Letters, clock: StandingClock, office: Office
) -> None:
    """Strangers from many places cause five mails in a quarter of an hour, and the newest link always works."""
    for place in range(12):
        given = {"environ_base": {"REMOTE_ADDR": f"127.0.1.{place}"}}
        page = site.get("/wachtwoord-vergeten")
        site.post("/wachtwoord-vergeten", page.form_of("step-form") | {"username": "sam"}, **given)
        letters.deliver()
    assert len(letters.taken) == 5
    newest = letters.taken[-1].text.partition("?t=")[2][:64]
    assert open_link(site, f"/wachtwoord-nieuw?t={newest}").name == "new-password"
    clock.move(timedelta(minutes=16))
    ask(site, "/wachtwoord-vergeten", username="sam")
    assert len(letters.deliver()) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/LoginHandler/nl/ForgotUsername/ForgotUsername", "/gebruikersnaam-vergeten"),
        ("/LoginHandler/nl/ForgotPassword/ForgotPassword", "/wachtwoord-vergeten"),
        ("/eh-aanmelden", "/activeren"),
    ],
)
def test_f40_the_addresses_of_old_letters_lead_on(site: Site, old: str, new: str) -> None:
    """Each address of the old site answers 301 to its successor, which is a page."""
    response = site.browser.get(old, base_url="http://localhost:8000")
    assert (response.status_code, urlsplit(response.headers["Location"]).path) == (301, new)
    assert site.get(new).response.status_code == 200


def test_f41_one_page_leads_to_everything_that_can_be_lost(site: Site) -> None:
    """The page offers username, password and the code of a letter, which leads to activation and is not kept."""
    page = site.get("/gegevens-kwijt")
    assert page.control("forgot-username")["href"] == "/gebruikersnaam-vergeten"
    assert page.control("forgot-password")["href"] == "/wachtwoord-vergeten"
    activation = site.fill(page, {"code": "ABCD-2345-EFGH"})
    assert isinstance(activation, Page)
    assert activation.name == "activate"
    assert "niet gebruikt en niet bewaard" in activation.soup.text
    missing = site.fill(page, {"code": ""})
    assert isinstance(missing, Page)
    assert missing.response.status_code == 422


def test_f38_f39_recovery_leads_back_into_the_login_it_interrupted(site: Site, letters: Letters) -> None:
    """From a login at RVO both are recovered, and the login goes on where it was, under its own request."""
    page = site.begin("RVO-3")
    login = urlsplit(page.response.request.url).path
    forgot = site.get(str(page.control("forgot-username")["href"]))
    assert "RVO" in forgot.soup.text
    assert forgot.control("back-to-login")["href"] == login
    sent = site.post(
        f"/gebruikersnaam-vergeten?login={login.rsplit('/', 1)[1]}",
        forgot.form_of("step-form") | {"email": "sam@schoonmaak.test"},
    )
    told_so = site.follow(sent)
    assert isinstance(told_so, Page)
    assert "Ga terug naar het venster" in letters.deliver()[0].text
    asking = site.get(str(told_so.control("forgot-password")["href"]))
    site.post(str(told_so.control("forgot-password")["href"]), asking.form_of("step-form") | {"username": "sam"})
    done = site.fill(open_link(site, letters.link()), {"new-password": NEW})
    assert isinstance(done, Page)
    assert done.control("continue-login")["href"] == login
    code = site.identify(site.get(login), "sam", NEW)
    assert isinstance(code, Page)
    assert told(site.prove(code, "sam"))["state"] == "state-0123456789abcdef"


def test_f39_a_link_opened_elsewhere_leads_into_nobody_elses_login(site: Site, letters: Letters) -> None:
    """In another browser the link works, but it never leads into a login that this browser did not begin."""
    page = site.begin("RVO-3")
    href = str(page.control("forgot-password")["href"])
    site.post(href, site.get(href).form_of("step-form") | {"username": "sam"})
    elsewhere = Site(site.app, site.office, site.clients)
    done = elsewhere.fill(elsewhere.get(letters.link()), {"new-password": NEW})
    assert isinstance(done, Page)
    assert done.name == "password-changed"
    assert "continue-login" not in done.response.get_data(as_text=True)
    assert "RVO" not in elsewhere.get(f"/wachtwoord-vergeten{href[href.index('?') :]}").soup.text


def test_f38_f39_no_page_waits_for_a_mail_server(database: str, web_keys: Path, clock: StandingClock) -> None:
    """With a mail server that hangs, every page of recovery answers; only the worker ever talks to it."""
    server = SmtpServer(Manners(silent=True))
    mail = {"mail__host": "127.0.0.1", "mail__port": server.port, "mail__security": "none", "mail__timeout_seconds": 1}
    office = open_test_office(database, web_keys, clock, lab__enabled=False, **mail)
    seed(office, 7)
    with over_http(create_app(office)) as app:
        site = Site(app, office, {})
        assert ask(site, "/gebruikersnaam-vergeten", email="sam@schoonmaak.test").name == "recovery-sent"
        assert reset(site, Letters(office)).name == "password-changed"
    assert server.connections == 0
    clock.move(GATHERED_FOR)
    assert postman_of(office).deliver_due() == {"delayed": 1}
    assert server.connections == 1
    server.close()
    office.engine.dispose()
    office.directory._engine.dispose()


def test_f37_the_modern_policy_asks_more_where_the_password_stands_alone(
    sqlite_database: str, web_keys: Path, clock: StandingClock
) -> None:
    """One setting away: 8 characters beside a responder, 15 without, and the page says which (RUL-6)."""
    office = open_test_office(sqlite_database, web_keys, clock, lab__enabled=False, login__passwords="modern")
    seed(office, 7)
    site = Site(create_app(office), office, {})
    letters = Letters(office)
    shortest = {}
    for username in ("anna", "uma"):
        ask(site, "/wachtwoord-vergeten", username=username)
        shortest[username] = open_link(site, letters.link()).control("step-form").text
    assert "Ten minste 8 tekens" in shortest["anna"]
    assert "Ten minste 15 tekens" in shortest["uma"]
    office.engine.dispose()
    office.directory._engine.dispose()
