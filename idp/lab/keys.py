"""Keys of the laboratory's own relying parties: one RSA key with a self-signed certificate each, in a folder."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from idp.effects.keys import PemKey
from idp.ports import KeyUse, PublicKey

_BITS = 2048
_YEARS = 10


@dataclass(frozen=True, slots=True)
class PartyKey:
    """A key with which a relying party signs and opens what is encrypted for it."""

    private: rsa.RSAPrivateKey
    signer: PemKey

    @property
    def certificate(self) -> str:
        """The certificate's DER in base64, as XML carries it."""
        lines = self.signer.public.certificate.splitlines()
        return "".join(line for line in lines if not line.startswith("-----"))

    @property
    def jwk(self) -> dict[str, str]:
        """The public half as a JWK for RS256 signatures (RFC 7517)."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": _number(numbers.n),
            "e": _number(numbers.e),
        }

    @property
    def kid(self) -> str:
        """The certificate's SHA-256 fingerprint in hex: KeyName and JWK kid."""
        return self.signer.public.kid


def make_missing(file: Path, subject: str, now: datetime) -> PartyKey:
    """The key in a file, made with its certificate when it is not there; readable for us alone (SEC-42)."""
    if not file.exists():
        private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        file.parent.mkdir(parents=True, exist_ok=True)
        _certificate_file(file).write_bytes(_certificate(private, subject, now))
        file.touch(mode=0o600)
        file.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return read(file)


def read(file: Path) -> PartyKey:
    """The key in a file; raises ``FileNotFoundError``."""
    # We made the key ourselves; testing its primes again would be most of a sandbox's start.
    private = serialization.load_pem_private_key(file.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ValueError(f"{file.name} is not an RSA key")
    pem = _certificate_file(file).read_text()
    der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER)
    spki = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    public = PublicKey(hashlib.sha256(der).hexdigest(), KeyUse.SAML_SIGNING, pem, spki.decode())
    return PartyKey(private, PemKey(public, private))


def _number(value: int) -> str:
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _certificate_file(file: Path) -> Path:
    return file.with_suffix(".crt.pem")


def _certificate(private: rsa.RSAPrivateKey, subject: str, now: datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    # A laboratory's clock may be set back by years; its own parties should not be the first to break.
    begin = now.astimezone(UTC) - timedelta(days=365 * _YEARS)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=365 * 3 * _YEARS))
        .sign(private, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
