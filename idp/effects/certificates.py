"""Judging a personal certificate: path to a configured root, dates, purpose, revocation (F17, domain 8.12, SEC-42)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from idp.domain.certificates import CertificateFault, CertificateIdentity
from idp.effects.revocation import UNREADABLE, Revocation

# A root, two authorities below it, and the person.
_MOST_BETWEEN = 3
_MOST_OCTETS = 16 * 1024


class PersonalCertificates:
    """Judges chains against the roots of a file; ``policies`` are the object identifiers of personal certificates."""

    def __init__(self, roots: Path, between: Path | None, policies: Sequence[str], revocation: Revocation) -> None:
        self._roots = _read_all(roots)
        self._between = _read_all(between) if between is not None else []
        self._policies = frozenset(policies)
        self._revocation = revocation

    def judge(self, chain: Sequence[bytes], now: datetime) -> CertificateIdentity | CertificateFault:
        """Who the first certificate of a chain (DER) names, once nothing is wrong with it; the rest lead to a root.

        The connection has proven that its key is there; an empty chain is one that was not shown.
        """
        if not chain:
            return CertificateFault.MISSING
        # None may be passed over: the key that the connection has proven is the first one's.
        if any(len(one) > _MOST_OCTETS for one in chain):
            return CertificateFault.UNREADABLE
        try:
            leaf, *given = [x509.load_der_x509_certificate(one) for one in chain[: 1 + _MOST_BETWEEN]]
            identity = identity_of(leaf)
            leaf.extensions  # noqa: B018  # read here, so that what cannot be read is told as such
        except UNREADABLE:
            return CertificateFault.UNREADABLE
        moment = now.astimezone(UTC)
        if moment < leaf.not_valid_before_utc:
            return CertificateFault.NOT_YET_VALID
        if moment > leaf.not_valid_after_utc:
            return CertificateFault.EXPIRED
        path = self._path(leaf, given, moment)
        if path is None:
            return CertificateFault.UNTRUSTED
        if not self._is_personal(leaf):
            return CertificateFault.PURPOSE
        return self._revocation.fault(path, moment) or identity

    def _path(
        self, leaf: x509.Certificate, given: Sequence[x509.Certificate], now: datetime
    ) -> list[x509.Certificate] | None:
        """The certificates from the person up to a root of ours, or None."""
        verifier = (
            PolicyBuilder()
            .store(Store(self._roots))
            .time(now.replace(tzinfo=None))
            .max_chain_depth(_MOST_BETWEEN)
            # A personal certificate names no host; what it is for is judged apart, to be told apart.
            .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all())
            .build_client_verifier()
        )
        try:
            return list(verifier.verify(leaf, [*given, *self._between]).chain)
        except VerificationError:
            return None

    def _is_personal(self, leaf: x509.Certificate) -> bool:
        """Whether it was given to a person to log in with: its policy and both key usages say so."""
        try:
            policies = leaf.extensions.get_extension_for_class(x509.CertificatePolicies).value
            extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            return False
        named = {one.policy_identifier.dotted_string for one in policies}
        return (
            bool(named & self._policies)
            and ExtendedKeyUsageOID.CLIENT_AUTH in extended
            and usage.digital_signature
            and not usage.key_cert_sign
        )


def identity_of(certificate: x509.Certificate) -> CertificateIdentity:
    """Who and which a certificate is."""
    numbers = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    return CertificateIdentity(
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        subject_serial=str(numbers[0].value) if numbers else "",
        subject=certificate.subject.rfc4514_string(),
    )


def der_of_pem(text: str) -> bytes:
    """The first certificate of a PEM text as DER; raises ``ValueError``."""
    try:
        return x509.load_pem_x509_certificate(text.encode()).public_bytes(Encoding.DER)
    except UNREADABLE as error:
        raise ValueError(str(error)) from error


def readable(der: bytes) -> bool:
    """Whether a certificate can be read whole, so that nobody behind this stumbles over it (SEC-2)."""
    try:
        found = x509.load_der_x509_certificate(der)
        found.extensions  # noqa: B018  # it is read when asked for
        found.public_key()
    except UNREADABLE:
        return False
    return True


def _read_all(place: Path) -> list[x509.Certificate]:
    """Every certificate of a PEM file, or of the PEM files of a folder."""
    files: Iterable[Path] = sorted(place.glob("*.pem")) if place.is_dir() else [place]
    return [one for file in files for one in x509.load_pem_x509_certificates(file.read_bytes())]
