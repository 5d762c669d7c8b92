"""Mails leave once, whatever the mail server does, and nothing waits for them (SEC-37, SEC-39)."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import select, update

from idp.cli.jobs import schedule_of
from idp.domain.audit import Event
from idp.effects.postman import postman_of
from idp.lab.inbox import messages
from idp.ports import MailRefused
from idp.services.mail.parcels import SEAL, Envelope, post
from idp.services.sweep import sweep
from idp.services.work import Office
from idp.settings import BadSettings, load
from idp.store.ledger import AuditEvent
from idp.store.parcels import Parcel
from tests.office import StandingClock, writer
from tests.services.conftest import OpenOffice
from tests.services.smtp_server import Manners, SmtpServer

CHANGED = {"username": "sam", "at": "2026-01-15T10:00:00+00:00"}
Serve = Callable[..., SmtpServer]
Connect = Callable[..., Office]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start mail servers: ``serve(rcpt=..., data=..., ...)``."""
    started: list[SmtpServer] = []

    def start(**manners: Any) -> SmtpServer:
        started.append(SmtpServer(Manners(**manners)))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def clock() -> StandingClock:
    """The clock of the office."""
    return StandingClock()


@pytest.fixture
def connect(open_office: OpenOffice, database: str, clock: StandingClock) -> Connect:
    """An office whose mails go to a server on this machine, on either database."""

    def connected(server: SmtpServer | None, **settings: Any) -> Office:
        mail = {"mail__host": "127.0.0.1", "mail__port": server.port} if server else {}
        chosen = {"mail__security": "none", "mail__timeout_seconds": 1, "lab__enabled": False} | mail | settings
        return open_office(database, clock, **chosen)

    return connected


def queue(office: Office, recipient: str = "sam@schoonmaak.test", locale: str = "nl", **facts: str) -> None:
    """Put a mail into the outbox."""
    with office.work("test") as work:
        post(work, Envelope("mail", recipient, "password-changed", locale), CHANGED | facts)


def deliver(office: Office) -> dict[str, int]:
    """One round of the worker."""
    return postman_of(office).deliver_due()


def outbox(office: Office) -> list[tuple[str, int, dict[str, str]]]:
    """Status, attempts and facts of every parcel."""
    with office.reading() as connection:
        rows = connection.execute(select(Parcel).order_by(Parcel.id)).all()
    return [(row.status, row.attempts, json.loads(office.vault.unseal(row.payload, SEAL))) for row in rows]


def events(office: Office, event: Event) -> list[dict[str, str]]:
    """The facts of recorded events."""
    with office.reading() as connection:
        rows = connection.execute(select(AuditEvent.facts).where(AuditEvent.event == event.value)).scalars().all()
    return [json.loads(one) for one in rows]


def test_a_mail_arrives_in_plain_text_and_html(serve: Serve, connect: Connect) -> None:
    """Both parts say the same in the reader's language, under headers that tell what it is; nothing is kept."""
    server = serve()
    office = connect(server)
    queue(office, locale="en", username="sam <b>&")
    assert deliver(office) == {"sent": 1}
    (mail,) = server.mails
    assert (mail["From"], mail["To"]) == ("Sleutelhuis <klantenservice@sleutelhuis.test>", "sam@schoonmaak.test")
    assert mail["Subject"] == "Your password has been changed"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = (part.get_content() for part in mail.iter_parts())
    assert "the username sam <b>& was changed on 15 January 2026 at 11:00" in text
    assert "the username sam &lt;b&gt;&amp; was changed on 15 January 2026 at 11:00" in html
    assert outbox(office) == [("sent", 1, {})]
    assert deliver(office) == {}
    assert len(server.mails) == 1


def test_a_line_break_in_a_fact_is_no_new_paragraph(connect: Connect) -> None:
    """Control characters of a fact reach neither the subject nor the lines of a mail (SEC-7)."""
    office = connect(None)
    subject, text, _html = writer(office.settings).write(
        "password-changed", "nl", CHANGED | {"username": "sam\r\x0b\x00\n\nx"}
    )
    assert subject == "Uw wachtwoord is gewijzigd"
    assert "gebruikersnaam sam     x is" in text


@pytest.mark.parametrize("recipient", ["a@b.test\r\nBcc: c@d.test", "a b@c.test", "sam"])
def test_a_misshapen_address_is_given_up(serve: Serve, connect: Connect, recipient: str) -> None:
    """What no mail can be sent to never reaches a server (SEC-7)."""
    server = serve()
    office = connect(server)
    queue(office, recipient)
    assert deliver(office) == {"failed": 1}
    assert server.mails == []
    assert events(office, Event.MAIL_FAILED)[0]["why"] == "address"


