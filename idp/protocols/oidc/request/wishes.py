"""What a checked request asks: which service, which level, whom, and what to tell."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc.jwk import Key

from idp.domain.assurance import EIDAS_OF_LEVEL, Level, level_of_uri
from idp.domain.demand import Comparison, Demand, LevelPolicy, demand
from idp.domain.login import LoginRequest, RequestedAttribute
from idp.domain.parties import Service
from idp.protocols.oidc.claims.table import CLAIMS, Place, Scope, attributes_for
from idp.protocols.oidc.client.client import GrantType, Vocabulary
from idp.protocols.oidc.faults import Fault
from idp.protocols.oidc.jose.jws import ALGORITHMS, BadToken, verify
from idp.protocols.oidc.memory import Memory
from idp.protocols.oidc.request.request import Request
from idp.services.relying_parties.parties import OIDC

LOCALES: Final = ("nl", "en")
_SERVICE_PREFIXES: Final = ("service:", "urn:uuid:")
_LONGEST_CLAIMS: Final = 8 * 1024
_LONGEST_HINT: Final = 254
_EIDAS: Final = frozenset(EIDAS_OF_LEVEL.values())


@dataclass(frozen=True, slots=True)
class ClaimsAsked:
    """The ``claims`` parameter: names of ours per place, the levels asked as ``acr``, and the subject asked."""

    names: Mapping[str, tuple[str, ...]]
    levels: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class LevelAsked:
    """The level to reach, the highest to state, and in which words to tell it."""

    demand: Demand
    vocabulary: Vocabulary


def wishes_of(request: Request, our_keys: Sequence[Key], highest: Level) -> LoginRequest:
    """The request in the words of no protocol, for a level up to the highest that is offered; raises ``Fault``."""
    claims = _claims(request.get("claims"))
    service = _service(request)
    scope = _granted_scope(request)
    level = _level(request, service, claims, highest)
    subject = _subject(request, claims, our_keys)
    memory = Memory(
        redirect_uri=request.where.uri,
        mode=request.where.mode,
        state=request.where.state,
        nonce=request.get("nonce"),
        challenge=request.get("code_challenge"),
        scope=" ".join(scope),
        claims=json.dumps(claims.names) if any(claims.names.values()) else "",
        vocabulary=level.vocabulary.value,
        jkt=request.get("dpop_jkt"),
        resources=" ".join(dict.fromkeys(request.get("resource").split())),
        claim_set=request.client.tokens.claim_set.value,
    )
    return LoginRequest(
        protocol=OIDC,
        party=request.party.id,
        service=service.instance_uuid,
        level=level.demand.level,
        ceiling=level.demand.ceiling,
        # A passive request cannot be forced: it must not end the session that it may not renew either.
        force=not request.passive and ("login" in request.prompts or request.max_age == 0),
        passive=request.passive,
        ask_consent="consent" in request.prompts,
        choose="select_account" in request.prompts,
        max_age=request.max_age,
        attributes=_attributes(service, scope, claims),
        subject=subject,
        login_hint=request.get("login_hint") if len(request.get("login_hint")) <= _LONGEST_HINT else "",
        locales=_locales(request.get("ui_locales")),
        reply=memory.as_reply(),
    )


def _claims(text: str) -> ClaimsAsked:
    """Unknown names are passed over, as are values other than those of ``acr`` and ``sub`` (Core 5.5)."""
    if not text:
        return ClaimsAsked({}, (), "")
    try:
        asked = json.loads(text) if len(text) <= _LONGEST_CLAIMS else None
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Fault("P10", "invalid_request", "The parameter claims is not a JSON object of bounded length.")
    places = {place: asked[place] for place in Place if asked.get(place) is not None}
    if not all(_is_claims(members) for members in places.values()):
        raise Fault("P10", "invalid_request", "A member of claims is neither null nor an object.")
    names = {place.value: tuple(name for name in CLAIMS if name in members) for place, members in places.items()}
    in_token = places.get(Place.ID_TOKEN, {})
    subjects = [value for members in places.values() for value in _values(members.get("sub"))]
    if len(set(subjects)) > 1:
        raise Fault("P10", "invalid_request", "The parameter claims asks for several subjects at once.")
    return ClaimsAsked(names, _values(in_token.get("acr")), subjects[0] if subjects else "")


def _is_claims(members: Any) -> bool:
    return isinstance(members, dict) and all(one is None or isinstance(one, dict) for one in members.values())


def _values(member: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The texts a claim is asked to have, ``value`` before ``values``."""
    if not member:
        return ()
    several = member.get("values")
    candidates = [member.get("value"), *(several if isinstance(several, list) else [])]
    return tuple(one for one in candidates if isinstance(one, str))


