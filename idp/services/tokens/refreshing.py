"""Refresh tokens: they rotate, and an old one ends the family; or they stay and are bound (RUL-30, RUL-34)."""

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import Boolean, and_, bindparam, or_, update

from idp.domain.assertion import Assertion
from idp.domain.audit import Event
from idp.domain.parties import Party
from idp.services.decision.assertions import assertion_text
from idp.services.decision.conclusion import reassert
from idp.services.tokens.grants import (
    ACCESS_COLUMNS,
    ACCOUNT_STANDS,
    GRANT,
    LONGEST,
    REFRESH,
    Dead,
    Grant,
    Issued,
    Terms,
    access_columns,
    after_reuse,
    grant_of,
    new_secret,
    refresh_columns,
    revoke,
)
from idp.services.work import Office, Work
from idp.store.grants import AccessRow, GrantRow
from idp.store.merge import add
from idp.store.prepared import Prepared

_REFRESH_TOKEN = re.compile(r"([0-9a-f]{32})\.[A-Za-z0-9_-]{43}", re.ASCII)
_OF_REFRESH = and_(
    GrantRow.id == bindparam("grant"),
    GrantRow.party_id == bindparam("party"),
    GrantRow.refresh_digest.is_not(None),
    GrantRow.revoked_at.is_(None),
)
_REFRESHES = and_(
    _OF_REFRESH,
    GrantRow.refresh_digest == bindparam("presented"),
    GrantRow.refresh_expires_at > bindparam("now"),
    GrantRow.created_at > bindparam("oldest"),
    # What a public client was given stays with its key (RFC 9449 section 5).
    or_(bindparam("free", type_=Boolean()), GrantRow.binding.is_(None), GrantRow.binding == bindparam("binding")),
    ACCOUNT_STANDS,
)
_ROTATE = Prepared(
    update(GrantRow)
    .where(_REFRESHES)
    .values(
        **ACCESS_COLUMNS,
        refresh_digest=bindparam("refresh"),
        refresh_expires_at=bindparam("refresh_until"),
    )
    .returning(*GRANT)
)
# A refresh token that does not change has no old ones; unused it lapses as any other.
_EXTEND = Prepared(
    update(GrantRow).where(_REFRESHES).values(refresh_expires_at=bindparam("refresh_until")).returning(*GRANT)
)
_FURTHER = add(AccessRow)
_REFRESH_REUSED = Prepared(
    update(GrantRow)
    .where(_OF_REFRESH, GrantRow.refresh_digest != bindparam("presented"))
    .values(revoked_at=bindparam("now"))
    .returning(GrantRow.id)
)
_NAMES = {"access": "access_digest", "access_until": "access_expires_at"} | {
    "scope": "access_scope",
    "audience": "access_audience",
}


def rotate(work: Work, party: Party, token: str, terms: Terms) -> Issued | Dead:
    """Exchange a refresh token for new tokens after judging the login anew (SEC-36); an old one ends the family."""
    which = refresh_token_parts(work.office, token)
    if which is None:
        return Dead.UNKNOWN
    access, refresh = new_secret(work), new_secret(work)
    given = (
        _refreshing(work, party, terms) | access_columns(work, access, terms) | refresh_columns(work, refresh, terms)
    )
    row = _ROTATE.one(work.connection, **which, **given)
    if row is None:
        return after_reuse(work, party, _REFRESH_REUSED, which, "refresh token")
    return _anew(work, party, grant_of(row), Issued(grant_of(row), access, f"{row.id}.{refresh}", terms))


def extend(work: Work, party: Party, token: str, terms: Terms) -> Issued | Dead:
    """A further access token for a refresh token that stays as it is, for profiles without rotation (RUL-30)."""
    which = refresh_token_parts(work.office, token)
    if which is None:
        return Dead.UNKNOWN
    access, tokens = new_secret(work), _refreshing(work, party, terms)
    until = {"refresh_until": work.now + terms.refresh, "binding": terms.binding or None}
    row = _EXTEND.one(work.connection, **which, **tokens, **until)
    if row is None:
        return Dead.UNKNOWN
    columns = access_columns(work, access, terms)
    further = {_NAMES.get(name, name): value for name, value in columns.items()}
    _FURTHER.run(work.connection, id=work.new_id(), created_at=work.now, grant_id=row.id, **further)
    return _anew(work, party, grant_of(row), Issued(grant_of(row), access, None, terms))


def refresh_token_parts(office: Office, token: str) -> dict[str, str] | None:
    """The grant that a refresh token names and the digest of its secret, or None for what is none of ours."""
    form = _REFRESH_TOKEN.fullmatch(token)
    if form is None:
        return None
    return {"grant": form.group(1), "presented": office.vault.digest(token.partition(".")[2], REFRESH)}


def _anew(work: Work, party: Party, grant: Grant, issued: Issued) -> Issued | Dead:
    """What was issued, about the login as it stands now; when it no longer stands, all ends."""
    judged = _judged_again(work, party, grant)
    if judged is None:
        revoke(work, grant.id)
        return Dead.WITHDRAWN
    work.connection.execute(update(GrantRow).where(GrantRow.id == grant.id).values(assertion=assertion_text(judged)))
    work.record(Event.TOKEN_ISSUED, grant=grant.id, party=party.id)
    return replace(issued, grant=replace(grant, assertion=judged))


def _judged_again(work: Work, party: Party, grant: Grant) -> Assertion | None:
    """The assertion as it would be made now; None when there would be none, or one about somebody else."""
    earlier = grant.assertion
    if all(service.instance_uuid != grant.asked.service for _, service in party.services):
        return None
    judged = reassert(work, party, grant.asked, earlier.basis, earlier)
    return judged if isinstance(judged, Assertion) and judged.subject == earlier.subject else None


def _refreshing(work: Work, party: Party, terms: Terms) -> dict[str, Any]:
    return {"party": party.id, "now": work.now, "oldest": work.now - LONGEST, "free": not terms.held}
