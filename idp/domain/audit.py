"""The audit chain: event names, the canonical form of an event, and how one links to the next (SEC-38)."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

GENESIS = "0" * 64


class Event(StrEnum):
    """Everything that is recorded; each has a line in docs/audit.md."""

    LOGIN_GRANTED = "login.granted"
    LOGIN_REFUSED = "login.refused"
    LOGIN_CANCELLED = "login.cancelled"
    LOGIN_INTERRUPTED = "login.interrupted"
    PASSWORD_ACCEPTED = "password.accepted"
    PASSWORD_REFUSED = "password.refused"
    CODE_ACCEPTED = "code.accepted"
    CODE_REFUSED = "code.refused"
    CERTIFICATE_ACCEPTED = "certificate.accepted"
    CERTIFICATE_REFUSED = "certificate.refused"
    CERTIFICATE_BOUND = "certificate.bound"
    RESPONDERS_IMPORTED = "responder.imported"
    RESPONDER_ASSIGNED = "responder.assigned"
    RESPONDER_LOST = "responder.lost"
    RESPONDER_RETIRED = "responder.retired"
    RESPONDER_PAIRED = "responder.paired"
    RESPONDER_LOOKED_UP = "responder.looked-up"
    RECOVERY_CODES_MADE = "recovery-codes.made"
    RECOVERY_CODE_USED = "recovery-code.used"
    RECOVERY_CODE_REFUSED = "recovery-code.refused"
    LOSS_CONFIRMED = "loss.confirmed"
    LOSS_DENIED = "loss.denied"
    RESET_ASKED = "reset.asked"
    RESET_CANCELLED = "reset.cancelled"
    RESET_DONE = "reset.done"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    PASSKEY_ACCEPTED = "passkey.accepted"
    PASSKEY_REFUSED = "passkey.refused"
    ACCOUNT_BLOCKED = "account.blocked"
    PASSWORD_CHANGED = "password.changed"
    EMAIL_CHANGE_ASKED = "email.asked"
    EMAIL_CHANGED = "email.changed"
    EMAIL_RESTORED = "email.restored"
    DATA_EXPORTED = "data.exported"
    ERASURE_ASKED = "erasure.asked"
    RECOVERY_ASKED = "recovery.asked"
    MAIL_SENT = "mail.sent"
    MAIL_FAILED = "mail.failed"
    SESSION_OPENED = "session.opened"
    SESSION_ENDED = "session.ended"
    LOGOUT_ASKED = "logout.asked"
    LOGOUT_ANSWERED = "logout.answered"
    TOKEN_ISSUED = "token.issued"
    TOKEN_REUSED = "token.reused"
    TOKEN_REVOKED = "token.revoked"
    MESSAGE_REFUSED = "message.refused"
    ARTIFACT_REFUSED = "artifact.refused"
    PARTY_ADDED = "party.added"
    PARTY_CHANGED = "party.changed"
    PARTY_REMOVED = "party.removed"
    PARTY_WEAKENED = "party.weakened"
    CATALOGUE_LOADED = "catalogue.loaded"
    KEY_CHANGED = "key.changed"
    SANDBOX_SEEDED = "sandbox.seeded"


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded event; facts hold ids and codes, never names, secrets or messages."""

    sequence: int
    at: str
    event: str
    actor: str
    facts: str


def canonical_facts(facts: dict[str, str]) -> str:
    """Facts in the one form that is hashed and stored."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def link(previous: str, entry: Entry) -> str:
    """The hash of an entry on top of the one before it."""
    text = json.dumps([previous, entry.sequence, entry.at, entry.event, entry.actor, entry.facts], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def broken_at(chain: Iterable[tuple[Entry, str]], previous: str = GENESIS, sequence: int = 0) -> int | None:
    """The sequence number at which a chain is torn, or None when it is whole from ``sequence`` on."""
    for entry, stated in chain:
        sequence += 1
        if entry.sequence != sequence or link(previous, entry) != stated:
            return sequence
        previous = stated
    return None
