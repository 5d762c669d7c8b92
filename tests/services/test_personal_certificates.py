"""The judge of personal certificates: paths as OpenSSL judges them, purpose, and what is believed about revocation."""

import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from idp.domain.certificates import CertificateFault, CertificateIdentity
from idp.effects.certificates import PersonalCertificates, readable
from idp.effects.fetch import Request
from idp.effects.revocation import Revocation
from idp.lab import authority
from idp.ports import Fetched, FetchFailed
from tests.services.certificate_kit import (
    CLIENT,
    LIST_URL,
    NOW,
    OCSP_URL,
    POLICY,
    SERVER,
    SIGN_STATUS,
    Made,
    Shape,
    Street,
    make,
    person,
    revocation_list,
    scope,
    status,
)

GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN
_LATER = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class House:
    """A root with an authority below it, somebody with a certificate, and the judge who trusts the root."""

    root: Made
    issuing: Made
    rosa: Made
    street: Street
    judge: PersonalCertificates

    def told(self, *chain: Made, later: timedelta = timedelta(0)) -> CertificateIdentity | CertificateFault:
        """What the judge makes of a chain."""
        return self.judge.judge([one.der for one in chain], NOW + later)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Everything right: the responder says that rosa's certificate is good."""
    root = make(Shape("Root", authority=2))
    issuing = make(Shape("Issuing", authority=0), root)
    rosa = make(person(), issuing)
    (tmp_path / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    street = Street({OCSP_URL: status(rosa, issuing, GOOD)})
    return House(
        root, issuing, rosa, street, PersonalCertificates(tmp_path / "root.pem", None, [POLICY], Revocation(street))
    )


def test_a_good_certificate_names_its_holder(house: House) -> None:
    """The identity is issuer, serial number, and the serialNumber of the subject (domain 8.12)."""
    told = house.told(house.rosa, house.issuing)
    assert isinstance(told, CertificateIdentity)
    assert (told.issuer, told.subject_serial) == ("CN=Issuing", "99900017")
    assert told.serial == f"{house.rosa.certificate.serial_number:x}"


def test_only_the_first_certificate_is_anybodys(house: House) -> None:
    """The connection proves the first key alone: a stranger who sends rosa's certificate along is not rosa."""
    stranger = make(person())
    assert house.told(stranger, house.rosa, house.issuing) is CertificateFault.UNTRUSTED


def test_a_certificate_too_large_is_not_passed_over(house: House) -> None:
    """However large the stranger's own certificate is, the next one does not take its place."""
    large = make(person(filling=70_000))
    assert house.told(large, house.rosa, house.issuing) is CertificateFault.UNREADABLE


@pytest.mark.parametrize("octets", [b"", b"nonsense", b"\x30\x82\xff\xff"])
def test_what_is_no_certificate_is_unreadable(house: House, octets: bytes) -> None:
    """Whatever stands in its place, there is an answer and no failure."""
    assert house.judge.judge([octets], NOW) is CertificateFault.UNREADABLE


VERSION = (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x3b")
TWICE = (b"\x55\x1d\x23", b"\x55\x1d\x0e")


@pytest.mark.parametrize("odd", [VERSION, TWICE], ids=["version", "an extension twice"])
def test_what_no_authority_would_write_is_unreadable(house: House, odd: tuple[bytes, bytes]) -> None:
    """A stranger writes what they like into a certificate of their own; it is told as one we cannot read (SEC-2)."""
    der = house.rosa.der.replace(*odd)
    assert der != house.rosa.der
    assert house.judge.judge([der, house.issuing.der], NOW) is CertificateFault.UNREADABLE
    assert not readable(der)
    assert readable(house.rosa.der)


def test_a_list_of_no_version_is_not_believed(house: House) -> None:
    """What cannot be read as a list says nothing, and so nobody gets in on it."""
    listed = revocation_list(house.issuing)
    house.street.answers = {LIST_URL: listed.replace(b"\x02\x01\x01", b"\x02\x01\x10", 1)}
    assert house.street.answers[LIST_URL] != listed
    assert house.told(house.rosa, house.issuing) is CertificateFault.REVOCATION_UNKNOWN


def test_nothing_shown_is_missing(house: House) -> None:
    """An empty chain has its own reason."""
    assert house.judge.judge([], NOW) is CertificateFault.MISSING


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"begins": NOW + timedelta(days=1)}, CertificateFault.NOT_YET_VALID),
        ({"ends": NOW - timedelta(days=1)}, CertificateFault.EXPIRED),
        ({"policies": ()}, CertificateFault.PURPOSE),
        ({"policies": ("2.16.528.1.1003.1.2.5.2",)}, CertificateFault.PURPOSE),
        ({"purposes": ()}, CertificateFault.PURPOSE),
        ({"purposes": (SERVER,)}, CertificateFault.PURPOSE),
        ({"signs": False}, CertificateFault.PURPOSE),
        ({"unknown_critical": True}, CertificateFault.UNTRUSTED),
        ({"asked_at": (), "listed_at": ()}, CertificateFault.REVOCATION_UNKNOWN),
    ],
)
def test_each_way_to_be_wrong_has_its_reason(house: House, change: dict[str, object], fault: CertificateFault) -> None:
    """Dates, policy, usages, an unknown demand, and no place to ask: each is told apart (D15)."""
    assert house.told(make(person(**change), house.issuing), house.issuing) is fault


