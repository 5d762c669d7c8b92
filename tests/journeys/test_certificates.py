"""Logging in at EH4 with a personal certificate, over real TLS: the good one, and every way to be wrong (F17, D15)."""

import json
import os
import signal
import socket
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from idp.lab.authority import CLIENTS
from tests.fixtures.sandbox import Demo
from tests.journeys.test_cells import personas, told, world
from tests.journeys.walker import Walker
from tests.journeys.wallet import carry, trust
from tests.services.certificate_kit import make, person

__all__ = ["personas", "world"]
_WRONG = [(one.name, one.fault) for one in CLIENTS if one.fault]


def at_certificate(world: Demo, persona: dict[str, Any], protocol: str = "saml") -> Walker:
    """A browser that trusts the laboratory's root, at the page that asks for a certificate."""
    walker = Walker(world.base_url)
    trust(walker, world)
    walker.visit("/lab/portal/EH4-DEMO").follow(f"start-{protocol}").through()
    walker.submit(username=persona["username"], password=persona["password"])
    assert walker.page.name == "login-certificate", walker.page.error
    return walker


def refusals(world: Demo) -> list[str]:
    """Why certificates were refused, as the audit chain tells it, oldest first."""
    with closing(sqlite3.connect(world.folder / "idp.db")) as database:
        query = "SELECT facts FROM audit_event WHERE event = 'certificate.refused' ORDER BY sequence"
        return [json.loads(facts)["why"] for (facts,) in database.execute(query)]


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
def test_a_personal_certificate_opens_eh4(
    world: Demo, personas: dict[str, dict[str, Any]], protocol: str, tmp_path: Path
) -> None:
    """rosa shows her certificate in place of a code and the portal gets EH4, verified (LOA-9, RUL-11)."""
    walker = at_certificate(world, personas["rosa"], protocol)
    carry(walker, world, "rosa", tmp_path)
    walker.submit().through()
    assert told(walker) == "granted"
    assert walker.page.failed_checks == []
    assert "loa4" in str(walker.page.values)


@pytest.mark.parametrize(("name", "fault"), _WRONG)
def test_every_wrong_certificate_is_refused_with_its_reason(
    world: Demo, personas: dict[str, dict[str, Any]], name: str, fault: str, tmp_path: Path
) -> None:
    """Expired, revoked, of another root or purpose, or of another person: D15 with the reason, and no entry."""
    walker = at_certificate(world, personas["rosa"])
    carry(walker, world, name, tmp_path)
    walker.submit()
    assert (walker.page.name, walker.page.problem, walker.page.status) == ("login-certificate", "D15", 422)
    assert refusals(world)[-1] == fault
    # Nothing is lost: the right certificate still opens the same login.
    carry(walker, world, "rosa", tmp_path)
    walker.session.close()
    walker.submit().through()
    assert told(walker) == "granted"


def test_whoever_shows_no_certificate_is_told_what_to_do(world: Demo, personas: dict[str, dict[str, Any]]) -> None:
    """Without a certificate the page says so and offers another try, and cancelling still leads back."""
    walker = at_certificate(world, personas["rosa"]).submit()
    assert (walker.page.problem, walker.page.status) == ("D15", 422)
    assert "geen certificaat" in walker.page.text("problem")
    walker.submit("cancel-form").through()
    assert walker.page.outcome == "cancelled"


def test_a_header_of_a_stranger_is_no_certificate(world: Demo, personas: dict[str, dict[str, Any]]) -> None:
    """Certificates in headers are believed from a configured proxy alone; here they are as good as none (SEC-33)."""
    walker = at_certificate(world, personas["rosa"])
    pem = quote((world.folder / "authority" / "rosa.crt.pem").read_text())
    names = ("X-Client-Certificate", "SSL-CLIENT-CERT", "X-SSL-Client-Cert", "idp.certificates")
    walker.session.headers.update(dict.fromkeys(names, pem))
    walker.submit()
    assert walker.page.problem == "D15"
    assert refusals(world)[-1] == "missing"


