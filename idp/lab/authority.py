"""The laboratory's certificate authority: rosa's certificate, several that are wrong, and what it says of them.

Certificates name the place where they may be asked about, so another base URL gets them anew, with the same keys and
numbers: who was trusted or bound stays so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

FOLDER = "authority"
ROOT, ISSUING, SERVER = "root", "issuing", "listener"
OTHER_ROOT, OTHER_ISSUING = "other-root", "other-issuing"
BUNDLE_PASSWORD = "sleutelhuis"  # known to everyone: it opens certificates of invented people
# The policy of personal certificates that prove who someone is, in PKIoverheid's numbering.
PERSONAL = x509.ObjectIdentifier("2.16.528.1.1003.1.2.5.1")
_ORGANISATION = "Stichting Proefcertificaten"
_YEAR = timedelta(days=365)
_ANSWER_LASTS = timedelta(hours=1)
_SHA256 = hashes.SHA256()


@dataclass(frozen=True, slots=True)
class Client:
    """A certificate to try: whose account it stands for, and what is wrong with it (a CertificateFault, or nothing)."""

    name: str
    person: str
    number: str
    fault: str = ""


CLIENTS = (
    Client("rosa", "Rosa Zegers", "99900017"),
    Client("rosa-expired", "Rosa Zegers", "99900017", "expired"),
    Client("rosa-not-yet-valid", "Rosa Zegers", "99900017", "not-yet-valid"),
    Client("rosa-revoked", "Rosa Zegers", "99900017", "revoked"),
    Client("rosa-other-root", "Rosa Zegers", "99900017", "untrusted"),
    Client("rosa-purpose", "Rosa Zegers", "99900017", "purpose"),
    Client("rosa-unanswered", "Rosa Zegers", "99900017", "revocation-unknown"),
    Client("anna", "Anna de Bakker", "99900001", "other-person"),
)


@dataclass(frozen=True, slots=True)
class _Issuer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Term:
    """From when to when, and where one may ask about it."""

    begins: datetime
    ends: datetime
    base_url: str


class Authority:
    """What was made in a folder; raises ``FileNotFoundError`` where nothing was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._issuers = {name: _read(folder, name) for name in (ROOT, ISSUING)}

    def bundle(self, name: str) -> bytes:
        """A certificate with its key and chain as PKCS #12, for a browser; raises ``KeyError`` for a strange name."""
        if all(one.name != name for one in CLIENTS):
            raise KeyError(name)
        client = _read(self._folder, name)
        chain = [self._issuers[ISSUING].certificate]
        if name == "rosa-other-root":
            chain = [_read(self._folder, OTHER_ISSUING).certificate]
        lock = BestAvailableEncryption(BUNDLE_PASSWORD.encode())
        return pkcs12.serialize_key_and_certificates(name.encode(), client.key, client.certificate, chain, lock)

    @property
    def root(self) -> bytes:
        """The certificate at the top, DER."""
        return self._issuers[ROOT].certificate.public_bytes(Encoding.DER)

    def revoked(self, name: str, now: datetime) -> bytes:
        """The revocation list of an authority of ours, DER; raises ``KeyError`` for a strange name."""
        issuer = self._issuers[name]
        builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
        builder = builder.last_update(now).next_update(now + _ANSWER_LASTS)
        if name == ISSUING:
            withdrawn = _read(self._folder, "rosa-revoked").certificate
            entry = x509.RevokedCertificateBuilder().serial_number(withdrawn.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now - _YEAR).build())
        return builder.sign(issuer.key, _SHA256).public_bytes(Encoding.DER)

    def answer(self, question: bytes, now: datetime) -> bytes:
        """The answer to an OCSP request, DER; a question that cannot be read, or about a stranger, gets none."""
        try:
            asked = ocsp.load_der_ocsp_request(question)
        except ValueError:
            unread = ocsp.OCSPResponseStatus.MALFORMED_REQUEST
            return ocsp.OCSPResponseBuilder.build_unsuccessful(unread).public_bytes(Encoding.DER)
        issuer = self._issuers[ISSUING]
        names = [one.name for one in CLIENTS if one.fault != "untrusted"]
        known = {one.serial_number: one for one in (_read(self._folder, name).certificate for name in names)}
        found = known.get(asked.serial_number)
        if found is None:
            stranger = ocsp.OCSPResponseStatus.UNAUTHORIZED
            return ocsp.OCSPResponseBuilder.build_unsuccessful(stranger).public_bytes(Encoding.DER)
        withdrawn = _read(self._folder, "rosa-revoked").certificate == found
        builder = ocsp.OCSPResponseBuilder().add_response(
            found,
            issuer.certificate,
            asked.hash_algorithm,
            ocsp.OCSPCertStatus.REVOKED if withdrawn else ocsp.OCSPCertStatus.GOOD,
            now,
            now + _ANSWER_LASTS,
            now - _YEAR if withdrawn else None,
            None,
        )
        signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate).sign(issuer.key, _SHA256)
        return signed.public_bytes(Encoding.DER)


