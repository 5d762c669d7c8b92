"""Word of a login in a browser we do not know; what comes within minutes goes out as one mail."""

from datetime import timedelta

from idp.services.parcels import Envelope, post
from idp.services.work import Office, Work

TEMPLATE = "new-device"
_GATHERED = timedelta(minutes=5)


def mark_of(office: Office, account: str) -> str:
    """By what a browser shows that an account was used in it before; worth nothing but that."""
    return office.vault.digest(account, "known-device")[:24]


def note_device(work: Work, account: str, known: str) -> None:
    """Queue word of this login, unless its browser (``known``: its marks, with points between) was there before."""
    if mark_of(work.office, account) in known.split("."):
        return
    facts = {"account": account, "note": work.new_id(), "times": work.now.isoformat()}
    post(work, Envelope("mail", account, TEMPLATE, ""), facts, after=_GATHERED)