def test_the_way_to_the_listener_counts_once_and_in_its_own_browser(
    world: Demo, personas: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """A ticket to the listener is good for one showing, and what it brings back for the browser of its login alone."""
    walker = at_certificate(world, personas["rosa"])
    carry(walker, world, "rosa", tmp_path)
    form = walker.page.find("step-form")
    assert form is not None
    fields = {str(one["name"]): str(one["value"]) for one in form.select("input")}
    errand = walker.session.post(walker.page.url, data=fields, allow_redirects=False, timeout=60).headers["Location"]
    shown = walker.session.get(errand, allow_redirects=False, timeout=60)
    assert shown.status_code == 303
    assert walker.session.get(errand, allow_redirects=False, timeout=60).status_code == 410
    stranger = requests.get(shown.headers["Location"], timeout=60)
    assert stranger.status_code in (400, 410)
    walker.visit(shown.headers["Location"]).through()
    assert told(walker) == "granted"


def test_only_certificates_are_served_at_the_listener(world: Demo) -> None:
    """The login pages and the laboratory are not to be reached at the address that asks for certificates."""
    root = str(world.folder / "authority" / "root.crt.pem")
    for path in ("/", "/lab", "/login/x", "/diensten"):
        answer = requests.get(world.facts["certificate_url"] + path, verify=root, timeout=60)
        assert answer.status_code == 404, path


def test_the_listener_takes_bounded_requests(world: Demo) -> None:
    """A head or a body beyond the limits is turned away before the application sees it (SEC-3)."""
    address, root = world.facts["certificate_url"], str(world.folder / "authority" / "root.crt.pem")
    long = requests.get(f"{address}/certificaat/x", headers={"X-Long": "a" * 70_000}, verify=root, timeout=60)
    assert long.status_code == 413
    large = requests.post(f"{address}/saml/artifact", data=b"a" * (1024 * 1024 + 1), verify=root, timeout=60)
    assert large.status_code == 413


@pytest.mark.parametrize(("filling", "fault"), [(0, "untrusted"), (70_000, "unreadable")], ids=["small", "large"])
def test_a_certificate_that_is_sent_along_is_not_shown(
    world: Demo, personas: dict[str, dict[str, Any]], filling: int, fault: str, tmp_path: Path
) -> None:
    """Who holds another key and sends rosa's certificate behind the own one is not rosa, however large the own one."""
    walker = at_certificate(world, personas["rosa"])
    stranger, folder = make(person(filling=filling)), world.folder / "authority"
    sent = [(folder / f"{name}.crt.pem").read_bytes() for name in ("rosa", "issuing")]
    (tmp_path / "sent.pem").write_bytes(stranger.certificate.public_bytes(Encoding.PEM) + b"".join(sent))
    own = stranger.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "own.pem").write_bytes(own)
    walker.session.cert = (str(tmp_path / "sent.pem"), str(tmp_path / "own.pem"))
    walker.submit()
    assert (walker.page.problem, refusals(world)[-1]) == ("D15", fault)


def test_idle_and_broken_visitors_keep_nobody_out(world: Demo) -> None:
    """Connections that say nothing, half a greeting or nonsense take no place from others (SEC-3)."""
    address, root = urlsplit(world.facts["certificate_url"]), str(world.folder / "authority" / "root.crt.pem")
    with ExitStack() as held:
        for octets in (*[b""] * 60, *[b"\x16\x03\x01\x02"] * 10, *[b"GET / HTTP/1.1\r\n\r\n", bytes(300)] * 20):
            visitor = held.enter_context(socket.create_connection((address.hostname, address.port), timeout=60))
            visitor.sendall(octets)
        for _ in range(3):
            answer = requests.get(f"{address.geturl()}/certificaat/x", verify=root, timeout=25)
            assert answer.status_code == 410
    assert requests.get(f"{address.geturl()}/certificaat/x", verify=root, timeout=25).status_code == 410


def certificates_are(demo: Demo, state: str) -> bool:
    """Whether the health of a sandbox tells this of its listener before a minute is over."""
    for _ in range(300):
        if requests.get(demo.url("/readyz"), timeout=60).json()["certificates"] == state:
            return True
        time.sleep(0.2)
    return False


def listener_of(demo: Demo) -> int:
    """The process that holds the lock on the listener's key, as the kernel tells it."""
    inode = (demo.folder / "authority" / "listener.key.pem").stat().st_ino
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    (found,) = {int(one[4]) for one in locks if one[1] == "FLOCK" and one[5].endswith(f":{inode}")}
    return found


def test_a_listener_that_dies_is_started_again(
    world: Demo, personas: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """Killed while somebody chooses a certificate, it comes back by itself, and that very login goes on."""
    walker = at_certificate(world, personas["rosa"])
    carry(walker, world, "rosa", tmp_path)
    assert certificates_are(world, "ready")
    killed = listener_of(world)
    os.kill(killed, signal.SIGKILL)
    walker.submit().through()
    assert told(walker) == "granted"
    assert listener_of(world) != killed
