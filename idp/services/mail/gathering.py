"""Gathering the notices for one address, in one language, into one mail, when the first of them leaves."""

import json
from dataclasses import replace

from sqlalchemy import bindparam, exists, or_, select, tuple_, update
from sqlalchemy.orm import aliased

from idp.services.mail.notices import Notice
from idp.services.mail.parcels import SEAL, Outgoing
from idp.services.work import Work
from idp.store.base import UtcDateTime
from idp.store.parcels import Parcel
from idp.store.prepared import Prepared

SEVERAL = "several"
_MOST = 50
_KINDS = [one.value for one in Notice]
_First = aliased(Parcel)
_WAITS = (_First.status == "queued", _First.attempts == 0, _First.template.in_(_KINDS))
_SAME = (_First.recipient == Parcel.recipient, _First.locale == Parcel.locale)
_EARLIER = tuple_(_First.created_at, _First.id) < tuple_(Parcel.created_at, Parcel.id)
NOT_LED = or_(Parcel.template.not_in(_KINDS), Parcel.attempts > 0, ~exists().where(*_WAITS, *_SAME, _EARLIER))
"""A mail that no earlier one will take along: two workers never hold two notices that belong together."""

_OTHERS = (
    select(_First.id, _First.template, _First.payload)
    .where(
        *_WAITS,
        _First.recipient == bindparam("to"),
        _First.locale == bindparam("language"),
        # Only later ones, and in their order: nobody waits for somebody who waits for them.
        tuple_(_First.created_at, _First.id) > tuple_(bindparam("since", type_=UtcDateTime()), bindparam("parcel")),
    )
    .order_by(_First.created_at, _First.id)
    .limit(_MOST - 1)
)
_TAKE_ALONG = Prepared(
    update(Parcel)
    .where(Parcel.id == bindparam("parcel"), Parcel.status == "queued", Parcel.attempts == 0)
    .values(status="discarded", payload=bindparam("empty"), due_at=bindparam("now"))
)


def gathered(work: Work, mail: Outgoing) -> Outgoing:
    """A notice with those that wait for the same address; every later attempt sends what the first one gathered.

    In the transaction that takes them over they stop being mails of their own, so that each is told once.
    """
    if mail.tries > 1:
        return mail
    vault = work.office.vault
    given = {"to": mail.recipient, "language": mail.locale, "since": mail.since, "parcel": mail.id}
    told = [mail.facts | {"notice": mail.template}]
    for row in work.connection.execute(_OTHERS, given).all():
        try:
            facts = json.loads(vault.unseal(row.payload, SEAL))
        except ValueError:
            # It cannot be read: it fails on its own.
            continue
        if _TAKE_ALONG.run(work.connection, parcel=row.id, empty=vault.seal(b"{}", SEAL), now=work.now) == 1:
            told.append(facts | {"notice": row.template})
    if len(told) == 1:
        return mail
    return replace(mail, template=SEVERAL, facts={"notices": json.dumps(told)})
