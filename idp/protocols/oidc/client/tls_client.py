"""Clients that prove themselves by the certificate of their connection (RFC 8705 section 2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from joserfc.jwk import Key

_LONGEST: Final = 512


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate of a client must name: one member of its registration, and its value."""

    member: str
    value: str


def _dn(certificate: x509.Certificate, value: str) -> bool:
    return certificate.subject == x509.Name.from_rfc4514_string(value)


def _alternative(kind: type[Any], of: Callable[[str], Any]) -> Callable[[x509.Certificate, str], bool]:
    """Whether a name of one kind stands among the alternative names."""

    def fits(certificate: x509.Certificate, value: str) -> bool:
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return False
        return of(value) in names.get_values_for_type(kind)

    return fits


# RFC 8705 section 2.1.2; a client registers one of them.
SUBJECT_MEMBERS: Final[Mapping[str, Callable[[x509.Certificate, str], bool]]] = {
    "tls_client_auth_subject_dn": _dn,
    "tls_client_auth_san_dns": _alternative(x509.DNSName, str),
    "tls_client_auth_san_uri": _alternative(x509.UniformResourceIdentifier, str),
    "tls_client_auth_san_ip": _alternative(x509.IPAddress, ip_address),
    "tls_client_auth_san_email": _alternative(x509.RFC822Name, str),
}


def read_subject(given: Mapping[str, Any]) -> Subject:
    """The subject in metadata whose types were checked; raises ``ValueError`` with one sentence."""
    named = [name for name in SUBJECT_MEMBERS if given.get(name)]
    if len(named) != 1:
        raise ValueError(f"tls_client_auth needs exactly one of {', '.join(SUBJECT_MEMBERS)}.")
    value: str = given[named[0]]
    try:
        if len(value) > _LONGEST or (named[0].endswith("_dn") and not list(x509.Name.from_rfc4514_string(value))):
            raise ValueError
        if named[0].endswith("_ip"):
            ip_address(value)
    except ValueError:
        raise ValueError(f"The value of {named[0]} is not one that a certificate can have.") from None
    return Subject(named[0], value)


def complaint_of_subject(der: bytes, subject: Subject, authorities: bytes, now: datetime) -> str:
    """What is wrong with a certificate by an authority of ours, or an empty text (RFC 8705 section 2.1)."""
    certificate = _read(der)
    if certificate is None or not SUBJECT_MEMBERS[subject.member](certificate, subject.value):
        return "The certificate of the connection is not the registered one."
    trusted = _vouched_for(certificate, authorities, now)
    return "" if trusted else "The certificate is by no authority that we trust, or is over."


def complaint_of_key(der: bytes, keys: Sequence[Key], now: datetime) -> str:
    """What is wrong with a certificate whose key must be a registered one, or an empty text (section 2.2)."""
    certificate = _read(der)
    if certificate is None or _spki(certificate) not in {_spki_of(key) for key in keys}:
        return "The certificate of the connection has none of the registered keys."
    in_time = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    return "" if in_time else "The certificate of the connection is over, or not valid yet."


def _vouched_for(certificate: x509.Certificate, authorities: bytes, now: datetime) -> bool:
    """Whether an authority in a bundle (PEM; roots, and what stands between) leads to a certificate."""
    try:
        known = x509.load_pem_x509_certificates(authorities)
        roots = [one for one in known if one.subject == one.issuer]
        between = [one for one in known if one.subject != one.issuer]
        verifier = PolicyBuilder().store(Store(roots)).time(now).build_client_verifier()
        verifier.verify(certificate, between)
    except (ValueError, VerificationError):
        return False
    return True


def _read(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _spki_of(key: Key) -> bytes:
    public: bytes = key.as_der(private=False)  # type: ignore[union-attr]  # RSA and EC alone are registered
    return public
