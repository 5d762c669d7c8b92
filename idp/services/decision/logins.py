"""A login under way as it is stored between two steps."""

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from idp.domain.assurance import Factor, Level
from idp.domain.identifiers import InstanceUuid
from idp.domain.login import LoginRequest, Progress, RequestedAttribute
from idp.domain.parties import Party
from idp.services.decision.own_party import OWN, own_party
from idp.services.work import Office, Work
from idp.store.logins import LoginRow
from idp.store.merge import add
from idp.store.prepared import Prepared

_LOAD = Prepared(select(*LoginRow.__table__.columns).where(LoginRow.id == bindparam("login")))
_STORE = add(LoginRow)
_ADVANCE = Prepared(
    update(LoginRow)
    .where(
        LoginRow.id == bindparam("login"),
        LoginRow.status == "open",
        LoginRow.progress == bindparam("seen_progress"),
        LoginRow.browser == bindparam("seen_browser"),
    )
    .values(
        progress=bindparam("to_progress"),
        browser=bindparam("to_browser"),
        status=bindparam("to_status"),
        expires_at=bindparam("until"),
    )
)
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Login:
    """A login under way. ``browser`` is the digest it is bound to, empty until its first page is asked (RUL-18);
    ``restarted`` tells, for this request only, that it lay idle and begins anew.
    """

    id: str
    party: Party
    asked: LoginRequest
    progress: Progress
    browser: str
    status: str
    reference: str
    created_at: datetime
    expires_at: datetime
    restarted: bool = False


def load(office: Office, connection: Connection, login_id: str) -> Login | None:
    """The login with this id, or None when it is unknown, or its party or that party's service is gone."""
    if not _ID.fullmatch(login_id):
        return None
    row = _LOAD.one(connection, login=login_id)
    party = party_of(office, row.party_id) if row is not None else None
    if row is None or party is None:
        return None
    asked = request_of_json(json.loads(row.request))
    if all(service.instance_uuid != asked.service for _, service in party.services):
        return None
    return Login(
        id=row.id,
        party=party,
        asked=asked,
        progress=_progress_of_json(json.loads(row.progress)),
        browser=row.browser,
        status=row.status,
        reference=row.reference,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def party_of(office: Office, party_id: str) -> Party | None:
    """Who asks for a login: a relying party, or our own pages."""
    return own_party(office) if party_id == OWN else office.directory.party_by_id(party_id)


def store(work: Work, login: Login) -> None:
    """Write a new login."""
    _STORE.run(
        work.connection,
        id=login.id,
        created_at=work.now,
        party_id=login.party.id,
        request=json.dumps(request_json(login.asked)),
        progress=_progress_text(login.progress),
        browser=login.browser,
        status=login.status,
        reference=login.reference,
        expires_at=login.expires_at,
    )


def advance(work: Work, login: Login, changed: Login) -> bool:
    """Write what a step changed, unless another step was faster; answers whether it was written (SEC-25)."""
    changed_rows = _ADVANCE.run(
        work.connection,
        login=login.id,
        seen_progress=_progress_text(login.progress),
        seen_browser=login.browser,
        to_progress=_progress_text(changed.progress),
        to_browser=changed.browser,
        to_status=changed.status,
        until=changed.expires_at,
    )
    return changed_rows == 1


def fresh(work: Work, party: Party, asked: LoginRequest, browser: str) -> Login:
    """A login that has just begun, with a support reference of its own (features: C15)."""
    reference = new_reference(work.office)
    lasts = timedelta(minutes=work.office.settings.login.minutes)
    asked = replace(asked, reply=asked.reply | {"reference": reference})
    return Login(work.new_id(), party, asked, Progress(), browser, "open", reference, work.now, work.now + lasts)


def new_reference(office: Office) -> str:
    """Eight characters that can be read out: no I, L, O or U."""
    return "".join(_ALPHABET[byte % 32] for byte in office.entropy.bytes(8))


def request_json(asked: LoginRequest) -> dict[str, Any]:
    """A request as JSON."""
    return {
        "protocol": asked.protocol,
        "party": asked.party,
        "service": asked.service,
        "level": asked.level.name,
        "ceiling": asked.ceiling.name if asked.ceiling else None,
        "force": asked.force,
        "passive": asked.passive,
        "ask_consent": asked.ask_consent,
        "choose": asked.choose,
        "max_age": asked.max_age,
        "attributes": [[one.name, one.required] for one in asked.attributes],
        "subject": asked.subject,
        "login_hint": asked.login_hint,
        "locales": list(asked.locales),
        "reply": asked.reply,
    }


def request_of_json(stored: dict[str, Any]) -> LoginRequest:
    """The request that ``request_json`` wrote."""
    return LoginRequest(
        **stored
        | {
            "service": InstanceUuid(stored["service"]),
            "level": Level[stored["level"]],
            "ceiling": Level[stored["ceiling"]] if stored["ceiling"] else None,
            "attributes": tuple(RequestedAttribute(name, required) for name, required in stored["attributes"]),
            "locales": tuple(stored["locales"]),
        }
    )


def _progress_text(progress: Progress) -> str:
    return json.dumps(
        {
            "account": progress.account,
            "factors": sorted(progress.factors),
            "authenticated_at": progress.authenticated_at.isoformat() if progress.authenticated_at else None,
            "resumed": progress.resumed,
            "foreign": progress.foreign,
            "chosen": progress.chosen,
            "consented": None if progress.consented is None else sorted(progress.consented),
            "keep": progress.keep,
            "cancelled": progress.cancelled,
            "password_at": progress.password_at.isoformat() if progress.password_at else None,
            "out_of_step": progress.out_of_step,
            "proven_by": progress.proven_by,
        }
    )


def _progress_of_json(stored: dict[str, Any]) -> Progress:
    at, consented, set_at = stored["authenticated_at"], stored["consented"], stored.get("password_at")
    return Progress(
        **stored
        | {
            "factors": frozenset(Factor(one) for one in stored["factors"]),
            "authenticated_at": datetime.fromisoformat(at) if at else None,
            "consented": None if consented is None else frozenset(consented),
            "password_at": datetime.fromisoformat(set_at) if set_at else None,
            "out_of_step": tuple(stored["out_of_step"]) if stored.get("out_of_step") else None,
        }
    )