def test_a_server_that_is_away_loses_nothing(serve: Serve, connect: Connect, clock: StandingClock) -> None:
    """Attempts come after half a minute and then ever later; the mail arrives once the server is back."""
    server = serve(rcpt="451 later")
    office = connect(server)
    queue(office)
    for wait in (30, 60, 120, 240):
        assert deliver(office) == {"delayed": 1}
        clock.move(timedelta(seconds=wait - 1))
        assert deliver(office) == {}
        clock.move(timedelta(seconds=1))
    server.manners.rcpt = "250 ok"
    assert deliver(office) == {"sent": 1}
    assert len(server.mails) == 1


def test_what_a_server_refuses_for_good_is_given_up(serve: Serve, connect: Connect) -> None:
    """A mailbox that does not exist is not tried again, nothing of the mail is kept, and it is on record."""
    office = connect(serve(rcpt="550 no such mailbox"))
    queue(office)
    assert deliver(office) == {"failed": 1}
    assert outbox(office) == [("failed", 1, {})]
    assert events(office, Event.MAIL_FAILED)[0]["why"] == "recipient-550"


def test_a_mail_that_is_never_taken_is_given_up_after_two_days(connect: Connect, clock: StandingClock) -> None:
    """Without a server a mail is tried for 48 hours and then emptied."""
    office = connect(None, mail__host="127.0.0.1", mail__port=9)
    queue(office)
    assert deliver(office) == {"delayed": 1}
    clock.move(timedelta(hours=49))
    assert deliver(office) == {"failed": 1}
    assert outbox(office) == [("failed", 2, {})]


def test_a_server_that_dies_after_the_message_gets_it_again_under_the_same_name(
    serve: Serve, connect: Connect, clock: StandingClock
) -> None:
    """Nobody can know whether it took the mail, so it comes again, and its Message-ID tells that it is the same."""
    server = serve(die_after_data=True)
    office = connect(server)
    queue(office)
    assert deliver(office) == {"delayed": 1}
    assert len(server.seen) == 1
    server.manners.die_after_data = False
    clock.move(timedelta(seconds=31))
    assert deliver(office) == {"sent": 1}
    assert server.mails[0]["Message-ID"] == server.seen[0]["Message-ID"]
    assert server.mails[0].as_string() == server.seen[0].as_string()


def test_a_server_that_hangs_is_left_in_time(serve: Serve, connect: Connect) -> None:
    """A server that never says a word costs one wait and one connection, however many mails are due."""
    server = serve(silent=True)
    office = connect(server)
    queue(office)
    queue(office, "anna@zonneschijn.test")
    assert deliver(office) == {"delayed": 1}
    assert server.connections == 1
    assert [status for status, _, _ in outbox(office)] == ["queued", "queued"]


def test_a_mail_that_cannot_be_opened_is_given_up(serve: Serve, connect: Connect) -> None:
    """A parcel sealed with another key fails, on record, and the next one leaves."""
    server = serve()
    office = connect(server)
    queue(office, "anna@zonneschijn.test")
    with office.work("test") as work:
        work.connection.execute(update(Parcel).values(payload=b"sealed by another"))
    queue(office)
    assert deliver(office) == {"failed": 1, "sent": 1}
    assert events(office, Event.MAIL_FAILED)[0]["why"] == "unreadable"


def test_whom_something_was_sent_to_is_forgotten_after_a_month(
    serve: Serve, connect: Connect, clock: StandingClock
) -> None:
    """What was written off goes after thirty days; what still waits stays."""
    server = serve()
    office = connect(server)
    queue(office)
    assert deliver(office) == {"sent": 1}
    queue(office, "anna@zonneschijn.test")
    clock.move(timedelta(days=29))
    assert sweep(office).parcels == 0
    clock.move(timedelta(days=2))
    assert sweep(office).parcels == 1
    assert [status for status, _, _ in outbox(office)] == ["queued"]


def test_the_worker_sends_mail(serve: Serve, connect: Connect) -> None:
    """The schedule of ``idp worker`` has a job for the outbox, and its first round sends what is due."""
    server = serve()
    office = connect(server)
    queue(office)
    assert schedule_of(office).run_due()["mail"] == {"sent": 1}
    assert len(server.mails) == 1


def test_several_workers_send_a_mail_once(serve: Serve, connect: Connect) -> None:
    """Eight workers on one outbox of twelve mails send twelve mails."""
    server = serve()
    office = connect(server)
    for number in range(12):
        queue(office, f"nr{number}@schoonmaak.test")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: deliver(office), range(8)))
    assert sorted(mail["To"] for mail in server.mails) == sorted(f"nr{number}@schoonmaak.test" for number in range(12))


