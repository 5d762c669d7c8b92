"""Our own keys: what each is for, and its life from announced to forgotten (architecture 5, SEC-42)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from idp.domain.lifecycle import Lifecycle


class KeyUse(StrEnum):
    """What a key of ours is for."""

    SAML_SIGNING = "saml-signing"
    SAML_ENCRYPTION = "saml-encryption"
    OIDC_RSA = "oidc-rsa"
    OIDC_EC = "oidc-ec"

    @property
    def signs(self) -> bool:
        """Whether others verify with it; a key to encrypt for is only of use while it is wanted."""
        return self is not KeyUse.SAML_ENCRYPTION


class KeyStatus(StrEnum):
    """Where a key is in its life; exactly one of each use is active."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"


class KeyEvent(StrEnum):
    """What happens to a key."""

    ACTIVATED = "activated"
    SUPERSEDED = "superseded"
    RETIRED = "retired"


_S, _E = KeyStatus, KeyEvent
KEY_LIFECYCLE: Lifecycle[KeyStatus, KeyEvent] = Lifecycle(
    start=_S.NEXT,
    transitions={
        (_S.NEXT, _E.ACTIVATED): _S.ACTIVE,
        (_S.NEXT, _E.RETIRED): _S.RETIRED,
        (_S.ACTIVE, _E.SUPERSEDED): _S.RETIRING,
        # The way back, when a new key turns out to be unusable.
        (_S.RETIRING, _E.ACTIVATED): _S.ACTIVE,
        (_S.RETIRING, _E.RETIRED): _S.RETIRED,
    },
)

_NAME_LENGTH = 16


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One key of ours.

    ``kid`` is the SHA-256 of its certificate in hex, ``certificate`` its PEM, ``private_ref`` where its private half
    lies; ``activates_at`` and ``retires_at`` are plans, the other instants happened.
    """

    id: str
    kid: str
    use: KeyUse
    algorithm: str
    certificate: str
    private_ref: str
    status: KeyStatus
    published_at: datetime | None = None
    activates_at: datetime | None = None
    activated_at: datetime | None = None
    superseded_at: datetime | None = None
    retires_at: datetime | None = None
    retired_at: datetime | None = None

    @property
    def name(self) -> str:
        """Its short name, as addresses and lists carry it."""
        return short_name(self.kid)

    @property
    def published(self) -> bool:
        """Whether others are told of it: a key to encrypt for no longer once it is superseded."""
        if self.status is KeyStatus.RETIRING:
            return self.use.signs
        return self.published_at is not None and self.status is not KeyStatus.RETIRED

    def known_from(self, publish_for: timedelta) -> datetime | None:
        """When everyone may be expected to know it; None as long as it is not published."""
        return None if self.published_at is None else self.published_at + publish_for


def short_name(kid: str) -> str:
    """The part of a key's name that tells it from the others: 64 bits of its digest."""
    return kid[:_NAME_LENGTH]


_ORDER = (KeyStatus.ACTIVE, KeyStatus.NEXT, KeyStatus.RETIRING, KeyStatus.RETIRED)


def in_order(versions: Iterable[KeyVersion]) -> tuple[KeyVersion, ...]:
    """The active one first, then the coming and the going, each from old to new."""
    return tuple(sorted(versions, key=lambda one: (_ORDER.index(one.status), one.id)))
