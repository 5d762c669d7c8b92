"""Whether a certificate was revoked: asked by OCSP, else looked up in a list, kept for a while (domain 8.12).

Nobody gets in on silence: where neither answers, the certificate is not believed.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Lock
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from idp.domain.certificates import CertificateFault
from idp.effects.fetch import Request
from idp.ports import Fetched, FetchFailed

UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)
"""What reading a certificate, or a list of them, ends in when it is none: the library has no one name for it."""
_SKEW = timedelta(minutes=5)
# Whatever an answer says of itself, it is asked anew after this long.
_KEPT_AT_MOST = timedelta(minutes=10)
_MOST_KEPT = 4096
_DIGESTS = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
# How a question names the issuer. Many responders have their answers ready by SHA-1 alone (RFC 5019) and know no other
# question.
_NAMED_BY = (hashes.SHA256, hashes.SHA1)  # noqa: S303  # it finds an answer, whose signature proves it
_OCSP = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}


class Sender(Protocol):
    """The guarded way out."""

    def send(self, request: Request) -> Fetched:
        """The answer to a request; raises ``FetchFailed``."""
        ...


class Revocation:
    """Asks and remembers; one per process."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._lock = Lock()
        self._kept: dict[tuple[bytes, int], tuple[datetime, bool]] = {}

    def fault(self, path: Sequence[x509.Certificate], now: datetime) -> CertificateFault | None:
        """What is wrong with a path from a person up to a root: REVOKED, REVOCATION_UNKNOWN, or None."""
        for place, (certificate, issuer) in enumerate(pairwise(path)):
            revoked = self._revoked(certificate, issuer, now)
            if revoked:
                return CertificateFault.REVOKED
            # An authority that tells no place to ask can only be withdrawn with its root.
            if revoked is None and (place == 0 or _tells_a_place(certificate)):
                return CertificateFault.REVOCATION_UNKNOWN
        return None

    def _revoked(self, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool | None:
        key = (issuer.fingerprint(hashes.SHA256()), certificate.serial_number)
        with self._lock:
            until, known = self._kept.get(key, (now, False))
        if now < until <= now + _KEPT_AT_MOST:
            return known
        for found in self._asked(certificate, issuer, now):
            with self._lock:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[key] = (min(found[0], now + _KEPT_AT_MOST), found[1])
            return found[1]
        return None

    def _asked(
        self, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
    ) -> Iterator[tuple[datetime, bool]]:
        """Answers that can be believed, each with the instant until which it counts."""
        for url in _responders(certificate):
            for digest in _NAMED_BY:
                body = _question(certificate, issuer, digest()).public_bytes(Encoding.DER)
                answer = self._fetch(Request(url, _OCSP, body))
                told = _status(answer, certificate, issuer, now) if answer is not None else None
                if told is not None:
                    yield told
                if told is not None or answer is None:
                    break
        for url in _lists(certificate):
            answer = self._fetch(Request(url))
            told = _listed(answer, certificate, issuer, now) if answer is not None else None
            if told is not None:
                yield told

    def _fetch(self, request: Request) -> bytes | None:
        try:
            return self._sender.send(request).octets
        except FetchFailed:
            return None


def _question(
    certificate: x509.Certificate, issuer: x509.Certificate, digest: hashes.HashAlgorithm
) -> ocsp.OCSPRequest:
    return ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, digest).build()


def _status(
    answer: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> tuple[datetime, bool] | None:
    """What an OCSP response says of the certificate asked about, when it may be believed (RFC 6960 section 3.2)."""
    try:
        response = ocsp.load_der_ocsp_response(answer)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return None
        request = _question(certificate, issuer, response.hash_algorithm)
        about = (response.serial_number, response.issuer_key_hash, response.issuer_name_hash)
        if about != (request.serial_number, request.issuer_key_hash, request.issuer_name_hash):
            return None
        ends = response.next_update_utc or response.this_update_utc + _KEPT_AT_MOST
        if not response.this_update_utc - _SKEW <= now <= ends + _SKEW:
            return None
        signer = _signer(response, issuer, now)
        if signer is None:
            return None
        _check(signer, response.signature, response.tbs_response_bytes, response.signature_hash_algorithm)
        if response.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
            return None
        return ends, response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    except (*UNREADABLE, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return None


def _signer(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> x509.Certificate | None:
    """The authority itself, or a responder that it named for this by a certificate of its own."""
    if not response.certificates:
        return issuer
    delegate = response.certificates[0]
    if delegate == issuer:
        return issuer
    delegate.verify_directly_issued_by(issuer)
    usage = delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    lives = delegate.not_valid_before_utc <= now <= delegate.not_valid_after_utc
    return delegate if lives and ExtendedKeyUsageOID.OCSP_SIGNING in usage else None


def _listed(
    answer: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> tuple[datetime, bool] | None:
    """Whether a revocation list names the certificate, when the list may be believed (RFC 5280 section 6.3)."""
    try:
        found = x509.load_der_x509_crl(answer)
        ends = found.next_update_utc
        if found.issuer != issuer.subject or ends is None or not found.last_update_utc - _SKEW <= now <= ends:
            return None
        if not found.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]  # it checks the kind itself
            return None
        if not isinstance(found.signature_hash_algorithm, _DIGESTS) or not _is_whole(found, certificate):
            return None
        return ends, found.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
    except (*UNREADABLE, TypeError):
        return None


def _is_whole(found: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether a list speaks of everything of this certificate's kind, for every reason, at one of its addresses.

    Lists of one authority carry one signature, so a partial one must not pass for the whole.
    """
    for extension in found.extensions:
        scope = extension.value
        if isinstance(scope, x509.IssuingDistributionPoint):
            partial = scope.only_some_reasons or scope.indirect_crl or scope.only_contains_attribute_certs
            other_kind = scope.only_contains_user_certs if _is_authority(certificate) else scope.only_contains_ca_certs
            named = {one.value for one in scope.full_name or () if isinstance(one, x509.UniformResourceIdentifier)}
            elsewhere = scope.full_name is not None and not named & set(_lists(certificate))
            if partial or other_kind or elsewhere or scope.relative_name is not None:
                return False
        elif extension.critical:
            # A list of changes, or something that we do not know.
            return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _check(signer: x509.Certificate, signature: bytes, signed: bytes, digest: hashes.HashAlgorithm | None) -> None:
    """Raises ``InvalidSignature``, ``ValueError`` for a kind of key or digest that is not taken."""
    key = signer.public_key()
    if not isinstance(digest, _DIGESTS):
        raise ValueError("a weak digest")
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(digest))
    else:
        raise ValueError("another kind of key")


def _responders(certificate: x509.Certificate) -> Iterator[str]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return
    for one in access:
        if one.access_method == AuthorityInformationAccessOID.OCSP:
            yield str(one.access_location.value)


def _lists(certificate: x509.Certificate) -> Iterator[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return
    for point in points:
        for name in point.full_name or ():
            if isinstance(name, x509.UniformResourceIdentifier):
                yield name.value


def _tells_a_place(certificate: x509.Certificate) -> bool:
    return any(True for _ in _responders(certificate)) or any(True for _ in _lists(certificate))
