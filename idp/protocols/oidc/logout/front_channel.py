"""Telling clients of a logout in frames of our last page (Front-Channel Logout 1.0)."""

from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from idp.protocols.oidc.client.client import client_of
from idp.protocols.oidc.endpoints import issuer
from idp.services.relying_parties.parties import OIDC
from idp.services.sessions.logout import Participant
from idp.services.work import Office


def frames(office: Office, clients: Iterable[Participant]) -> tuple[str, ...]:
    """The addresses to load: registered ones alone, each with our issuer and the client's name of the session."""
    found = []
    for one in clients:
        party = office.directory.party_by_id(one.party)
        address = office.directory.parsed(party, client_of).logout.front if party and party.protocol == OIDC else ""
        if address:
            joint = "&" if urlsplit(address).query else "?"
            found.append(address + joint + urlencode({"iss": issuer(office), "sid": one.index}))
    return tuple(found)
