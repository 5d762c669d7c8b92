"""Security keys and passkeys (WebAuthn) as a further second factor (docs/decisions/0013)."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, bindparam, select, update
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from idp.domain.audit import Event
from idp.services import throttle
from idp.services.authentication.credentials import Attempt, Fault, Faulty, proven
from idp.services.authentication.login import Missing, Result, go_on, mine
from idp.services.authentication.presence import Present
from idp.services.authentication.proofs import blocked
from idp.services.mail.holders import holder_of, name_of
from idp.services.mail.notices import Notice, announce
from idp.services.sessions.ending import end_everything
from idp.services.tickets import Held, Purpose, issue, redeem
from idp.services.turns import lock_account
from idp.services.work import Office, Work
from idp.store.merge import keep
from idp.store.people import Passkey
from idp.store.prepared import Prepared

_LASTS = timedelta(minutes=10)
_LONGEST, _MOST = 20_000, 10
_CHALLENGE = re.compile(r"[0-9A-Za-z_-]{43}", re.ASCII)
_ACTIVE = (Passkey.account_id == bindparam("account"), Passkey.status == "active")
_OWN = Prepared(
    select(Passkey.id, Passkey.credential, Passkey.public_key, Passkey.sign_count).where(*_ACTIVE).order_by(Passkey.id)
)
# A counter that does not grow is a copy; authenticators without one always say zero (WebAuthn 7.2, step 22).
_USE = Prepared(
    update(Passkey)
    .where(
        Passkey.id == bindparam("passkey"),
        Passkey.status == "active",
        (Passkey.sign_count < bindparam("count")) | ((Passkey.sign_count == 0) & (bindparam("count") == 0)),
    )
    .values(sign_count=bindparam("count"), last_used_at=bindparam("now"))
)
# A key is of one account (F35).
_KEEP = keep(Passkey, "credential")
_REMOVE = Prepared(update(Passkey).where(*_ACTIVE, Passkey.id == bindparam("passkey")).values(status="removed"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A passkey as its holder sees it."""

    id: str
    label: str
    created_at: datetime
    last_used_at: datetime | None


def own_passkeys(connection: Connection, account: str) -> list[Shown]:
    """The passkeys of an account, the oldest first."""
    query = select(Passkey.id, Passkey.label, Passkey.created_at, Passkey.last_used_at)
    rows = connection.execute(query.where(Passkey.account_id == account, Passkey.status == "active"))
    return [Shown(*row) for row in rows.all()]


def offer(office: Office, who: Present) -> str:
    """What a browser needs to make a passkey, as JSON; its challenge works once (SEC-25)."""
    with office.work("person") as work:
        holder = holder_of(work, who.account)
        challenge = _challenge(work, f"add:{who.account}", who.account)
        known = [base64url_to_bytes(row.credential) for row in _OWN.all(work.connection, account=who.account)]
    options = generate_registration_options(
        rp_id=_domain(office),
        rp_name=office.settings.brand.name,
        user_id=who.account.encode(),
        user_name=holder.username if holder is not None else "",
        user_display_name=name_of(holder) if holder is not None else "",
        challenge=challenge,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.DISCOURAGED
        ),
    )
    return options_to_json(options)


def add(office: Office, who: Present, answer: str, label: str) -> bool:
    """Keep the passkey that a browser made for this person; False when its answer does not hold.

    Its challenge is spent with it or not at all: whoever is cut off can send the same answer again (SEC-25).
    """
    challenge = _challenge_in(answer)
    with office.work("person") as work:
        if redeem(work, Purpose.PASSKEY_CHALLENGE, challenge, f"add:{who.account}"[:64]) is None:
            return False
        row = _made(office, answer, challenge)
        if row is None or len(_OWN.all(work.connection, account=who.account)) >= _MOST:
            return False
        named = {"id": work.new_id(), "account_id": who.account, "label": " ".join(label.split())[:60]}
        if _KEEP.one(work.connection, created_at=work.now, **row, **named) is None:
            return False
        work.record(Event.PASSKEY_ADDED, account=who.account, passkey=named["id"])
        announce(work, who.account, Notice.PASSKEY_ADDED, label=named["label"])
    return True


