"""Gathering what was noted of one account within minutes into one mail, when the first of it leaves."""

import json

from sqlalchemy import bindparam, select, update

from idp.services.delivery import Addressed, Facts
from idp.services.notices import TEMPLATE
from idp.services.own import holder_of
from idp.services.parcels import SEAL
from idp.services.work import Work
from idp.store.parcels import Parcel
from idp.store.prepared import Prepared

_MOST = 10
_OTHERS = Prepared(
    select(Parcel.id, Parcel.payload).where(
        Parcel.recipient == bindparam("account"), Parcel.template == TEMPLATE, Parcel.status == "queued"
    )
)
_MERGE = Prepared(
    update(Parcel)
    .where(Parcel.id == bindparam("parcel"), Parcel.status == "queued", Parcel.recipient == bindparam("account"))
    .values(status="discarded", payload=bindparam("empty"), due_at=bindparam("now"))
)


def gathered(work: Work, facts: Facts) -> Addressed | None:
    """To the holder, with what was noted since; asked again it finds what it gathered."""
    account, empty = facts["account"], work.office.vault.seal(b"{}", SEAL)
    holder = holder_of(work, account)
    if holder is None:
        return None
    times = facts["times"].split()
    for row in _OTHERS.all(work.connection, account=account):
        other = json.loads(work.office.vault.unseal(row.payload, SEAL))
        if other["note"] == facts["note"]:
            continue
        if _MERGE.run(work.connection, parcel=row.id, account=account, empty=empty, now=work.now) == 1:
            times += other["times"].split()
    told = {"username": holder.username, "times": " ".join(sorted(times)[-_MOST:])}
    return Addressed(holder.email, holder.locale, facts | told)
