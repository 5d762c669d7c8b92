"""What the services need of the outside world, as types; `idp.effects` holds the real things."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from idp.domain.certificates import CertificateFault, CertificateIdentity
from idp.domain.keys import KeyUse as KeyUse


class Clock(Protocol):
    """The one clock (SEC-41, RUL-21)."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...


class Entropy(Protocol):
    """The one source of randomness (SEC-34)."""

    def bytes(self, length: int) -> bytes:
        """So many unpredictable bytes."""
        ...


class Overloaded(Exception):
    """Too many password checks wait already; ask again after some seconds (SEC-39)."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("the password lane is full")
        self.retry_after = retry_after


class Passwords(Protocol):
    """Hashing of passwords in a bounded lane (SEC-39, RUL-22)."""

    def hash(self, password: str) -> str:
        """A new hash; raises ``Overloaded``."""
        ...

    def check(self, stored: str | None, password: str) -> bool:
        """Whether the password is right, in the same time for an unknown account (None); raises ``Overloaded``."""
        ...

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        ...


class Vault(Protocol):
    """Sealing of secrets at rest, and keyed digests of secrets that are only compared."""

    def seal(self, plain: bytes, context: str) -> bytes:
        """The sealed form, bound to its context."""
        ...

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """The plain form; raises ``ValueError`` when it was tampered with or belongs elsewhere."""
        ...

    def digest(self, secret: str, purpose: str) -> str:
        """The keyed digest of a secret, 64 hex characters."""
        ...

    def pseudonym_secret(self) -> bytes:
        """The key that mints pseudonyms (domain 4.5)."""
        ...


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a key of ours: its name (KeyName and JWK kid), certificate and key, both PEM.

    ``not_after`` is when its certificate ends, where that is known.
    """

    kid: str
    use: KeyUse
    certificate: str
    public_pem: str
    not_after: datetime | None = None


class SigningKey(Protocol):
    """A private key that never leaves its holder; also what a PKCS#11 token can be (SEC-42)."""

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        ...

    def sign(self, algorithm: str, data: bytes) -> bytes:
        """A signature by ``rsa-sha256``, ``rsa-pss-sha256``, ``ecdsa-sha256`` or their 384 and 512 kin.

        ECDSA values are r and s side by side, each of the curve's width, as XML and JOSE want them.
        Raises ``ValueError`` when the key is of another family.
        """
        ...

    def unwrap(self, digest: str, wrapped: bytes) -> bytes:
        """What was encrypted for it by RSA-OAEP with ``sha1`` or ``sha256``; raises ``ValueError`` when it cannot."""
        ...


class Keys(Protocol):
    """Our own keys, parsed once per process."""

    def look(self) -> int:
        """Take over what changed, and answer the version of what is known; for between two requests (SEC-42)."""
        ...

    @property
    def version(self) -> int:
        """The version of what is known."""
        ...

    def active(self, use: KeyUse) -> SigningKey:
        """The key that signs now."""
        ...

    def published(self, use: KeyUse) -> Sequence[PublicKey]:
        """Every public key that others should accept, the active one first."""
        ...

    def living(self, use: KeyUse) -> Sequence[SigningKey]:
        """Every key that others may still know from us, the active one first; not all are published any more."""
        ...

    def following(self, use: KeyUse) -> SigningKey | None:
        """The published key that is to become the active one, or None."""
        ...

    def named(self, use: KeyUse, name: str) -> SigningKey | None:
        """The key with this short name; the active one in place of a retired one, None for a stranger's."""
        ...


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made: its use, the strength of RSA, and the name in its certificate."""

    use: KeyUse
    rsa_bits: int
    subject: str


class KeyStore(Protocol):
    """Where private keys lie; a reference names one (SEC-42)."""

    def read(self, reference: str, use: KeyUse) -> SigningKey:
        """A key with its certificate; raises ``OSError`` or ``ValueError``."""
        ...

    def make(self, reference: str, new: NewKey, now: datetime) -> SigningKey:
        """A new key with a certificate of its own; raises ``FileExistsError``."""
        ...

    def request(self, reference: str, subject: str) -> str:
        """A certificate signing request (PKCS #10, PEM) for a key that is there."""
        ...

    def certify(self, reference: str, use: KeyUse, certificate: bytes) -> SigningKey:
        """Put another certificate (PEM) beside a key; raises ``ValueError`` when it is another key's."""
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it leaves; ``id`` is the parcel's, and stays the same however often it is tried."""

    id: str
    recipient: str
    subject: str
    text: str
    html: str
    at: datetime


class MailRefused(Exception):
    """The server will never take this mail; the text is one word for the log."""


class MailDelayed(Exception):
    """The server did not say that it took this mail: try again; the text is one word for the log."""


class PostOffice(Protocol):
    """What carries mails away."""

    def send(self, mail: Mail) -> None:
        """Return once it was taken; raises ``MailRefused`` or ``MailDelayed``."""
        ...


class Stationery(Protocol):
    """What writes mails in the person's language, without a web request (RUL-39)."""

    def write(self, template: str, locale: str, facts: Mapping[str, str]) -> tuple[str, str, str]:
        """Subject, plain text and HTML."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document from elsewhere, with the media type its host gives it."""

    octets: bytes
    content_type: str


class FetchFailed(Exception):
    """A document could not be fetched; the text is one sentence for an operator."""


class Courier(Protocol):
    """The one way to ask a service of a registered party, at the address of its registered metadata alone (SEC-18)."""

    def post(self, url: str, content_type: str, body: bytes) -> bytes:
        """What it answers; raises ``FetchFailed``, or ``Overloaded`` when too many are asked already."""
        ...


class Fetcher(Protocol):
    """The one way to fetch a document, always for an operator or the worker, never for a message (SEC-23)."""

    def get(self, url: str) -> Fetched:
        """The document at an address; raises ``FetchFailed``."""
        ...


class Certificates(Protocol):
    """Judging of personal certificates (F17, D15)."""

    def judge(self, chain: Sequence[bytes], now: datetime) -> CertificateIdentity | CertificateFault:
        """Who a chain (DER, the person's first) names, or what is wrong with it; an empty one was not shown."""
        ...
