"""Authorizations of OIDC clients: a code redeemed once, tokens that rotate, a family that ends as one (SEC-21)."""

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, case, delete, exists, select, update

from idp.domain.assertion import Assertion
from idp.domain.audit import Event
from idp.domain.login import LoginRequest
from idp.domain.parties import Party
from idp.services.decision.assertions import assertion_of_text, assertion_text
from idp.services.decision.logins import request_json, request_of_json
from idp.services.work import Office, Work
from idp.store.base import UtcDateTime
from idp.store.grants import GrantRow
from idp.store.logins import SessionRow
from idp.store.merge import add
from idp.store.people import Account
from idp.store.prepared import Prepared

# However often it is refreshed, an authorization ends after a day (domain 11.1).
LONGEST = timedelta(hours=24)
# Whatever the settings say (SEC-21, FAPI 2.0 section 5.3.2.1).
_LONGEST_CODE = timedelta(seconds=60)
_CODE, _ACCESS, _SIGNED, REFRESH = "oidc-code", "oidc-access", "oidc-signed", "oidc-refresh"


class Dead(StrEnum):
    """Why a code or a token is worth nothing."""

    UNKNOWN = "unknown"
    REUSED = "reused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Grant:
    """One authorization: what was asked, and what we said."""

    id: str
    party: str
    asked: LoginRequest
    assertion: Assertion


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms tokens are given out.

    ``binding`` is the key or certificate that must come with them, empty for none; a refresh token stays with it where
    it is ``held``. ``scope`` and ``audience`` (separated by spaces) are what the access token is good for, empty for
    all of the grant. ``signed`` says that the access token is told inside a signed one, and is worth nothing alone.
    """

    access: timedelta
    refresh: timedelta
    binding: str = ""
    held: bool = False
    scope: str = ""
    audience: str = ""
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens just given out, and the authorization they stand for; they are shown this once.

    ``access`` is the token, or the name (``jti``) of a signed one.
    """

    grant: Grant
    access: str
    refresh: str | None
    terms: Terms