def remove(work: Work, account: str, passkey: str) -> bool:
    """Take a passkey away; what was opened with it ends (SEC-30)."""
    lock_account(work, account)
    if _REMOVE.run(work.connection, account=account, passkey=passkey) != 1:
        return False
    end_everything(work, account)
    work.record(Event.PASSKEY_REMOVED, account=account, passkey=passkey)
    announce(work, account, Notice.PASSKEY_REMOVED)
    return True


def question(office: Office, account: str, login_id: str) -> str:
    """What a browser needs to prove a passkey in a login, as JSON; empty when the account has none."""
    with office.reading() as connection:
        known = _OWN.all(connection, account=account)
    if not known:
        return ""
    with office.work("person") as work:
        challenge = _challenge(work, f"use:{login_id}", account)
    return options_to_json(
        generate_authentication_options(
            rp_id=_domain(office),
            challenge=challenge,
            allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.credential)) for row in known],
            user_verification=UserVerificationRequirement.DISCOURAGED,
        )
    )


def prove(office: Office, tried: Attempt, answer: str) -> Result | Faulty:
    """Take a passkey's answer in place of a code: same counters, same block, same factor (LOA-9, SEC-28)."""
    with office.work("person") as work:
        login = mine(work, tried.login_id, tried.visit.browser)
        if isinstance(login, Missing):
            return login
        if login.progress.account is None:
            return go_on(work, login, login, tried.visit)
        allowed = throttle.ask(work, "code", login.progress.account, tried.source)
        if isinstance(allowed, datetime):
            return Faulty(Fault.DELAYED, login, until=allowed)
    with office.work("person") as work:
        again = mine(work, tried.login_id, tried.visit.browser)
        if isinstance(again, Missing) or again.progress.account is None:
            return again if isinstance(again, Missing) else Faulty(Fault.PASSKEY, again)
        account = again.progress.account
        if blocked(work, account):
            return Faulty(Fault.LOCKED, again)
        key = _key_of(work, account, again.id, answer) if account == login.progress.account else ""
        if not key:
            work.record(Event.PASSKEY_REFUSED, reference=again.reference, account=account)
            return Faulty(Fault.PASSKEY, again)
        return proven(work, again, tried.visit, allowed, key)


def _made(office: Office, answer: str, challenge: str) -> dict[str, Any] | None:
    """What is kept of a new passkey, where the answer holds."""
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_domain(office),
            expected_origin=office.settings.server.base_url,
        )
    except Exception:
        # The word of a maker, which nobody asked for, comes in many forms; what the library trips over is no answer.
        return None
    return {
        "credential": bytes_to_base64url(made.credential_id),
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "status": "active",
        "last_used_at": None,
    }


def _key_of(work: Work, account: str, login_id: str, answer: str) -> str:
    """The key of the account that gave this answer in this login, noted as used; empty where it does not hold."""
    challenge = _challenge_in(answer)
    if redeem(work, Purpose.PASSKEY_CHALLENGE, challenge, f"use:{login_id}"[:64]) is None:
        return ""
    named = _json(answer).get("id")
    row = next((one for one in _OWN.all(work.connection, account=account) if one.credential == named), None)
    if row is None:
        return ""
    try:
        shown = verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_domain(work.office),
            expected_origin=work.office.settings.server.base_url,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return ""
    if _USE.run(work.connection, passkey=row.id, count=shown.new_sign_count, now=work.now) != 1:
        return ""
    work.record(Event.PASSKEY_ACCEPTED, account=account, passkey=row.id)
    return str(row.id)


def _challenge(work: Work, subject: str, account: str) -> bytes:
    made = work.office.entropy.bytes(32)
    held = Held(subject[:64], {}, _LASTS, account)
    issue(work, Purpose.PASSKEY_CHALLENGE, bytes_to_base64url(made), held)
    return made


def _challenge_in(answer: str) -> str:
    """The challenge that an answer was made for, as it says itself; empty for what is no answer."""
    try:
        client = json.loads(base64url_to_bytes(_json(answer)["response"]["clientDataJSON"]))
        challenge = client["challenge"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return challenge if isinstance(challenge, str) and _CHALLENGE.fullmatch(challenge) else ""


def _json(answer: str) -> dict[str, Any]:
    found = json.loads(answer) if len(answer) <= _LONGEST else {}
    if not isinstance(found, dict):
        raise TypeError("an answer is an object")
    return found


def _domain(office: Office) -> str:
    """The relying party ID: the host of our own address, whatever a request says (SEC-32)."""
    return urlsplit(office.settings.server.base_url).hostname or ""
