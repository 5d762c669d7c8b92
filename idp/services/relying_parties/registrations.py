"""Clients that register themselves: by invitation or freely, and manage what they registered (RFC 7591, RFC 7592)."""

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from idp.domain.parties import Party
from idp.services.relying_parties import parties
from idp.services.relying_parties.parties import NewParty
from idp.services.tickets import Held, Purpose, issue, peek, redeem
from idp.services.work import Office, Work
from idp.store.catalogue import PartyRow, read_party
from idp.store.registrations import RegistrationRow

_TOKEN = "registration-token"
_ANYBODY = "client"


@dataclass(frozen=True, slots=True)
class Invitation:
    """For which services whoever holds an initial access token may register one client, and with which profile."""

    services: tuple[str, ...]
    profile: str


@dataclass(frozen=True, slots=True)
class Registered:
    """A client just registered or changed; its secret and the token that manages it are shown this once."""

    party: Party
    secret: str
    token: str
    since: datetime


def invite(work: Work, invitation: Invitation, lasts: timedelta) -> str:
    """An initial access token that registers one client; raises ``BadParty`` for services of several providers."""
    parties.check_services(work, invitation.services)
    token = _new_token(work)
    payload = {"services": list(invitation.services), "profile": invitation.profile}
    issue(work, Purpose.REGISTRATION, token, Held(_ANYBODY, payload, lasts))
    return token


def invitation_of(work: Work, token: str) -> Invitation | None:
    """What an initial access token is good for, without consuming it; None for one that is unknown, used or late."""
    found = peek(work, Purpose.REGISTRATION, token)
    return None if found is None else Invitation(tuple(found[1]["services"]), found[1]["profile"])


def accept(work: Work, token: str) -> bool:
    """Consume an initial access token, in the transaction that registers the client (SEC-25)."""
    return redeem(work, Purpose.REGISTRATION, token, _ANYBODY) is not None


def register(work: Work, new: NewParty) -> Registered:
    """Register a client that may manage itself; raises ``BadParty``."""
    added = parties.add(work, new)
    token = _new_token(work)
    values = {"party_id": added.party.id, "token_digest": _digest(work.office, token), "created_at": work.now}
    work.connection.execute(insert(RegistrationRow).values(values))
    return Registered(added.party, added.secret, token, work.now)


def managed(office: Office, connection: Connection, client_id: str, token: str) -> Registered | None:
    """The client that a registration access token manages; None when it is another's, or nobody's."""
    party = read_party(connection, parties.OIDC, client_id)
    if party is None:
        return None
    found = select(RegistrationRow.token_digest, RegistrationRow.created_at).where(RegistrationRow.party_id == party.id)
    row = connection.execute(found).one_or_none()
    if row is None or not hmac.compare_digest(row.token_digest, _digest(office, token)):
        return None
    return Registered(party, "", token, row.created_at)


def replace(work: Work, known: Registered, document: str, name: str, *, secret: bool) -> Registered:
    """Put another registration in place of a client's; one that now needs a secret gets one. Raises ``BadParty``."""
    made = work.office.entropy.bytes(32).hex() if secret and not known.party.secret_digest else ""
    values = {"name": parties.checked_name(name or known.party.identity)}
    if made:
        values["secret_digest"] = work.office.vault.digest(made, "client-secret")
    elif not secret:
        values["secret_digest"] = ""
    work.connection.execute(update(PartyRow).where(PartyRow.id == known.party.id).values(values))
    parties.renew(work, known.party, document)
    return Registered(parties.find(work, known.party.id), made, known.token, known.since)


def is_secret(office: Office, party: Party, secret: str) -> bool:
    """Whether this is the secret of a client."""
    return hmac.compare_digest(party.secret_digest, office.vault.digest(secret, "client-secret"))


def _new_token(work: Work) -> str:
    return base64.urlsafe_b64encode(work.office.entropy.bytes(32)).rstrip(b"=").decode()


def _digest(office: Office, token: str) -> str:
    return office.vault.digest(token, _TOKEN)