def test_a_worker_that_died_holds_a_mail_five_minutes(
    serve: Serve, connect: Connect, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail whose worker died while it sent is left alone for its lease and then taken over."""
    server = serve()
    office = connect(server)
    queue(office)

    def die(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("idp.effects.smtp.SmtpPost.send", die)
        with pytest.raises(KeyboardInterrupt):
            deliver(office)
    clock.move(timedelta(minutes=4, seconds=59))
    assert deliver(office) == {}
    clock.move(timedelta(seconds=2))
    assert deliver(office) == {"sent": 1}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_and_an_account(serve: Serve, connect: Connect, certificate: Path, security: str) -> None:
    """Over TLS from the first byte or by STARTTLS, the server is known by its certificate and we by our password."""
    account = ("idp", "geheim")
    server = serve(**{security: True}, certificate=certificate, account=account)
    secure = {"mail__security": security, "mail__ca_file": str(certificate)}
    office = connect(server, **secure, mail__username="idp", mail__password="geheim")
    queue(office)
    assert deliver(office) == {"sent": 1}
    assert "AUTH" in server.heard


@pytest.mark.parametrize(
    ("manners", "settings"),
    [
        ({"tls": True}, {"mail__security": "tls"}),
        ({"starttls": True}, {"mail__security": "starttls"}),
        ({}, {"mail__security": "starttls"}),
        ({"account": ("idp", "geheim")}, {"mail__username": "idp", "mail__password": "verkeerd"}),
        ({"account": ("idp", "geheim")}, {}),
    ],
    ids=["strange-certificate", "strange-certificate-starttls", "no-starttls", "wrong-password", "no-account"],
)
def test_a_server_that_is_not_ours_or_does_not_know_us_gets_nothing(
    serve: Serve, connect: Connect, certificate: Path, manners: dict[str, Any], settings: dict[str, Any]
) -> None:
    """No mail goes to a stranger or in the clear; what is wrong with us keeps mails waiting, not lost."""
    server = serve(**manners, certificate=certificate)
    office = connect(server, **settings)
    queue(office)
    assert deliver(office) == {"delayed": 1}
    assert (server.mails, server.seen) == ([], [])
    assert outbox(office)[0][0] == "queued"


def test_a_mail_server_elsewhere_needs_tls() -> None:
    """Settings that would send mails in the clear over a network are refused, and the password is not printed."""
    with pytest.raises(BadSettings, match="starttls or tls"):
        load(None, {"mail.host": "mail.example.nl", "mail.security": "none"}, {})
    assert "geheim" not in repr(load(None, {"mail.password": "geheim"}, {}))


def test_the_letter_box_of_a_sandbox_shows_the_same_mail(serve: Serve, connect: Connect) -> None:
    """With a mail server or without one, the laboratory shows subject, text and links as they were sent."""
    server = serve()
    office = connect(server, lab__enabled=True)
    queue(office)
    assert messages(office) == []
    assert deliver(office) == {"sent": 1}
    (shown,) = messages(office)
    plain, _html = (part.get_content() for part in server.mails[0].iter_parts())
    assert (shown.subject, shown.text) == (server.mails[0]["Subject"], plain.replace("\r\n", "\n"))


def test_a_sandbox_without_a_mail_server_delivers_at_once(connect: Connect) -> None:
    """Without a worker, looking into the letter box finds what was just queued."""
    office = connect(None, lab__enabled=True)
    queue(office)
    assert [one.to for one in messages(office)] == ["sam@schoonmaak.test"]


def test_without_a_mail_server_mails_wait(connect: Connect) -> None:
    """Outside of the laboratory a worker without a mail server leaves the outbox as it is."""
    office = connect(None)
    queue(office)
    assert deliver(office) == {"waiting": 1}
    assert outbox(office) == [("queued", 0, CHANGED)]


def test_an_unknown_text_is_no_reason_to_stop(serve: Serve, connect: Connect) -> None:
    """A parcel whose template or facts are missing is given up, and the next one leaves."""
    server = serve()
    office = connect(server)
    with office.work("test") as work:
        post(work, Envelope("mail", "sam@schoonmaak.test", "no-such-text", "nl"), {})
        post(work, Envelope("mail", "sam@schoonmaak.test", "email-confirm", "nl"), {})
    queue(office)
    assert deliver(office) == {"failed": 2, "sent": 1}
    with pytest.raises(MailRefused):
        writer(office.settings).write("no-such-text", "nl", {})


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "mail.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file