# What an account no longer may do, its tokens no longer can (SEC-30).
ACCOUNT_STANDS = exists().where(Account.id == GrantRow.account_id, Account.status == "active")
GRANT = (GrantRow.id, GrantRow.party_id, GrantRow.request, GrantRow.assertion)
ACCESS_COLUMNS: Mapping[str, BindParameter[Any]] = {
    "access_digest": bindparam("access"),
    "access_expires_at": bindparam("access_until"),
    "binding": bindparam("binding"),
    "access_scope": bindparam("scope"),
    "access_audience": bindparam("audience"),
}
_OF_CODE = and_(GrantRow.code_digest == bindparam("code"), GrantRow.party_id == bindparam("party"))
_REDEEM = Prepared(
    update(GrantRow)
    .where(
        _OF_CODE,
        GrantRow.code_used_at.is_(None),
        GrantRow.revoked_at.is_(None),
        GrantRow.code_expires_at > bindparam("now"),
        ACCOUNT_STANDS,
    )
    .values(
        **ACCESS_COLUMNS,
        code_used_at=bindparam("now"),
        refresh_digest=case((GrantRow.refreshable, bindparam("refresh")), else_=None),
        refresh_expires_at=case((GrantRow.refreshable, bindparam("refresh_until", type_=UtcDateTime)), else_=None),
    )
    .returning(*GRANT, GrantRow.refreshable)
)
_CODE_REUSED = Prepared(
    update(GrantRow)
    .where(_OF_CODE, GrantRow.code_used_at.is_not(None), GrantRow.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
    .returning(GrantRow.id)
)
# What a new authorization does not have yet.
_LATER = (
    "code_used_at",
    "access_digest",
    "access_expires_at",
    "refresh_digest",
    "refresh_expires_at",
    "revoked_at",
    "binding",
    "access_scope",
    "access_audience",
)
_OPEN = add(GrantRow)


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization is redeemed by: its keyed digest, and until when."""

    digest: str
    until: datetime


def open_grant(work: Work, party: Party, asked: LoginRequest, assertion: Assertion, refreshable: bool) -> str:
    """Store an authorization inside the transaction that concludes the login; answers its code (SEC-17, SEC-21)."""
    code = new_secret(work)
    until = work.now + min(timedelta(seconds=work.office.settings.oidc.code_seconds), _LONGEST_CODE)
    open_grant_for(work, party, (asked, assertion), refreshable, Code(code_digest(work.office, code), until))
    return code


def code_digest(office: Office, code: str) -> str:
    """The keyed digest of a code, or of a device code that becomes one."""
    return office.vault.digest(code, _CODE)


def open_grant_for(
    work: Work, party: Party, login: tuple[LoginRequest, Assertion], refreshable: bool, code: Code
) -> None:
    """Store an authorization that is redeemed by a code which somebody holds already."""
    asked, assertion = login
    row = {
        "id": work.new_id(),
        "created_at": work.now,
        "party_id": party.id,
        "account_id": assertion.basis.account,
        "session_id": assertion.session,
        "request": json.dumps(request_json(asked)),
        "assertion": assertion_text(assertion),
        "refreshable": refreshable,
        "code_digest": code.digest,
        "code_expires_at": code.until,
        **dict.fromkeys(_LATER),
    }
    _OPEN.run(work.connection, **row)


def redeem(work: Work, party: Party, code: str, terms: Terms) -> Issued | Dead:
    """Exchange a code for tokens, by one statement; a second use ends what the first produced (SEC-21, RUL-34)."""
    digest = code_digest(work.office, code)
    access, refresh = new_secret(work), new_secret(work)
    tokens = access_columns(work, access, terms) | refresh_columns(work, refresh, terms)
    row = _REDEEM.one(work.connection, code=digest, party=party.id, now=work.now, **tokens)
    if row is None:
        return after_reuse(work, party, _CODE_REUSED, {"code": digest}, "code")
    # The login was recorded when it was granted; that its code was fetched stands in the row alone.
    return Issued(grant_of(row), access, f"{row.id}.{refresh}" if row.refreshable else None, terms)


def revoke(work: Work, grant_id: str) -> None:
    """End an authorization with all its tokens."""
    ending = update(GrantRow).where(GrantRow.id == grant_id, GrantRow.revoked_at.is_(None))
    work.connection.execute(ending.values(revoked_at=work.now))


def revoke_all(work: Work, account: str) -> None:
    """End every authorization of an account: its codes and tokens are worth nothing any more (SEC-30)."""
    ending = update(GrantRow).where(GrantRow.account_id == account, GrantRow.revoked_at.is_(None))
    work.connection.execute(ending.values(revoked_at=work.now))


def revoke_unredeemed(work: Work, sessions: Collection[str]) -> None:
    """End the codes of ended sessions that nobody has redeemed yet; tokens that were given out stay (SEC-30)."""
    # By the account, which has an index.
    accounts = select(SessionRow.account_id).where(SessionRow.id.in_(sorted(sessions)))
    ending = update(GrantRow).where(
        GrantRow.account_id.in_(accounts),
        GrantRow.session_id.in_(sorted(sessions)),
        GrantRow.code_used_at.is_(None),
        GrantRow.revoked_at.is_(None),
    )
    work.connection.execute(ending.values(revoked_at=work.now))


def forget(work: Work, before: datetime) -> int:
    """Drop authorizations made before an instant of the real clock; their ids sort by time. Answers how many."""
    first_kept = (int(before.timestamp() * 1000)).to_bytes(6, "big").hex()
    return work.connection.execute(delete(GrantRow).where(GrantRow.id < first_kept)).rowcount


def grant_of(row: Any) -> Grant:
    """The authorization of a row that has the columns of ``GRANT``."""
    return Grant(row.id, row.party_id, request_of_json(json.loads(row.request)), assertion_of_text(row.assertion))


def access_digest(office: Office, token: str, *, signed: bool) -> str:
    """The keyed digest of an access token; the name of a signed one is no token by itself."""
    return office.vault.digest(token, _SIGNED if signed else _ACCESS)


def after_reuse(work: Work, party: Party, ending: Prepared, which: Mapping[str, str], what: str) -> Dead:
    """End what a code or refresh token produced that was used before; tells whether it was (RUL-34)."""
    ended = ending.one(work.connection, **which, party=party.id, now=work.now)
    if ended is None:
        return Dead.UNKNOWN
    work.record(Event.TOKEN_REUSED, grant=ended.id, party=party.id, what=what)
    return Dead.REUSED


def access_columns(work: Work, token: str, terms: Terms) -> dict[str, Any]:
    """The values of ``ACCESS_COLUMNS``."""
    return {
        "access": access_digest(work.office, token, signed=terms.signed),
        "access_until": work.now + terms.access,
        "binding": terms.binding or None,
        "scope": terms.scope or None,
        "audience": terms.audience or None,
    }


def refresh_columns(work: Work, token: str, terms: Terms) -> dict[str, Any]:
    """The digest and the end of a refresh token."""
    return {"refresh": work.office.vault.digest(token, REFRESH), "refresh_until": work.now + terms.refresh}


def new_secret(work: Work) -> str:
    """256 random bits in 43 characters that need no escaping anywhere."""
    return base64.urlsafe_b64encode(work.office.entropy.bytes(32)).rstrip(b"=").decode()
