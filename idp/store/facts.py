"""What an account holds, read and turned into values: the only builder of `Held`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, Integer, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import aliased

from idp.domain.assertion import LegalSubject
from idp.domain.assurance import Factor, Level
from idp.domain.identifiers import BranchNumber, KvkNumber, Oin, Rsin, ServiceUuid
from idp.domain.mandates import MAXIMUM_CHAIN, Link, Mandate, Scope, ScopeKind
from idp.domain.means import Held, MeansStatus, Registration
from idp.store.base import AnyRow
from idp.store.mandates import MandateRow
from idp.store.means import Means
from idp.store.organisations import Branch, Organisation
from idp.store.people import Account, CertificateRow, Passkey, Responder
from idp.store.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Way:
    """One way to act as a value, with the ids and names that an assertion needs.

    ``intermediaries`` stand in the order of the chain, the person's own company last; ``own_company_id`` is its id, or
    empty where there is no chain: it keys the pseudonym (RUL-9).
    """

    held: Held
    person_id: str
    principal_id: str
    principal: LegalSubject
    own_company_id: str
    intermediaries: tuple[LegalSubject, ...]


_MANDATE_COLUMNS = (
    MandateRow.id.label("mandate_id"),
    MandateRow.scope,
    MandateRow.service_uuid,
    MandateRow.provider_oin,
    MandateRow.level.label("mandate_level"),
    MandateRow.branches,
    MandateRow.valid_from,
    MandateRow.valid_until.label("mandate_until"),
    MandateRow.last_used_on,
)
_ORGANISATION_COLUMNS = (
    Organisation.id.label("organisation_id"),
    Organisation.kvk,
    Organisation.rsin,
    Organisation.name,
    Organisation.status.label("organisation_status"),
)
# What was revoked or suspended no longer exists for a login (M-10).
_STANDING: ColumnElement[bool] = and_(MandateRow.revoked_at.is_(None), MandateRow.suspended_at.is_(None))
_OPEN_BRANCH = aliased(Branch)
_OPEN_BRANCHES = (
    select(func.count())
    .select_from(_OPEN_BRANCH)
    .where(_OPEN_BRANCH.organisation_id == Organisation.id, _OPEN_BRANCH.closed_on.is_(None))
    .scalar_subquery()
)
_HAS_RESPONDER = or_(
    exists().where(Responder.account_id == Means.account_id, Responder.status == "assigned"),
    # A security key proves the same factor (docs/decisions/0013).
    exists().where(Passkey.account_id == Means.account_id, Passkey.status == "active"),
)
_HAS_CERTIFICATE = exists().where(CertificateRow.account_id == Means.account_id, CertificateRow.status == "active")
_HOLDINGS = (
    select(
        Means.id.label("means_id"),
        Means.level,
        Means.status,
        Means.valid_until,
        Means.upgrade_gap_until,
        Account.person_id,
        Branch.number.label("branch"),
        _OPEN_BRANCHES.label("open_branches"),
        _HAS_RESPONDER.label("has_responder"),
        _HAS_CERTIFICATE.label("has_certificate"),
        *_ORGANISATION_COLUMNS,
        *_MANDATE_COLUMNS,
    )
    .join(Account, Account.id == Means.account_id)
    .join(Organisation, Organisation.id == Means.organisation_id)
    .outerjoin(Branch, Branch.id == Means.branch_id)
    .outerjoin(MandateRow, and_(MandateRow.means_id == Means.id, _STANDING))
    .where(Account.status == "active")
)
_MEANS = Prepared(_HOLDINGS.where(Means.account_id == bindparam("account")).order_by(Means.id, MandateRow.id))
_MEANS_BETWEEN = Prepared(
    _HOLDINGS.add_columns(Means.account_id, Account.username)
    .where(Means.account_id.between(bindparam("first"), bindparam("last")))
    .order_by(Means.account_id, Means.id, MandateRow.id)
)
_ACCOUNTS = Prepared(
    select(Account.id)
    .where(Account.id > bindparam("after"))
    .order_by(Account.id)
    .limit(bindparam("most", type_=Integer))
)
_CHAINED = (
    select(
        MandateRow.intermediary_id,
        MandateRow.principal_confirmed_at,
        MandateRow.intermediary_confirmed_at,
        *_ORGANISATION_COLUMNS,
        *_MANDATE_COLUMNS,
    )
    .join(Organisation, Organisation.id == MandateRow.organisation_id)
    .where(_STANDING)
    .order_by(MandateRow.id)
)
_LINKS = Prepared(_CHAINED.where(MandateRow.intermediary_id == bindparam("company")))
_BATCH = 500
# What an account can prove beside its password, by whether it has a responder and a certificate.
_FACTORS: dict[tuple[bool, bool], frozenset[Factor]] = {
    (False, False): frozenset(),
    (True, False): frozenset({Factor.OTP}),
    (False, True): frozenset({Factor.CERTIFICATE}),
    (True, True): frozenset({Factor.OTP, Factor.CERTIFICATE}),
}


def ways_of(connection: Connection, account: str) -> tuple[Way, ...]:
    """Every way to act that an account holds, for its own organisations and through chains (RUL-15)."""
    rows = _MEANS.all(connection, account=account)
    own = _own_ways(rows)

    def links(companies: set[str]) -> list[AnyRow]:
        return [row for company in sorted(companies) for row in _LINKS.all(connection, company=company)]

    return _with_chains(own, _links_towards(links, {way.principal_id for way in own}))


def every_way(connection: Connection) -> Iterator[tuple[int, Sequence[tuple[str, tuple[Way, ...]]]]]:
    """Every way to act of every account with means, by username, in portions with the number of accounts looked at.

    Portions go by primary key and take a few statements each, so that a million accounts cost time but no memory.
    """

    def links(companies: set[str]) -> list[AnyRow]:
        return list(connection.execute(_CHAINED.where(MandateRow.intermediary_id.in_(sorted(companies)))).all())

    after = ""
    while accounts := _ACCOUNTS.all(connection, after=after, most=_BATCH):
        first, after = accounts[0].id, accounts[-1].id
        rows = _MEANS_BETWEEN.all(connection, first=first, last=after)
        held = {name: _own_ways(list(group)) for name, group in groupby(rows, key=lambda row: row.username)}
        upstream = _links_towards(links, {way.principal_id for ways in held.values() for way in ways})
        yield len(accounts), [(name, _with_chains(ways, upstream)) for name, ways in held.items()]


def _own_ways(rows: Sequence[AnyRow]) -> list[Way]:
    return [_own_way(list(group)) for _, group in groupby(rows, key=lambda row: row.means_id)]


def _with_chains(own: Sequence[Way], upstream: dict[str, list[tuple[AnyRow, Link]]]) -> tuple[Way, ...]:
    return tuple(way for one in own for way in (one, *_chained(one, upstream)))


def _links_towards(
    links: Callable[[set[str]], list[AnyRow]], companies: set[str]
) -> dict[str, list[tuple[AnyRow, Link]]]:
    """Links by their intermediary, followed upstream as far as a chain may be long."""
    found: dict[str, list[tuple[AnyRow, Link]]] = {}
    seen, ahead = set(companies), companies
    for _ in range(MAXIMUM_CHAIN):
        rows = links(ahead) if ahead else []
        ahead = {row.organisation_id for row in rows} - seen
        seen |= ahead
        for row in rows:
            found.setdefault(row.intermediary_id, []).append((row, _link(row)))
    return found


def _chained(own: Way, upstream: dict[str, list[tuple[AnyRow, Link]]]) -> Iterator[Way]:
    """The chains that end at the own organisation, shortest first."""
    paths: list[tuple[tuple[AnyRow, ...], tuple[Link, ...]]] = [
        ((row,), (_towards(link, own.principal.kvk),)) for row, link in upstream.get(own.principal_id, [])
    ]
    for _ in range(MAXIMUM_CHAIN):
        longer: list[tuple[tuple[AnyRow, ...], tuple[Link, ...]]] = []
        for rows, links in paths:
            yield _chain_way(own, rows, links)
            visited = {own.principal.kvk, *(link.principal for link in links)}
            longer += [
                ((further, *rows), (_towards(link, links[0].principal), *links))
                for further, link in upstream.get(rows[0].organisation_id, [])
                if link.principal not in visited
            ]
        paths = longer


def _own_way(rows: Sequence[AnyRow]) -> Way:
    first = rows[0]
    held = Held(
        means=first.means_id,
        level=Level(first.level),
        status=MeansStatus(first.status),
        registration=Registration(KvkNumber(first.kvk), BranchNumber(first.branch) if first.branch else None),
        valid_until=first.valid_until,
        mandates=tuple(_mandate(row) for row in rows if row.mandate_id is not None),
        factors=_FACTORS[bool(first.has_responder), bool(first.has_certificate)],
        organisation_active=first.organisation_status == "active",
        open_branches=first.open_branches,
        upgrade_gap_until=first.upgrade_gap_until,
    )
    return Way(held, first.person_id, first.organisation_id, _subject(first), "", ())


def _chain_way(own: Way, rows: tuple[AnyRow, ...], links: tuple[Link, ...]) -> Way:
    """``rows`` are the companies before the own one, the represented organisation first; all have to stand."""
    active = own.held.organisation_active and all(row.organisation_status == "active" for row in rows)
    chained = replace(own.held, chain=links, organisation_active=active)
    between = (*map(_subject, rows[1:]), own.principal)
    return Way(chained, own.person_id, rows[0].organisation_id, _subject(rows[0]), own.principal_id, between)


def _link(row: AnyRow) -> Link:
    kvk = KvkNumber(row.kvk)
    confirmed = (row.principal_confirmed_at is not None, row.intermediary_confirmed_at is not None)
    return Link(kvk, kvk, _mandate(row), *confirmed)


def _towards(link: Link, intermediary: KvkNumber) -> Link:
    return replace(link, intermediary=intermediary)


def _mandate(row: AnyRow) -> Mandate:
    return Mandate(
        id=row.mandate_id,
        scope=Scope(
            ScopeKind(row.scope),
            ServiceUuid(row.service_uuid) if row.service_uuid else None,
            Oin(row.provider_oin) if row.provider_oin else None,
        ),
        level=Level(row.mandate_level),
        branches=frozenset(_branches(row.branches)),
        valid_from=row.valid_from,
        valid_until=row.mandate_until,
        last_used=row.last_used_on,
    )


def _branches(text: str) -> Iterable[BranchNumber]:
    return (BranchNumber(one) for one in text.split(",") if one)


def _subject(row: AnyRow) -> LegalSubject:
    return LegalSubject(KvkNumber(row.kvk), Rsin(row.rsin) if row.rsin else None, row.name)
