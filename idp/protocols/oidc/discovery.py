"""What we publish about ourselves, taken from the tables that serve: no more and no less (Discovery 3, RFC 8414)."""

import json
from collections.abc import Sequence
from typing import Any, Final

from idp.domain.assurance import LEVEL_OF_URI
from idp.protocols.oidc.claims.identifiers import SUBJECT_TYPES
from idp.protocols.oidc.claims.schema import KIND, claims_schema
from idp.protocols.oidc.claims.table import CLAIMS, TOKEN_CLAIMS, Scope
from idp.protocols.oidc.client.authentication import methods
from idp.protocols.oidc.client.client import AuthMethod
from idp.protocols.oidc.endpoints import Endpoint, address, issuer
from idp.protocols.oidc.faults import JSON
from idp.protocols.oidc.jose.jwe import CONTENT, KEY_ALGORITHMS
from idp.protocols.oidc.jose.jws import ALGORITHMS
from idp.protocols.oidc.jose.keys import published_keys
from idp.protocols.oidc.request.checks import CHALLENGE_METHODS, DISPLAYS, PROMPTS, RESPONSE_TYPES
from idp.protocols.oidc.request.return_address import RESPONSE_MODES
from idp.protocols.oidc.request.wishes import LOCALES
from idp.protocols.oidc.tokens.endpoint import GRANTS
from idp.services.work import Office


def documents(office: Office) -> dict[str, tuple[str, bytes]]:
    """Discovery and keys as prepared bytes, by path (performance: P8)."""
    told = _encoded(discovery(office))
    return {
        Endpoint.DISCOVERY: (JSON, told),
        # The same under the name that OAuth gives it (RFC 8414 section 3).
        Endpoint.SERVER_METADATA: (JSON, told),
        Endpoint.CLAIMS_SCHEMA: (KIND, _encoded(claims_schema(office))),
        Endpoint.JWKS: ("application/jwk-set+json", _encoded({"keys": published_keys(office.keys)})),
    }


def discovery(office: Office) -> dict[str, Any]:
    """The provider's metadata: the union of what the profiles allow (RUL-31)."""
    return {
        "issuer": issuer(office),
        **{name: address(office, path) for name, path in (_BROWSER | _BACK_CHANNEL).items()},
        **_requests(office.settings.offered),
        **_answers(),
        **_authentication("token_endpoint", *methods(office)),
        **_authentication("introspection_endpoint", *(one for one in methods(office) if one is not AuthMethod.NONE)),
        **_authentication("revocation_endpoint", *methods(office)),
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        **_by_certificate(office),
        **_leaving(office),
        **_joining(office),
    }


# Where a browser or anybody goes, and what clients call themselves, with a certificate too (RFC 8705 section 5).
_BROWSER: Final = {
    "authorization_endpoint": Endpoint.AUTHORIZE,
    "claims_schema_uri": Endpoint.CLAIMS_SCHEMA,
    "jwks_uri": Endpoint.JWKS,
}
_BACK_CHANNEL: Final = {
    "pushed_authorization_request_endpoint": Endpoint.PUSHED,
    "token_endpoint": Endpoint.TOKEN,
    "userinfo_endpoint": Endpoint.USERINFO,
    "introspection_endpoint": Endpoint.INTROSPECTION,
    "revocation_endpoint": Endpoint.REVOCATION,
    "device_authorization_endpoint": Endpoint.DEVICE,
}


def _requests(offered: Sequence[str]) -> dict[str, Any]:
    """How a client may ask, and for what."""
    return {
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANTS),
        "code_challenge_methods_supported": list(CHALLENGE_METHODS),
        "scopes_supported": list(Scope),
        "acr_values_supported": [uri for uri, level in LEVEL_OF_URI.items() if level.name in offered],
        "prompt_values_supported": list(PROMPTS),
        "display_values_supported": list(DISPLAYS),
        "ui_locales_supported": list(LOCALES),
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        # Of foreign addresses; the request_uri of a pushed request is another matter (RFC 9126 section 5).
        "request_uri_parameter_supported": False,
        "require_pushed_authorization_requests": False,
        "request_object_signing_alg_values_supported": list(ALGORITHMS),
    }


def _answers() -> dict[str, Any]:
    """What we tell, and in which form."""
    told = ("id_token", "userinfo", "introspection", "authorization")
    return {
        "subject_types_supported": ["pairwise"],
        "sub_id_types_supported": list(SUBJECT_TYPES),
        "claims_supported": [*TOKEN_CLAIMS, *CLAIMS],
        "claim_types_supported": ["normal"],
        "authorization_response_iss_parameter_supported": True,
        **{f"{one}_signing_alg_values_supported": list(ALGORITHMS) for one in told},
        **_encryption(*told),
    }


def _encryption(*whats: str) -> dict[str, list[str]]:
    """What can be encrypted for a client, by the table of algorithms."""
    values = {"alg": list(KEY_ALGORITHMS), "enc": list(CONTENT)}
    return {f"{what}_encryption_{part}_values_supported": known for what in whats for part, known in values.items()}


def _authentication(endpoint: str, *methods: str) -> dict[str, list[str]]:
    """How clients prove themselves at an endpoint."""
    return {
        f"{endpoint}_auth_methods_supported": list(methods),
        f"{endpoint}_auth_signing_alg_values_supported": list(ALGORITHMS),
    }


def _leaving(office: Office) -> dict[str, Any]:
    """How logins end (RP-Initiated, Front-Channel and Back-Channel Logout, Session Management)."""
    told: dict[str, Any] = {
        "end_session_endpoint": address(office, Endpoint.LOGOUT),
        **{
            f"{way}_logout_{what}supported": True
            for way in ("frontchannel", "backchannel")
            for what in ("", "session_")
        },
    }
    if office.settings.oidc.session_frame:
        told["check_session_iframe"] = address(office, Endpoint.SESSION_FRAME)
    return told


def _joining(office: Office) -> dict[str, str]:
    """Where clients register themselves, if they may (RFC 7591)."""
    if office.settings.oidc.registration == "closed":
        return {}
    return {"registration_endpoint": address(office, Endpoint.REGISTRATION)}


def _by_certificate(office: Office) -> dict[str, Any]:
    """The same endpoints where connections bring a certificate, if there is such a place (RFC 8705 section 5)."""
    base = office.settings.server.certificate_url
    if not base:
        return {}
    return {
        "mtls_endpoint_aliases": {name: base + path for name, path in _BACK_CHANNEL.items()},
        "tls_client_certificate_bound_access_tokens": True,
    }


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode()
