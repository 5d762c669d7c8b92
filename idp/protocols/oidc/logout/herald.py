"""Logout tokens, carried from the outbox to the clients by the worker (Back-Channel Logout 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from idp.domain.audit import Event
from idp.domain.parties import Party
from idp.ports import Courier, FetchFailed, Overloaded
from idp.protocols.oidc.client.client import client_of
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.jose.jwe import encrypted_for
from idp.protocols.oidc.jose.jws import sign
from idp.protocols.oidc.parameters import FORM
from idp.services.mail.outbox import Due, Fate, Outbox, Taken
from idp.services.relying_parties.parties import OIDC
from idp.services.sessions.farewell import KIND
from idp.services.work import Office

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
TYPE: Final = "logout+jwt"
_LASTS: Final = timedelta(minutes=2)
# After a day no session that we ended can be alive anywhere for our sake.
_GIVEN_UP: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Herald:
    """Tells clients that sessions are over; any number may work on one outbox."""

    office: Office
    courier: Courier

    def deliver_due(self) -> dict[str, int]:
        """Try every message that is due; answers how many ended how. One that is delayed comes back by itself.

        A client that is not well is asked once a round, so that it does not hold up the others.
        """
        outbox, counts, unwell = Outbox(self.office, KIND), dict[str, int](), set[str]()
        for due in outbox.due():
            if due.recipient in unwell:
                continue
            fate = self._deliver(outbox, due)
            if fate is Fate.DELAYED:
                unwell.add(due.recipient)
            counts[fate] = counts.get(fate, 0) + 1
        return counts

    def _deliver(self, outbox: Outbox, due: Due) -> Fate:
        taken = outbox.take(due)
        if taken is None:
            return Fate.TAKEN
        party = self.office.directory.party_by_id(taken.facts["party"])
        address = self.office.directory.parsed(party, client_of).logout.back if party and party.protocol == OIDC else ""
        if party is None or not address:
            return outbox.end(taken, Fate.DISCARDED)
        try:
            token = logout_token(self.office, party, taken, self.office.clock.now())
            self.courier.post(address, FORM, urlencode({"logout_token": token}).encode())
        except (FetchFailed, Overloaded):
            if self.office.clock.now() <= taken.since + _GIVEN_UP:
                return outbox.again(taken)
            return outbox.end(taken, Fate.FAILED, Event.LOGOUT_ANSWERED, party=party.id, confirmed="false")
        return outbox.end(taken, Fate.SENT, Event.LOGOUT_ANSWERED, party=party.id, confirmed="true")


def logout_token(office: Office, party: Party, taken: Taken, now: datetime) -> str:
    """What tells a client that a session is over; each attempt has a name of its own, so that none counts as replayed.

    It is no ID token: it has another type, no nonce, and says what happened (Back-Channel Logout 2.4).
    """
    client, issued_at = office.directory.parsed(party, client_of), int(now.timestamp())
    claims: Mapping[str, Any] = {
        "iss": issuer(office),
        "aud": party.identity,
        "iat": issued_at,
        "exp": issued_at + int(_LASTS.total_seconds()),
        "jti": f"{taken.id}-{taken.tries}",
        "sub": taken.facts["sub"],
        "sid": taken.facts["sid"],
        "events": {EVENT: {}},
    }
    return encrypted_for(client.tokens.id_token_encryption, sign(office.keys, client.id_token_algorithm, claims, TYPE))
