"""Certificates, lists and answers made to measure, for the judge of personal certificates."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from idp.effects.fetch import Request
from idp.ports import Fetched, FetchFailed

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
POLICY = "2.16.528.1.1003.1.2.5.1"
OCSP_URL, LIST_URL = "http://status.example.test/ocsp", "http://status.example.test/issuing.crl"
CLIENT, SERVER, SIGN_STATUS = (
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.OCSP_SIGNING,
)
_SHA256 = hashes.SHA256()
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a certificate says; ``authority`` is None for a person, else how many authorities may stand below it."""

    name: str
    authority: int | None = None
    begins: datetime = NOW - 30 * _DAY
    ends: datetime = NOW + 30 * _DAY
    policies: tuple[str, ...] = (POLICY,)
    purposes: tuple[x509.ObjectIdentifier, ...] = (CLIENT,)
    signs: bool = True
    filling: int = 0
    unknown_critical: bool = False
    asked_at: tuple[str, ...] = (OCSP_URL,)
    listed_at: tuple[str, ...] = (LIST_URL,)


@dataclass(frozen=True, slots=True)
class Made:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        """The certificate as it travels."""
        return self.certificate.public_bytes(Encoding.DER)


@dataclass(slots=True)
class Street:
    """The way out as a table: what each address answers, and what was asked."""

    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def send(self, request: Request) -> Fetched:
        """The answer of the table, or silence."""
        self.asked.append(request.url)
        if request.url not in self.answers:
            raise FetchFailed("nobody is there")
        return Fetched(self.answers[request.url], "application/octet-stream")


def make(shape: Shape, above: Made | None = None) -> Made:
    """A certificate of this shape under an authority, or one that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = above.key if above else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(shape.name))
        .issuer_name(above.certificate.subject if above else _name(shape.name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(shape.begins)
        .not_valid_after(shape.ends)
    )
    for extension, critical in _extensions(shape, key, signer):
        builder = builder.add_extension(extension, critical)
    return Made(builder.sign(signer, hashes.SHA256()), key)


def revocation_list(
    issuer: Made, revoked: Sequence[Made] = (), *scope: x509.ExtensionType, age: timedelta = _HOUR
) -> bytes:
    """A list of an authority, a day long; ``scope`` are critical extensions that narrow it."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(NOW - age).next_update(NOW - age + _DAY)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(NOW - _DAY).build())
    for extension in scope:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def status(
    about: Made,
    issuer: Made,
    told: ocsp.OCSPCertStatus,
    signer: Made | None = None,
    age: timedelta = _HOUR,
    *,
    named_by: hashes.HashAlgorithm = _SHA256,
) -> bytes:
    """An OCSP answer; ``signer`` is a responder that shows its own certificate, else the authority signs.

    ``named_by`` is the digest by which it names the issuer.
    """
    withdrawn = NOW - _DAY if told is ocsp.OCSPCertStatus.REVOKED else None
    begins = NOW - age
    builder = ocsp.OCSPResponseBuilder().add_response(
        about.certificate, issuer.certificate, named_by, told, begins, begins + _DAY, withdrawn, None
    )
    by = signer or issuer
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    if signer is not None:
        builder = builder.certificates([signer.certificate])
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def scope(**narrowed: bool | list[x509.GeneralName]) -> x509.IssuingDistributionPoint:
    """What a partial list speaks of."""
    whole: dict[str, object] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**whole | narrowed)  # type: ignore[arg-type]


def person(**changes: object) -> Shape:
    """A personal certificate that is right, but for these changes."""
    return replace(Shape("Rosa Zegers"), **changes)  # type: ignore[arg-type]


def _extensions(
    shape: Shape, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> list[tuple[x509.ExtensionType, bool]]:
    ca = shape.authority is not None
    usage = x509.KeyUsage(not ca and shape.signs, False, not shape.signs, False, False, ca, ca, False, False)
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca, shape.authority), True),
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    ]
    if not ca and shape.purposes:
        found.append((x509.ExtendedKeyUsage(shape.purposes), False))
    if not ca and shape.policies:
        named = [x509.PolicyInformation(x509.ObjectIdentifier(one), None) for one in shape.policies]
        found.append((x509.CertificatePolicies(named), False))
    if not ca:
        found += _places(shape)
    if shape.filling:
        octets = b"\x04\x83" + shape.filling.to_bytes(3, "big") + bytes(shape.filling)
        found.append((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), octets), False))
    if shape.unknown_critical:
        found.append((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.5"), b"\x05\x00"), True))
    return found


def _places(shape: Shape) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    if shape.asked_at:
        method = AuthorityInformationAccessOID.OCSP
        asked = [x509.AccessDescription(method, x509.UniformResourceIdentifier(one)) for one in shape.asked_at]
        found.append((x509.AuthorityInformationAccess(asked), False))
    if shape.listed_at:
        names = [[x509.UniformResourceIdentifier(one)] for one in shape.listed_at]
        points = [x509.DistributionPoint(one, None, None, None) for one in names]
        found.append((x509.CRLDistributionPoints(points), False))
    return found


def _name(name: str) -> x509.Name:
    number = [x509.NameAttribute(NameOID.SERIAL_NUMBER, "99900017")] if name == "Rosa Zegers" else []
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), *number])
