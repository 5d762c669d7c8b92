"""What a token stands for when it is shown, and what withdrawing it ends (RFC 7662, RFC 7009)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from idp.services.tokens.grants import ACCOUNT_STANDS, GRANT, LONGEST, Grant, access_digest, grant_of
from idp.services.tokens.refreshing import refresh_token_parts
from idp.services.work import Office, Work
from idp.store.grants import AccessRow, GrantRow
from idp.store.prepared import Prepared

_BY_ACCESS = Prepared(
    select(*GRANT, GrantRow.access_expires_at, GrantRow.binding, GrantRow.access_scope, GrantRow.access_audience).where(
        GrantRow.access_digest == bindparam("access"),
        GrantRow.access_expires_at > bindparam("now"),
        GrantRow.revoked_at.is_(None),
        ACCOUNT_STANDS,
    )
)
_BY_FURTHER_ACCESS = Prepared(
    select(
        *GRANT, AccessRow.access_expires_at, AccessRow.binding, AccessRow.access_scope, AccessRow.access_audience
    ).where(
        AccessRow.access_digest == bindparam("access"),
        AccessRow.access_expires_at > bindparam("now"),
        GrantRow.id == AccessRow.grant_id,
        GrantRow.revoked_at.is_(None),
        ACCOUNT_STANDS,
    )
)
_BY_REFRESH = Prepared(
    select(*GRANT, GrantRow.refresh_expires_at, GrantRow.binding, GrantRow.created_at).where(
        GrantRow.id == bindparam("grant"),
        GrantRow.refresh_digest == bindparam("presented"),
        GrantRow.refresh_expires_at > bindparam("now"),
        GrantRow.created_at > bindparam("oldest"),
        GrantRow.revoked_at.is_(None),
        ACCOUNT_STANDS,
    )
)


@dataclass(frozen=True, slots=True)
class Access:
    """A token that counts: its grant, until when, what must come with it, and what it is good for.

    ``scope`` and ``audience`` (separated by spaces) are empty where it is good for all of the grant.
    """

    grant: Grant
    until: datetime
    binding: str
    scope: str
    audience: str


def of_access_token(office: Office, token: str, now: datetime, *, signed: bool = False) -> Access | None:
    """What an access token, or a signed one's name, stands for; None when it is unknown, late or withdrawn."""
    with office.reading() as connection:
        return _of_access(connection, access_digest(office, token, signed=signed), now)


def of_refresh_token(office: Office, token: str, now: datetime) -> Access | None:
    """What a refresh token stands for, or None when it is unknown, late, rotated away or withdrawn."""
    which = refresh_token_parts(office, token)
    if which is None:
        return None
    with office.reading() as connection:
        row = _BY_REFRESH.one(connection, **which, now=now, oldest=now - LONGEST)
    if row is None:
        return None
    until = min(row.refresh_expires_at, row.created_at + LONGEST)
    return Access(grant_of(row), until, row.binding or "", "", "")


def withdraw_access(work: Work, token: str, *, signed: bool = False) -> None:
    """End one access token; its grant and what else it gave stay."""
    digest = access_digest(work.office, token, signed=signed)
    ending = update(GrantRow).where(GrantRow.access_digest == digest)
    work.connection.execute(ending.values(access_digest=None, access_expires_at=None))
    work.connection.execute(delete(AccessRow).where(AccessRow.access_digest == digest))


def _of_access(connection: Connection, digest: str, now: datetime) -> Access | None:
    for statement in (_BY_ACCESS, _BY_FURTHER_ACCESS):
        row: Any = statement.one(connection, access=digest, now=now)
        if row is not None:
            scope, audience = row.access_scope or "", row.access_audience or ""
            return Access(grant_of(row), row.access_expires_at, row.binding or "", scope, audience)
    return None
