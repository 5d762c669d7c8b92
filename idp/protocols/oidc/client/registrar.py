"""Clients that register themselves and manage their registration (RFC 7591, RFC 7592, OpenID Connect Registration)."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from idp.domain.parties import Profile
from idp.ports import Fetcher, Overloaded
from idp.protocols.message import Document, HttpMessage
from idp.protocols.oidc.client.addresses import BadAddress
from idp.protocols.oidc.client.client import Client, GrantType, client_of
from idp.protocols.oidc.client.cors import preflight, with_origin
from idp.protocols.oidc.client.profiles import RULES
from idp.protocols.oidc.client.registration import MEMBERS, NOT_OFFERED, judged, read_metadata
from idp.protocols.oidc.client.remote import KEYS, remote_addresses
from idp.protocols.oidc.endpoints import Endpoint, address
from idp.protocols.oidc.faults import BackChannelFault, json_document
from idp.services.relying_parties import parties
from idp.services.relying_parties.keys import Source, follow, unfollow
from idp.services.relying_parties.parties import NewParty
from idp.services.relying_parties.registrations import (
    Invitation,
    Registered,
    accept,
    invitation_of,
    is_secret,
    managed,
    register,
    replace,
)
from idp.services.relying_parties.settings import BadParty
from idp.services.work import Office, Work

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9\-._~+/]{1,200}=*)", re.ASCII | re.IGNORECASE)
_CHALLENGE: Final = 'Bearer realm="registration"'
# Extension members by which a client of the sandbox chooses its services and its profile (RUL-10).
_SERVICES, _PROFILE = "services", "profile"
# What we say and a client must not (RFC 7592 section 2.2).
_OURS: Final = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
EVERY_HOURS: Final = 1


@dataclass(frozen=True, slots=True)
class Registrar:
    """The registration endpoint; ``fetcher`` gets what a registration refers to (RUL-31)."""

    fetcher: Fetcher | None = None

    def register(self, office: Office, message: HttpMessage, now: datetime) -> Document:
        """A new client, or an error document of RFC 7591 section 3.2.2; never an exception (SEC-2)."""
        if message.method == "OPTIONS":
            return preflight(message)
        try:
            return with_origin(self._new(office, message), message, None)
        except (BackChannelFault, BadParty, Overloaded) as error:
            return with_origin(_refusal(error), message, None)

    def manage(self, office: Office, message: HttpMessage, now: datetime) -> Document:
        """A registration read (GET), replaced (PUT) or deleted (DELETE) by the token that came with it."""
        if message.method == "OPTIONS":
            return preflight(message)
        try:
            known = _known(office, message)
            # Whoever asks for the headers alone asks as for the rest.
            found = _MANAGED["GET" if message.method == "HEAD" else message.method](self, office, message, known)
            return with_origin(found, message, None)
        except (BackChannelFault, BadParty, Overloaded) as error:
            return with_origin(_refusal(error), message, None)

    def _new(self, office: Office, message: HttpMessage) -> Document:
        mode, token = office.settings.oidc.registration, _token(message)
        # Whoever may not register makes us fetch nothing.
        invitation = None if mode == "open" and not token else _invited(office, token)
        given = read_metadata(_json(message))
        new = self._judged(_known_members(given), invitation or _wished(office, given))
        with office.work("registration") as work:
            if invitation is not None and not accept(work, token):
                raise _no_token("The initial access token was used meanwhile.")
            made = register(work, new)
            _follow(work, made, new.document)
        return json_document(_told(office, made), 201)

    def _judged(self, given: Mapping[str, Any], invitation: Invitation) -> NewParty:
        return judged(given, invitation.services, {"profile": invitation.profile}, None, self.fetcher)

    def _read(self, office: Office, message: HttpMessage, known: Registered) -> Document:
        return json_document(_told(office, known))

    def _replace(self, office: Office, message: HttpMessage, known: Registered) -> Document:
        given = read_metadata(_json(message))
        if any(name in given for name in _OURS):
            raise BadParty(f"Leave out {', '.join(_OURS)}: they are ours to say (RFC 7592 section 2.2).")
        if given.get("client_id") != known.party.identity:
            raise BadParty("The client_id must be the one of this registration.")
        secret = given.pop("client_secret", None)
        if secret is not None and not (
            isinstance(secret, str) and secret.isprintable() and is_secret(office, known.party, secret)
        ):
            raise BadParty("The client_secret is not the one of this client; leave it out.")
        chosen = Invitation((), known.party.settings.profile)
        new = self._judged(_known_members(given), chosen)
        with office.work("registration") as work:
            changed = replace(work, known, new.document, new.name, secret=new.secret)
            unfollow(work, changed.party)
            _follow(work, changed, new.document)
        return json_document(_told(office, changed))

    def _delete(self, office: Office, message: HttpMessage, known: Registered) -> Document:
        with office.work("registration") as work:
            parties.remove(work, known.party.id)
        return Document(204, "application/json", b"", {"Cache-Control": "no-store", "Pragma": "no-cache"})


_MANAGED: Final[Mapping[str, Callable[[Registrar, Office, HttpMessage, Registered], Document]]] = {
    "GET": Registrar._read,
    "PUT": Registrar._replace,
    "DELETE": Registrar._delete,
}
METHODS: Final = tuple(_MANAGED)


def registration_address(office: Office, client_id: str) -> str:
    """Where a client manages its registration."""
    return f"{address(office, Endpoint.REGISTRATION)}/{quote(client_id, safe='')}"


def _follow(work: Work, made: Registered, document: str) -> None:
    """Let the worker fetch again what a registration refers to."""
    places = remote_addresses(json.loads(document))
    if places:
        follow(work, made.party, Source(places[0], "", EVERY_HOURS))


def _invited(office: Office, token: str) -> Invitation:
    with office.reading() as connection:
        found = invitation_of(Work(connection, office.clock.now(), "registration", office), token) if token else None
    if found is None:
        raise _no_token("An initial access token is needed; ask the operator: idp providers invite.")
    return found


def _wished(office: Office, given: Mapping[str, Any]) -> Invitation:
    """What a client of the sandbox asks by extension members; all services of one provider when it names none."""
    services, profile = given.get(_SERVICES), given.get(_PROFILE, Profile.OIDC_STANDARD)
    if services is None:
        catalogue = office.directory.services()
        services = [one.slug for one in catalogue if one.provider == catalogue[0].provider]
    if not isinstance(services, list) or not all(isinstance(one, str) and one.isprintable() for one in services):
        raise BadParty("The value of services must be a list of texts: names of services in the catalogue.")
    if not isinstance(profile, str) or profile not in set(RULES):
        raise BadParty(f"The value of profile must be one of {', '.join(RULES)}.")
    return Invitation(tuple(services), profile)


def _known(office: Office, message: HttpMessage) -> Registered:
    """The registration that a token manages; who may not manage it does not learn whether it is there."""
    client_id = message.path.removeprefix(Endpoint.REGISTRATION + "/")
    token = _token(message)
    with office.reading() as connection:
        found = managed(office, connection, client_id, token) if token and client_id.isprintable() else None
    if found is None:
        raise _no_token("The registration access token is not the one of this client.")
    return found


def _token(message: HttpMessage) -> str:
    found = _BEARER.fullmatch(message.headers.get("authorization", ""))
    return found.group(1) if found else ""


def _json(message: HttpMessage) -> bytes:
    if message.content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadParty("The body must be application/json.")
    return message.body


def _known_members(given: Mapping[str, Any]) -> dict[str, Any]:
    """What we know; the rest is ignored (RFC 7591 section 2), and so is a name that a client chooses for itself."""
    kept = (set(MEMBERS) | set(NOT_OFFERED)) - {"client_id"}
    present = {name: value for name, value in given.items() if name in kept and value is not None}
    # Nothing in place of what we do not offer is no wish, and is not told again either.
    return {name: value for name, value in present.items() if value or name not in NOT_OFFERED}


def _told(office: Office, made: Registered) -> dict[str, Any]:
    """Everything that is registered, defaults too (RFC 7591 section 3.2.1)."""
    party = made.party
    client = client_of(party)
    registered = {"grant_types": [GrantType.CODE], "response_types": ["code"], "redirect_uris": []}
    document = json.loads(party.document)
    if KEYS in document:
        del document["jwks"]
    told = {**registered, **_defaults(client), **document, "client_id": party.identity}
    if party.secret_digest:
        # A secret that was told once cannot be told again.
        told |= {"client_secret": made.secret} if made.secret else {}
        told["client_secret_expires_at"] = 0
    return told | {
        _SERVICES: [service.slug for _, service in party.services],
        _PROFILE: party.settings.profile,
        "client_id_issued_at": int(made.since.timestamp()),
        "registration_access_token": made.token,
        "registration_client_uri": registration_address(office, party.identity),
    }


def _defaults(client: Client) -> dict[str, Any]:
    return {
        "application_type": "native" if client.native else "web",
        "token_endpoint_auth_method": client.auth_method,
        "id_token_signed_response_alg": client.id_token_algorithm,
        "subject_type": "pairwise",
    }


def _refusal(error: Exception) -> Document:
    match error:
        case BackChannelFault():
            return error.document
        case Overloaded(retry_after=seconds):
            told = {"error": "temporarily_unavailable", "error_description": "Too many registrations at once."}
            return json_document(told, 503, {"Retry-After": str(seconds)})
        case BadAddress():
            code = "invalid_redirect_uri"
        case _:
            code = "invalid_client_metadata"
    if str(error) == NOT_OFFERED["software_statement"]:
        code = "unapproved_software_statement"
    return json_document({"error": code, "error_description": str(error)}, 400)


def _no_token(sentence: str) -> BackChannelFault:
    return BackChannelFault("P12", "invalid_token", sentence, 401, {"WWW-Authenticate": _CHALLENGE})
