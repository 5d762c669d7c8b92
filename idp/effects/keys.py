"""Our private keys: PEM files in a folder, parsed once per process, never leaving this module."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from idp.ports import KeyUse, NewKey, PublicKey

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

    def unwrap(self, digest: str, wrapped: bytes) -> bytes:
        """What was encrypted for it by RSA-OAEP; raises ``ValueError`` when it cannot."""
        if not isinstance(self._private, rsa.RSAPrivateKey):
            raise ValueError("this key does not decrypt")
        # SHA-1 is what clients of the scheme encrypt with (ENC-9).
        hashed = hashes.SHA1() if digest == "sha1" else _HASHES[digest]  # noqa: S303  # the scheme's own (ENC-9)
        return self._private.decrypt(wrapped, padding.OAEP(padding.MGF1(hashed), hashed, None))


class KeyFolder:
    """The keys of a folder: ``<reference>.key.pem`` with ``<reference>.crt.pem`` beside it; each is parsed once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parsed: dict[tuple[str, KeyUse], PemKey] = {}

    def read(self, reference: str, use: KeyUse) -> PemKey:
        """A key with its certificate; raises ``OSError`` or ``ValueError``."""
        known = self._parsed.get((reference, use))
        if known is None:
            private = self._private(reference)
            certificate = x509.load_pem_x509_certificate(self._file(reference, "crt").read_bytes())
            known = self._parsed[reference, use] = PemKey(_public(private, certificate, use), private)
        return known

    def make(self, reference: str, new: NewKey, now: datetime) -> PemKey:
        """A new key with a self-signed certificate, readable for us alone (SEC-42); raises ``FileExistsError``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        private: PrivateKey = (
            ec.generate_private_key(ec.SECP256R1())
            if new.use is KeyUse.OIDC_EC
            else rsa.generate_private_key(public_exponent=65537, key_size=new.rsa_bits)
        )
        key_file = self._file(reference, "key")
        key_file.touch(mode=0o600, exist_ok=False)
        key_file.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self._file(reference, "crt").write_bytes(_self_signed(private, f"{new.subject} {new.use.value}", now))
        return self.read(reference, new.use)

    def request(self, reference: str, subject: str) -> str:
        """A certificate signing request (PKCS #10, PEM) for a key that is there."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        built = x509.CertificateSigningRequestBuilder().subject_name(name)
        signed = built.sign(self._private(reference), hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode()

    def certify(self, reference: str, use: KeyUse, certificate: bytes) -> PemKey:
        """Put another certificate (PEM) beside a key; raises ``ValueError`` when it is another key's."""
        private, found = self._private(reference), x509.load_pem_x509_certificate(certificate)
        if found.public_key() != private.public_key():
            raise ValueError("the certificate is not for this key")
        self._file(reference, "crt").write_bytes(found.public_bytes(serialization.Encoding.PEM))
        self._parsed.pop((reference, use), None)
        return self.read(reference, use)

    def holds(self, reference: str) -> bool:
        """Whether a key is there."""
        return self._file(reference, "key").exists()

    def _file(self, reference: str, kind: str) -> Path:
        return self._folder / f"{reference}.{kind}.pem"

    def _private(self, reference: str) -> PrivateKey:
        file = self._file(reference, "key")
        private = serialization.load_pem_private_key(file.read_bytes(), None)
        if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError(f"{file.name} is neither an RSA nor an elliptic-curve key")
        return private


def make_missing(folder: Path, rsa_bits: int, subject: str, now: datetime) -> list[KeyUse]:
    """Make the first key of each use that has none; answers which were made."""
    store = KeyFolder(folder)
    made = [use for use in KeyUse if not store.holds(use.value)]
    for use in made:
        store.make(use.value, NewKey(use, rsa_bits, subject), now)
    return made


def _public(private: PrivateKey, certificate: x509.Certificate, use: KeyUse) -> PublicKey:
    spki = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kid = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return PublicKey(kid, use, pem, spki.decode(), certificate.not_valid_after_utc)


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
