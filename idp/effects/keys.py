"""Our private keys: PEM files in a folder, parsed once per process, never leaving this module."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from idp.ports import KeyUse, PublicKey

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_CERTIFICATE_YEARS = 3


class PemKey:
    """A private key from a PEM file."""

    def __init__(self, public: PublicKey, private: PrivateKey) -> None:
        self._public = public
        self._private = private

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return self._public

    def sign(self, algorithm: str, data: bytes) -> bytes:
        """A signature; ECDSA values are r and s side by side. Raises ``ValueError`` for another family."""
        family, _, name = algorithm.rpartition("-")
        digest = _HASHES[name]
        if isinstance(self._private, ec.EllipticCurvePrivateKey) and family == "ecdsa":
            r, s = decode_dss_signature(self._private.sign(data, ec.ECDSA(digest)))
            width = (self._private.key_size + 7) // 8
            return r.to_bytes(width, "big") + s.to_bytes(width, "big")
        if isinstance(self._private, rsa.RSAPrivateKey) and family == "rsa":
            return self._private.sign(data, padding.PKCS1v15(), digest)
        if isinstance(self._private, rsa.RSAPrivateKey) and family == "rsa-pss":
            return self._private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        raise ValueError(f"this key does not sign {algorithm}")


class KeyFolder:
    """The keys of a folder: ``<use>.key.pem`` with ``<use>.crt.pem`` beside it."""

    def __init__(self, folder: Path) -> None:
        self._keys = {use: _read(folder, use) for use in KeyUse}

    def active(self, use: KeyUse) -> PemKey:
        """The key that signs now."""
        return self._keys[use]

    def published(self, use: KeyUse) -> Sequence[PublicKey]:
        """Every public key that others should accept, the active one first."""
        return (self._keys[use].public,)


def make_missing(folder: Path, rsa_bits: int, subject: str, now: datetime) -> list[KeyUse]:
    """Make the keys that are missing, readable for us alone; answers which were made (SEC-42)."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [use for use in KeyUse if not _files(folder, use)[0].exists()]
    for use in made:
        private: PrivateKey = (
            ec.generate_private_key(ec.SECP256R1())
            if use is KeyUse.OIDC_EC
            else rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
        )
        key_file, certificate_file = _files(folder, use)
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        certificate_file.write_bytes(_self_signed(private, f"{subject} {use.value}", now))
    return made


def _files(folder: Path, use: KeyUse) -> tuple[Path, Path]:
    return folder / f"{use.value}.key.pem", folder / f"{use.value}.crt.pem"


def _read(folder: Path, use: KeyUse) -> PemKey:
    key_file, certificate_file = _files(folder, use)
    private = serialization.load_pem_private_key(key_file.read_bytes(), None)
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError(f"{key_file.name} is neither an RSA nor an elliptic-curve key")
    certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    spki = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kid = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return PemKey(PublicKey(kid, use, pem, spki.decode()), private)


def _self_signed(private: PrivateKey, name: str, now: datetime) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = now.astimezone(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=365 * _CERTIFICATE_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
