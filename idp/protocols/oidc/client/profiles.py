"""What each profile asks of its clients: one row of data per profile, one switch per client (RUL-30, domain 11.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from idp.domain.parties import Party, Profile
from idp.protocols.oidc.client.client import AuthMethod, Client

_SECRETS: Final = frozenset({"client_secret_basic", "client_secret_post"})
_KEYED: Final = frozenset({"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"})
_NATIVE_OR_PAGE: Final = frozenset({"none"})
_PLAIN_MODES: Final = frozenset({"query", "form_post"})
_SIGNED_MODES: Final = frozenset({"jwt", "query.jwt", "form_post.jwt"})


@dataclass(frozen=True, slots=True)
class Rules:
    """The constraints of one profile.

    ``strict``: the letter holds and levels above the catalogue are refused (RUL-13). ``auth_methods`` and
    ``algorithms`` bound what a client may register; the algorithms count for everything that either side signs.
    ``endpoint_audience``: besides our issuer, the address of the endpoint may stand as audience of an assertion.
    ``request_window`` bounds how far ``exp`` of a request object may lie behind its ``nbf``, and ``nbf`` behind now;
    without it neither must be there. ``shortest_random`` is in characters, for ``state`` and ``nonce``, zero
    where they may be left out. ``dpop_nonce``: a DPoP proof must carry a nonce of ours.
    ``access``, ``public_access`` and ``refresh`` are the longest lifetimes whatever the settings say;
    ``pushed`` is how long a pushed request waits.
    """

    strict: bool
    pkce_waivable: bool
    auth_methods: frozenset[str]
    algorithms: tuple[str, ...]
    endpoint_audience: bool
    pushed_required: bool
    request_window: timedelta | None
    sender_constrained: bool
    dpop_nonce: bool
    rotation: bool
    response_modes: frozenset[str]
    shortest_random: int
    local_addresses: bool
    pushed: timedelta = timedelta(seconds=90)
    access: timedelta = timedelta(hours=1)
    public_access: timedelta = timedelta(minutes=15)
    refresh: timedelta = timedelta(hours=24)


RULES: Final[Mapping[Profile, Rules]] = {
    Profile.OIDC_STANDARD: Rules(
        strict=False,
        pkce_waivable=True,
        auth_methods=_SECRETS | _KEYED | _NATIVE_OR_PAGE,
        algorithms=("RS256", "PS256", "ES256"),
        endpoint_audience=True,
        pushed_required=False,
        request_window=None,
        sender_constrained=False,
        dpop_nonce=False,
        rotation=True,
        response_modes=_PLAIN_MODES | _SIGNED_MODES,
        shortest_random=0,
        local_addresses=True,
    ),
    Profile.OIDC_NL_GOV: Rules(
        strict=True,
        pkce_waivable=False,
        auth_methods=_KEYED | _NATIVE_OR_PAGE,
        algorithms=("RS256", "PS256", "ES256"),
        endpoint_audience=True,
        pushed_required=False,
        request_window=None,
        sender_constrained=False,
        dpop_nonce=False,
        rotation=True,
        response_modes=_PLAIN_MODES | _SIGNED_MODES,
        # 128 bits take 20 characters at least, whatever the alphabet (domain 11.1).
        shortest_random=20,
        local_addresses=False,
        # Refresh tokens that nobody uses end earlier than the OAuth profile would let them (domain 11.1).
        refresh=timedelta(hours=6),
    ),
    # FAPI 2.0 Security Profile Final, sections 5.3.2 and 5.4; the window is that of FAPI 2.0 Message Signing 5.3.1.
    Profile.OIDC_FAPI_2: Rules(
        strict=True,
        pkce_waivable=False,
        auth_methods=_KEYED,
        algorithms=("PS256", "ES256"),
        endpoint_audience=False,
        pushed_required=True,
        request_window=timedelta(minutes=60),
        sender_constrained=True,
        dpop_nonce=True,
        rotation=False,
        response_modes=_PLAIN_MODES | _SIGNED_MODES,
        shortest_random=0,
        local_addresses=False,
    ),
}


def rules_of(party: Party) -> Rules:
    """The constraints that hold for a client."""
    return RULES[party.settings.profile]


def misfit(client: Client, profile: Profile) -> str:
    """What the profile does not allow of a registration, in one sentence with the remedy, or an empty text.

    Asked when a client is registered, and at each request, because an operator may switch the profile later.
    """
    rules = RULES[profile]
    if client.auth_method not in rules.auth_methods:
        known = ", ".join(sorted(one for one in AuthMethod if one in rules.auth_methods))
        return f"The profile {profile} does not allow {client.auth_method}: use one of {known}."
    signed = (
        client.id_token_algorithm,
        client.userinfo_algorithm,
        client.auth_algorithm,
        client.request_algorithm,
        client.answer_algorithm,
    )
    if not set(filter(None, signed)) <= set(rules.algorithms):
        return f"The profile {profile} signs by {' or '.join(rules.algorithms)} alone: register those algorithms."
    return ""