def _paths(house: House) -> dict[str, tuple[Made, ...]]:
    """Chains from a person upwards, some right and some wrong."""
    late = make(Shape("Late", authority=0, ends=NOW - timedelta(days=1)), house.root)
    foreign_root = make(Shape("Root", authority=2))
    foreign = make(Shape("Issuing", authority=0), foreign_root)
    below = make(Shape("Below", authority=0), house.issuing)
    wide = make(Shape("Wide", authority=1), house.root)
    narrow = make(Shape("Narrow", authority=0), wide)
    demanding = make(Shape("Demanding", authority=0, unknown_critical=True), house.root)
    return {
        "right": (house.rosa, house.issuing),
        "two authorities": (make(person(), narrow), narrow, wide),
        "in another order": (make(person(), narrow), wide, narrow),
        "with its root": (house.rosa, house.issuing, house.root),
        "without its authority": (house.rosa,),
        "an authority that is over": (make(person(), late), late),
        "of a namesake": (make(person(), foreign), foreign, foreign_root),
        "a namesake's, our authority sent": (make(person(), foreign), house.issuing),
        "an authority too many": (make(person(), below), below, house.issuing),
        "below a person": (make(person(), house.rosa), house.rosa, house.issuing),
        "an authority with an unknown demand": (make(person(), demanding), demanding),
    }


def test_paths_are_judged_as_openssl_judges_them(house: House, tmp_path: Path) -> None:
    """Every chain that OpenSSL refuses we refuse, and every one that it accepts we accept."""
    differing = {}
    for name, (leaf, *further) in _paths(house).items():
        house.street.answers[OCSP_URL] = status(leaf, further[0] if further else house.issuing, GOOD)
        for rest in further:
            if rest.certificate.subject == leaf.certificate.issuer:
                house.street.answers[OCSP_URL] = status(leaf, rest, GOOD)
        ours = isinstance(house.told(leaf, *further), CertificateIdentity)
        theirs = _openssl(tmp_path, house.root, leaf, further)
        if ours is not theirs:
            differing[name] = (ours, theirs)
    assert differing == {}


def _openssl(folder: Path, root: Made, leaf: Made, further: list[Made]) -> bool:
    for file, made in (("anchor", [root]), ("leaf", [leaf]), ("further", further)):
        pem = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in made)
        (folder / f"{file}.pem").write_bytes(pem)
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp())), "-CAfile", "anchor.pem"]
    sent = ["-untrusted", "further.pem"] if further else []
    done = subprocess.run([*command, *sent, "leaf.pem"], cwd=folder, capture_output=True, check=False, timeout=60)
    return done.returncode == 0


