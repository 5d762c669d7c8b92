"""The end of a session, told to the clients that want to hear of it: queued in the transaction that ends it (S-11)."""

from collections.abc import Collection

from sqlalchemy import select

from idp.services.mail.parcels import Envelope, post
from idp.services.work import Work
from idp.store.base import AnyRow
from idp.store.catalogue import PartyRow
from idp.store.logins import SessionParty

KIND = "backchannel"
TEMPLATE = "logout"
# How a registration says that its client hears of logouts: by a message of ours, or by a page in a frame.
_BACK, _FRONT = "backchannel_logout_uri", "frontchannel_logout_uri"


def bid_farewell(work: Work, sessions: Collection[str]) -> list[AnyRow]:
    """Queue a message for each client of ended sessions that registered an address for it.

    Answers the rows (party, subject, session index) of all clients that hear in one way or the other.
    """
    if not sessions:
        return []
    concerned = (
        select(SessionParty.party_id, SessionParty.subject, SessionParty.session_index, PartyRow.document)
        .join(PartyRow, PartyRow.id == SessionParty.party_id)
        .where(
            SessionParty.session_id.in_(sorted(sessions)),
            PartyRow.protocol == "oidc",
            SessionParty.session_index != "",
            PartyRow.document.contains(_BACK) | PartyRow.document.contains(_FRONT),
        )
        .order_by(SessionParty.party_id)
    )
    rows = list(work.connection.execute(concerned).all())
    for row in rows:
        if _BACK in row.document:
            facts = {"party": row.party_id, "sub": row.subject, "sid": row.session_index}
            post(work, Envelope(KIND, row.party_id, TEMPLATE, ""), facts)
    return rows