def make(folder: Path, base_url: str, now: datetime) -> None:
    """Make every authority and certificate that a folder lacks; for another base URL with the keys that are there."""
    stamp, stamped = folder / "base_url", "\n".join([base_url, *(one.name for one in CLIENTS)])
    if stamp.exists() and stamp.read_text() == stamped:
        return
    folder.mkdir(parents=True, exist_ok=True)
    # A laboratory's clock may be moved by years.
    long = _Term(now - 10 * _YEAR, now + 20 * _YEAR, base_url)
    for root, issuing in ((ROOT, ISSUING), (OTHER_ROOT, OTHER_ISSUING)):
        top = _authority(folder, root, None, long)
        _authority(folder, issuing, top, long)
    ours, foreign = _read(folder, ISSUING), _read(folder, OTHER_ISSUING)
    _listener(folder, ours, long)
    for client in CLIENTS:
        _client(folder, client, foreign if client.fault == "untrusted" else ours, _term(client, long, now))
    stamp.write_text(stamped)


def certificate_of(folder: Path, name: str) -> x509.Certificate:
    """A certificate that was made; raises ``FileNotFoundError``."""
    return x509.load_pem_x509_certificate((folder / f"{name}.crt.pem").read_bytes())


def _term(client: Client, long: _Term, now: datetime) -> _Term:
    """When a certificate counts and where it may be asked about, wrong where it has to be."""
    wrong = {
        "expired": replace(long, begins=now - 3 * _YEAR, ends=now - timedelta(days=1)),
        "not-yet-valid": replace(long, begins=now + 10 * _YEAR),
        # Nobody listens there.
        "revocation-unknown": replace(long, base_url="http://localhost:1"),
    }
    return wrong.get(client.fault, long)


def _authority(folder: Path, name: str, above: _Issuer | None, term: _Term) -> _Issuer:
    subject = _name(f"Proef {name}")

    def dress(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        depth = 1 if above is None else 0
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(x509.BasicConstraints(True, depth), critical=True)
        builder = builder.add_extension(usage, critical=True)
        return builder if above is None else _asked_at(builder, f"{term.base_url}/lab/authority/{ROOT}.crl")

    return _issue(folder, name, (subject, above), term, dress)


def _listener(folder: Path, issuer: _Issuer, term: _Term) -> None:
    names = [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(one)) for one in ("127.0.0.1", "::1"))]

    def dress(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        return builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)

    _issue(folder, SERVER, (_name("localhost"), issuer), term, dress)
    chain = folder / f"{SERVER}.chain.pem"
    pem = [certificate_of(folder, name).public_bytes(Encoding.PEM) for name in (SERVER, ISSUING)]
    chain.write_bytes(b"".join(pem))


def _client(folder: Path, client: Client, issuer: _Issuer, term: _Term) -> None:
    purpose = ExtendedKeyUsageOID.EMAIL_PROTECTION if client.fault == "purpose" else ExtendedKeyUsageOID.CLIENT_AUTH

    def dress(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        policy = x509.CertificatePolicies([x509.PolicyInformation(PERSONAL, None)])
        builder = builder.add_extension(policy, critical=False)
        where = x509.UniformResourceIdentifier(f"{term.base_url}/lab/authority/ocsp")
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        return _asked_at(builder, f"{term.base_url}/lab/authority/{ISSUING}.crl")

    _issue(folder, client.name, (_name(client.person, client.number), issuer), term, dress)


def _asked_at(builder: x509.CertificateBuilder, url: str) -> x509.CertificateBuilder:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)


def _issue(
    folder: Path,
    file: str,
    named: tuple[x509.Name, _Issuer | None],
    term: _Term,
    dress: Callable[[x509.CertificateBuilder], x509.CertificateBuilder],
) -> _Issuer:
    subject, above = named
    known = _read(folder, file) if (folder / f"{file}.crt.pem").exists() else None
    key = known.key if known else ec.generate_private_key(ec.SECP256R1())
    signing_key = key if above is None else above.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if above is None else above.certificate.subject)
        .public_key(key.public_key())
        .serial_number(known.certificate.serial_number if known else x509.random_serial_number())
        .not_valid_before(term.begins)
        .not_valid_after(term.ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
    certificate = dress(builder.add_extension(identifier, critical=False)).sign(signing_key, _SHA256)
    key_file = folder / f"{file}.key.pem"
    key_file.touch(mode=0o600)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / f"{file}.crt.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return _Issuer(certificate, key)


def _read(folder: Path, name: str) -> _Issuer:
    key = load_pem_private_key((folder / f"{name}.key.pem").read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{name}.key.pem is not of a curve")
    return _Issuer(certificate_of(folder, name), key)


def _name(person: str, number: str = "") -> x509.Name:
    parts = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
        x509.NameAttribute(NameOID.COMMON_NAME, person),
    ]
    return x509.Name([*parts, *([x509.NameAttribute(NameOID.SERIAL_NUMBER, number)] if number else [])])
