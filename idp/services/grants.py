"""Authorizations of OIDC clients: a code redeemed once, tokens that rotate, a family that ends as one (SEC-21)."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, exists, select, update

from idp.domain.assertion import Assertion
from idp.domain.audit import Event
from idp.domain.login import LoginRequest
from idp.domain.parties import Party
from idp.services.assertions import assertion_of_text, assertion_text
from idp.services.conclusion import reassert
from idp.services.logins import request_json, request_of_json
from idp.services.work import Office, Work
from idp.store.base import UtcDateTime
from idp.store.grants import GrantRow
from idp.store.merge import add
from idp.store.people import Account
from idp.store.prepared import Prepared

# However often it is refreshed, an authorization ends after a day (domain 11.1).
LONGEST = timedelta(hours=24)
_REFRESH_TOKEN = re.compile(r"([0-9a-f]{32})\.[A-Za-z0-9_-]{43}", re.ASCII)
_CODE, _ACCESS, _REFRESH = "oidc-code", "oidc-access", "oidc-refresh"


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
class Issued:
    """Tokens just given out, and the authorization they stand for; they are shown this once."""

    grant: Grant
    access: str
    refresh: str | None


# What an account no longer may do, its tokens no longer can (SEC-30).
_ACCOUNT_STANDS = exists().where(Account.id == GrantRow.account_id, Account.status == "active")
_GRANT = (GrantRow.id, GrantRow.party_id, GrantRow.request, GrantRow.assertion)
_OF_CODE = and_(GrantRow.code_digest == bindparam("code"), GrantRow.party_id == bindparam("party"))
_REDEEM = Prepared(
    update(GrantRow)
    .where(
        _OF_CODE,
        GrantRow.code_used_at.is_(None),
        GrantRow.revoked_at.is_(None),
        GrantRow.code_expires_at > bindparam("now"),
        _ACCOUNT_STANDS,
    )
    .values(
        code_used_at=bindparam("now"),
        access_digest=bindparam("access"),
        access_expires_at=bindparam("access_until"),
        refresh_digest=case((GrantRow.refreshable, bindparam("refresh")), else_=None),
        refresh_expires_at=case((GrantRow.refreshable, bindparam("refresh_until", type_=UtcDateTime)), else_=None),
    )
    .returning(*_GRANT, GrantRow.refreshable)
)
_CODE_REUSED = Prepared(
    update(GrantRow)
    .where(_OF_CODE, GrantRow.code_used_at.is_not(None), GrantRow.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
    .returning(GrantRow.id)
)
_OF_REFRESH = and_(
    GrantRow.id == bindparam("grant"),
    GrantRow.party_id == bindparam("party"),
    GrantRow.refresh_digest.is_not(None),
    GrantRow.revoked_at.is_(None),
)
_ROTATE = Prepared(
    update(GrantRow)
    .where(
        _OF_REFRESH,
        GrantRow.refresh_digest == bindparam("presented"),
        GrantRow.refresh_expires_at > bindparam("now"),
        GrantRow.created_at > bindparam("oldest"),
        _ACCOUNT_STANDS,
    )
    .values(
        access_digest=bindparam("access"),
        access_expires_at=bindparam("access_until"),
        refresh_digest=bindparam("refresh"),
        refresh_expires_at=bindparam("refresh_until"),
    )
    .returning(*_GRANT)
)
_REFRESH_REUSED = Prepared(
    update(GrantRow)
    .where(_OF_REFRESH, GrantRow.refresh_digest != bindparam("presented"))
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
)
_OPEN = add(GrantRow)
_BY_ACCESS = Prepared(
    select(*_GRANT).where(
        GrantRow.access_digest == bindparam("access"),
        GrantRow.access_expires_at > bindparam("now"),
        GrantRow.revoked_at.is_(None),
        _ACCOUNT_STANDS,
    )
)


def open_grant(work: Work, party: Party, asked: LoginRequest, assertion: Assertion, refreshable: bool) -> str:
    """Store an authorization inside the transaction that concludes the login; answers its code (SEC-17, SEC-21)."""
    code = _secret(work)
    row = {
        "id": work.new_id(),
        "created_at": work.now,
        "party_id": party.id,
        "account_id": assertion.basis.account,
        "session_id": assertion.session,
        "request": json.dumps(request_json(asked)),
        "assertion": assertion_text(assertion),
        "refreshable": refreshable,
        "code_digest": work.office.vault.digest(code, _CODE),
        "code_expires_at": work.now + timedelta(seconds=work.office.settings.oidc.code_seconds),
        **dict.fromkeys(_LATER),
    }
    _OPEN.run(work.connection, **row)
    return code


def redeem(work: Work, party: Party, code: str) -> Issued | Dead:
    """Exchange a code for tokens, by one statement; a second use ends what the first produced (SEC-21, RUL-34)."""
    digest = work.office.vault.digest(code, _CODE)
    access, refresh = _secret(work), _secret(work)
    given = {"code": digest, "party": party.id, **_tokens(work, access, refresh)}
    row = _REDEEM.one(work.connection, **given)
    if row is None:
        return _after_reuse(work, party, _CODE_REUSED, {"code": digest}, "code")
    # The login was recorded when it was granted; that its code was fetched stands in the row alone.
    return Issued(_grant(row), access, f"{row.id}.{refresh}" if row.refreshable else None)


def rotate(work: Work, party: Party, token: str) -> Issued | Dead:
    """Exchange a refresh token for new tokens after judging the login anew (SEC-36); an old one ends the family."""
    form = _REFRESH_TOKEN.fullmatch(token)
    if form is None:
        return Dead.UNKNOWN
    which = {"grant": form.group(1), "presented": work.office.vault.digest(token.partition(".")[2], _REFRESH)}
    access, refresh = _secret(work), _secret(work)
    given = {**which, "party": party.id, "oldest": work.now - LONGEST, **_tokens(work, access, refresh)}
    row = _ROTATE.one(work.connection, **given)
    if row is None:
        return _after_reuse(work, party, _REFRESH_REUSED, which, "refresh token")
    grant = _grant(row)
    judged = _judged_again(work, party, grant)
    if judged is None:
        revoke(work, grant.id)
        return Dead.WITHDRAWN
    work.connection.execute(update(GrantRow).where(GrantRow.id == grant.id).values(assertion=assertion_text(judged)))
    work.record(Event.TOKEN_ISSUED, grant=grant.id, party=party.id)
    return Issued(replace(grant, assertion=judged), access, f"{grant.id}.{refresh}")


def of_access_token(office: Office, token: str, now: datetime) -> Grant | None:
    """The authorization for which an access token stands, or None when it is unknown, late or withdrawn."""
    with office.reading() as connection:
        return _of_access_token(connection, office.vault.digest(token, _ACCESS), now)


def revoke(work: Work, grant_id: str) -> None:
    """End an authorization with all its tokens."""
    ending = update(GrantRow).where(GrantRow.id == grant_id, GrantRow.revoked_at.is_(None))
    work.connection.execute(ending.values(revoked_at=work.now))


def revoke_all(work: Work, account: str) -> None:
    """End every authorization of an account: its codes and tokens are worth nothing any more (SEC-30)."""
    ending = update(GrantRow).where(GrantRow.account_id == account, GrantRow.revoked_at.is_(None))
    work.connection.execute(ending.values(revoked_at=work.now))


def forget(work: Work, before: datetime) -> int:
    """Drop authorizations made before an instant of the real clock; their ids sort by time. Answers how many."""
    first_kept = (int(before.timestamp() * 1000)).to_bytes(6, "big").hex()
    return work.connection.execute(delete(GrantRow).where(GrantRow.id < first_kept)).rowcount


def _of_access_token(connection: Connection, digest: str, now: datetime) -> Grant | None:
    row = _BY_ACCESS.one(connection, access=digest, now=now)
    return None if row is None else _grant(row)


def _judged_again(work: Work, party: Party, grant: Grant) -> Assertion | None:
    """The assertion as it would be made now; None when there would be none, or one about somebody else."""
    earlier = grant.assertion
    if all(service.uuid != grant.asked.service for _, service in party.services):
        return None
    judged = reassert(work, party, grant.asked, earlier.basis, earlier)
    return judged if isinstance(judged, Assertion) and judged.subject == earlier.subject else None


def _after_reuse(work: Work, party: Party, ending: Prepared, which: Mapping[str, str], what: str) -> Dead:
    ended = ending.one(work.connection, **which, party=party.id, now=work.now)
    if ended is None:
        return Dead.UNKNOWN
    work.record(Event.TOKEN_REUSED, grant=ended.id, party=party.id, what=what)
    return Dead.REUSED


def _tokens(work: Work, access: str, refresh: str) -> dict[str, Any]:
    rules, vault = work.office.settings.oidc, work.office.vault
    return {
        "now": work.now,
        "access": vault.digest(access, _ACCESS),
        "access_until": work.now + timedelta(seconds=rules.access_seconds),
        "refresh": vault.digest(refresh, _REFRESH),
        "refresh_until": work.now + timedelta(hours=rules.refresh_hours),
    }


def _grant(row: Any) -> Grant:
    return Grant(row.id, row.party_id, request_of_json(json.loads(row.request)), assertion_of_text(row.assertion))


def _secret(work: Work) -> str:
    """256 random bits in 43 characters that need no escaping anywhere."""
    return base64.urlsafe_b64encode(work.office.entropy.bytes(32)).rstrip(b"=").decode()
