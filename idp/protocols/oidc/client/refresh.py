"""What clients keep at addresses of their own, fetched anew by the worker (RUL-31)."""

import json

from idp.domain.parties import Party
from idp.ports import Fetcher
from idp.protocols.oidc.client.registration import check_metadata, written
from idp.protocols.oidc.client.remote import KEYS, obtained
from idp.services.relying_parties import parties
from idp.services.relying_parties.keys import note_try, take_due
from idp.services.relying_parties.settings import BadParty
from idp.services.work import Office

_AT_ONCE = 20


def refresh_keys_due(office: Office, fetcher: Fetcher) -> dict[str, str]:
    """Fetch what is due; answers how it went by client ID. What cannot be used is noted, and the last good stays."""
    found = {}
    for party_id in take_due(office, parties.OIDC, _AT_ONCE):
        party = office.directory.party_by_id(party_id)
        if party is None:
            continue
        try:
            found[party.identity], trouble = _refreshed(office, party, fetcher), ""
        except BadParty as bad:
            found[party.identity] = trouble = str(bad)
        with office.work("worker") as work:
            note_try(work, party.id, trouble)
    return found


def _refreshed(office: Office, party: Party, fetcher: Fetcher) -> str:
    given = json.loads(party.document)
    if KEYS in given:
        given.pop("jwks", None)
    newer = obtained(given, fetcher)
    check_metadata(newer, party.settings.profile)
    document = written(newer)
    if document == party.document:
        return "unchanged"
    with office.work("worker") as work:
        known = parties.find(work, party.id)
        # The registration may have been replaced while its addresses were asked.
        if known.version == party.version:
            parties.renew(work, known, document)
    return "changed"