def test_a_revoked_certificate_is_refused(house: House) -> None:
    """The responder's word ends it, also where a list knows nothing of it."""
    house.street.answers = {
        OCSP_URL: status(house.rosa, house.issuing, REVOKED),
        LIST_URL: revocation_list(house.issuing),
    }
    assert house.told(house.rosa, house.issuing) is CertificateFault.REVOKED


def test_the_list_answers_where_the_responder_is_silent(house: House) -> None:
    """Without a responder the whole list tells, for and against."""
    house.street.answers = {LIST_URL: revocation_list(house.issuing)}
    assert isinstance(house.told(house.rosa, house.issuing), CertificateIdentity)
    later = make(person(), house.issuing)
    house.street.answers = {LIST_URL: revocation_list(house.issuing, [later])}
    assert house.told(later, house.issuing) is CertificateFault.REVOKED


def test_nobody_gets_in_on_silence(house: House) -> None:
    """Where neither answers, the certificate is not believed."""
    house.street.answers = {}
    assert house.told(house.rosa, house.issuing) is CertificateFault.REVOCATION_UNKNOWN


@pytest.mark.parametrize(
    "case", ["stranger", "no responder", "of a server", "over", "old", "ahead", "another", "unknown", "nonsense"]
)
def test_answers_that_are_not_believed(house: House, case: str) -> None:
    """A responder's word counts when the authority or its own responder gave it, now, about this certificate."""
    rosa, issuing = house.rosa, house.issuing
    responder = Shape("Responder", purposes=(SIGN_STATUS,))
    answers = {
        "stranger": lambda: status(rosa, issuing, GOOD, make(Shape("Issuing", authority=0))),
        "no responder": lambda: status(rosa, issuing, GOOD, make(responder)),
        "of a server": lambda: status(rosa, issuing, GOOD, make(Shape("Web", purposes=(SERVER, CLIENT)), issuing)),
        "over": lambda: status(
            rosa, issuing, GOOD, make(Shape("Late", purposes=(SIGN_STATUS,), ends=NOW - timedelta(days=1)), issuing)
        ),
        "old": lambda: status(rosa, issuing, GOOD, age=timedelta(days=2)),
        "ahead": lambda: status(rosa, issuing, GOOD, age=-timedelta(hours=1)),
        "another": lambda: status(make(person(), issuing), issuing, GOOD),
        "unknown": lambda: status(rosa, issuing, UNKNOWN),
        "nonsense": lambda: b"nonsense",
    }
    house.street.answers = {OCSP_URL: answers[case]()}
    assert house.told(rosa, issuing) is CertificateFault.REVOCATION_UNKNOWN


def test_a_responder_that_the_authority_named_is_believed(house: House) -> None:
    """An authority may let another key answer for it."""
    responder = make(Shape("Responder", purposes=(SIGN_STATUS,)), house.issuing)
    house.street.answers = {OCSP_URL: status(house.rosa, house.issuing, GOOD, responder)}
    assert isinstance(house.told(house.rosa, house.issuing), CertificateIdentity)


@dataclass(frozen=True, slots=True)
class OldResponder:
    """Knows questions by SHA-1 alone, as RFC 5019 has it, and no other place answers."""

    answer: bytes

    def send(self, request: Request) -> Fetched:
        """The answer to a question in its words, else that it is not its."""
        if request.url != OCSP_URL or request.body is None:
            raise FetchFailed("nobody is there")
        if isinstance(ocsp.load_der_ocsp_request(request.body).hash_algorithm, SHA1):
            return Fetched(self.answer, "application/ocsp-response")
        unknown = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        return Fetched(unknown.public_bytes(Encoding.DER), "application/ocsp-response")