def _service(request: Request) -> Service:
    """The one service that the scope names, by UUID or by name, or the party's default (domain 11.3).

    The UUID of a definition means the first of its instances that the party has.
    """
    services = [service for _, service in request.party.services]
    chosen: list[Service] = []
    for token in request.get("scope").split():
        prefix = next((one for one in _SERVICE_PREFIXES if token.lower().startswith(one)), "")
        wanted = token[len(prefix) :].lower()
        found = [one for one in services if (one.instance_uuid == wanted if prefix else one.slug == token)]
        found = found or [one for one in services if prefix and one.uuid == wanted][:1]
        if prefix and not found:
            raise Fault("P15", "invalid_scope", "The scope names a service that is none of this client's.")
        chosen += found
    if len({one.instance_uuid for one in chosen}) > 1:
        raise Fault("P15", "invalid_scope", "The scope names several services.")
    return chosen[0] if chosen else request.party.default_service


def _granted_scope(request: Request) -> tuple[str, ...]:
    """What was asked and is ours to give, in the order asked; the rest is passed over (Core 3.1.2.1)."""
    registered, asked = request.client.scope, dict.fromkeys(request.get("scope").split())
    known = [one for one in asked if one in set(Scope) or _names_service(request, one)]
    return tuple(
        one
        for one in known
        if one == Scope.OPENID or registered is None or one in registered or _names_service(request, one)
        if one != Scope.OFFLINE or GrantType.REFRESH in request.client.grant_types
    )


def _names_service(request: Request, token: str) -> bool:
    return token.lower().startswith(_SERVICE_PREFIXES) or any(
        token == service.slug for _, service in request.party.services
    )


def _level(request: Request, service: Service, claims: ClaimsAsked, highest: Level) -> LevelAsked:
    """The level to reach; every value asked is a minimum and unknown ones are passed over (11.3, RUL-13, RC-3)."""
    asked = claims.levels or tuple(request.get("acr_values").split())
    known = _known(asked) or _known(request.client.default_levels)
    if asked and not known:
        raise Fault("P07", "invalid_request", "None of the levels asked is one we know.")
    settings = request.party.settings
    policy = LevelPolicy(service.level, request.reading, request.party.lowers(service))
    wanted = demand(policy, [level for _, level in known], Comparison.MINIMUM)
    if not isinstance(wanted, Demand):
        sentence = "The level asked is higher than the service has in the catalogue."
        raise Fault("P07", "unmet_authentication_requirements", sentence)
    if wanted.level > highest:
        raise Fault("P07", "unmet_authentication_requirements", "The level that is needed is not offered here (AD-3).")
    if settings.answer_level == "requested":
        wanted = Demand(wanted.level, wanted.level)
    if not known:
        return LevelAsked(wanted, request.client.vocabulary)
    return LevelAsked(wanted, Vocabulary.EIDAS if known[0][0] in _EIDAS else Vocabulary.ETOEGANG)


def _known(values: Iterable[str]) -> list[tuple[str, Level]]:
    levels = ((one, level_of_uri(one)) for one in values)
    return [(uri, level) for uri, level in levels if level is not None]


def _subject(request: Request, claims: ClaimsAsked, our_keys: Sequence[Key]) -> str | None:
    """Whom the answer must be about: the subject of an ID token of ours, however old, or the one asked by name."""
    hinted = ""
    if request.get("id_token_hint"):
        try:
            hint = verify(request.get("id_token_hint"), our_keys, tuple(ALGORITHMS))
        except BadToken:
            raise Fault("P10", "invalid_request", "The id_token_hint is not an ID token of ours.") from None
        # Access tokens, logout tokens and answers to introspection are typed otherwise; whether it ended is no matter.
        ours = hint.header.get("typ") == "JWT" and hint.claims.get("iss") == request.where.issuer
        hinted = str(hint.claims.get("sub", "")) if ours else ""
        if not hinted:
            raise Fault("P10", "invalid_request", "The id_token_hint is not an ID token of ours.")
    if hinted and claims.subject and hinted != claims.subject:
        raise Fault("P10", "invalid_request", "The id_token_hint and the claims ask for different subjects.")
    return hinted or claims.subject or None


def _attributes(service: Service, scope: Iterable[str], claims: ClaimsAsked) -> tuple[RequestedAttribute, ...]:
    """The personal attributes that are asked, or that the service cannot do without (RA-1, RUL-12)."""
    names = [name for members in claims.names.values() for name in members]
    asked = attributes_for(scope, names)
    return tuple(
        RequestedAttribute(one.name, one.required) for one in service.attributes if one.required or one.name in asked
    )


def _locales(text: str) -> tuple[str, ...]:
    primary = (tag.partition("-")[0].lower() for tag in text.split())
    return tuple(dict.fromkeys(tag for tag in primary if tag in LOCALES))
