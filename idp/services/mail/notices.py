"""Word of what happened to an account, for who holds it; what comes within minutes goes out as one mail (SEC-30).

A notice holds nothing that can be used: what carries a link that works once is a letter, and leaves at once.
"""

from datetime import timedelta
from enum import StrEnum

from idp.services.mail.holders import holder_of
from idp.services.mail.parcels import Envelope, post
from idp.services.work import Office, Work

GATHERED_FOR = timedelta(minutes=5)


class Notice(StrEnum):
    """Everything that is announced, by its text below templates/mail."""

    NEW_DEVICE = "new-device"
    PASSWORD_CHANGED = "password-changed"
    EMAIL_CONFIRMED = "email-yours"
    EMAIL_RESTORED = "email-restored"
    RESPONDER_PAIRED = "responder-paired"
    RESPONDER_ASSIGNED = "responder-assigned"
    RESPONDER_LOST = "responder-lost"
    RESPONDER_RETIRED = "responder-retired"
    LOSS_DENIED = "loss-denied"
    RESET_CANCELLED = "reset-cancelled"
    RECOVERY_CODES_MADE = "recovery-codes-made"
    RECOVERY_CODE_USED = "recovery-code-used"
    PASSKEY_ADDED = "passkey-added"
    PASSKEY_REMOVED = "passkey-removed"


def announce(work: Work, account: str, notice: Notice, **facts: str) -> None:
    """Queue a notice in the transaction that causes it, to the address and in the language of this moment.

    Whoever changes the address afterwards does not change who hears of what was done before.
    """
    holder = holder_of(work, account)
    if holder is not None:
        told = {"username": holder.username, "at": work.now.isoformat()} | facts
        post(work, Envelope("mail", holder.email, notice.value, holder.locale), told, after=GATHERED_FOR)


def mark_of(office: Office, account: str) -> str:
    """By what a browser shows that an account was used in it before; worth nothing but that."""
    return office.vault.digest(account, "known-device")[:24]


def note_device(work: Work, account: str, known: str) -> None:
    """Announce this login, unless its browser (``known``: its marks, with points between) was there before."""
    if mark_of(work.office, account) not in known.split("."):
        announce(work, account, Notice.NEW_DEVICE)