@pytest.mark.parametrize("told", [GOOD, REVOKED], ids=["good", "revoked"])
def test_a_responder_of_the_old_kind_is_understood(house: House, tmp_path: Path, told: ocsp.OCSPCertStatus) -> None:
    """Where a question by SHA-256 is not known, it is asked by SHA-1; the signature is held to SHA-256 as ever."""
    answer = status(house.rosa, house.issuing, told, named_by=SHA1())  # it names, and proves nothing
    judge = PersonalCertificates(tmp_path / "root.pem", None, [POLICY], Revocation(OldResponder(answer)))
    found = judge.judge([house.rosa.der, house.issuing.der], NOW)
    assert (found is CertificateFault.REVOKED) is (told is REVOKED)
    assert isinstance(found, CertificateIdentity) is (told is GOOD)


@pytest.mark.parametrize(
    ("narrowed", "believed"),
    [
        ((scope(only_contains_user_certs=True),), True),
        ((scope(full_name=[x509.UniformResourceIdentifier(LIST_URL)]),), True),
        ((scope(only_contains_ca_certs=True),), False),
        ((scope(only_contains_attribute_certs=True),), False),
        ((scope(indirect_crl=True),), False),
        ((scope(full_name=[x509.UniformResourceIdentifier("http://elsewhere.example.test/")]),), False),
        ((x509.DeltaCRLIndicator(1),), False),
    ],
    ids=["people", "this address", "authorities", "attributes", "of others", "another address", "changes"],
)
def test_a_partial_list_does_not_pass_for_the_whole(
    house: House, narrowed: tuple[x509.ExtensionType, ...], believed: bool
) -> None:
    """Whoever sends another list of the same authority hides no revocation by it (RFC 5280 section 6.3)."""
    house.street.answers = {LIST_URL: revocation_list(house.issuing, (), *narrowed)}
    assert isinstance(house.told(house.rosa, house.issuing), CertificateIdentity) is believed


@pytest.mark.parametrize("case", ["old", "stranger", "namesake"])
def test_lists_that_are_not_believed(house: House, case: str) -> None:
    """A list counts while it is current and when the authority itself signed it."""
    lists = {
        "old": lambda: revocation_list(house.issuing, age=timedelta(days=2)),
        "stranger": lambda: revocation_list(house.root),
        "namesake": lambda: revocation_list(make(Shape("Issuing", authority=0))),
    }
    house.street.answers = {LIST_URL: lists[case]()}
    assert house.told(house.rosa, house.issuing) is CertificateFault.REVOCATION_UNKNOWN


def test_answers_are_kept_for_a_while(house: House) -> None:
    """A second login asks nobody; after ten minutes it is asked anew, and a withdrawal is heard."""
    for _ in range(2):
        house.told(house.rosa, house.issuing)
    assert house.street.asked == [OCSP_URL]
    house.street.answers = {OCSP_URL: status(house.rosa, house.issuing, REVOKED)}
    assert house.told(house.rosa, house.issuing, later=timedelta(minutes=11)) is CertificateFault.REVOKED


def test_our_clock_decides(house: House) -> None:
    """The same certificate is over when the clock has moved past its last day (RUL-21)."""
    assert house.told(house.rosa, house.issuing, later=_LATER) is CertificateFault.EXPIRED


def test_the_laboratory_keeps_its_keys_at_another_address(tmp_path: Path) -> None:
    """A sandbox on another port gives the same certificates with another place to ask: who was bound stays bound."""
    made = []
    for address in ("http://localhost:8000", "http://localhost:9000"):
        authority.make(tmp_path, address, NOW)
        made.append({one.name: authority.certificate_of(tmp_path, one.name) for one in authority.CLIENTS})
    for before, after in zip(*(one.values() for one in made), strict=True):
        assert (before.serial_number, before.issuer, before.subject) == (
            after.serial_number,
            after.issuer,
            after.subject,
        )
        assert before.public_key() == after.public_key()
    assert b"localhost:9000" in made[1]["rosa"].public_bytes(Encoding.DER)
    assert b"localhost:8000" not in made[1]["rosa"].public_bytes(Encoding.DER)
