"""What a request at the authorization endpoint must satisfy: one table, read from top to bottom (domain 11.1)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from idp.protocols.oidc.claims.table import Scope
from idp.protocols.oidc.client.profiles import misfit
from idp.protocols.oidc.faults import Fault
from idp.protocols.oidc.jose.dpop import is_thumbprint
from idp.protocols.oidc.parameters import complaint_of
from idp.protocols.oidc.request.request import Request
from idp.protocols.oidc.request.return_address import RESPONSE_MODES

RESPONSE_TYPES: Final = ("code",)
CHALLENGE_METHODS: Final = ("S256",)
# One page serves them all: it fits any width, and knows no window that it would open (Core 3.1.2.1).
DISPLAYS: Final = ("page", "popup", "touch", "wap")
PROMPTS: Final = ("none", "login", "consent", "select_account")
# In octets: what is kept with a login and handed back (SEC-3).
_LARGEST_KEPT: Final = 2048
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Check:
    """``complaint`` answers what is wrong in one sentence, or an empty text."""

    code: str
    error: str
    complaint: Callable[[Request], str]


def check(request: Request, rows: tuple[Check, ...] | None = None) -> None:
    """Hold a request against a table, ``CHECKS`` unless told; raises ``Fault`` for the first row that fails."""
    for row in CHECKS if rows is None else rows:
        sentence = row.complaint(request)
        if sentence:
            raise Fault(row.code, row.error, sentence)


def _fitting(request: Request) -> str:
    return misfit(request.client, request.party.settings.profile)


def _once(request: Request) -> str:
    return complaint_of(request.faults)


def _pushed(request: Request) -> str:
    required = request.rules.pushed_required or request.client.pushed_required
    return "" if request.pushed or not required else "This client pushes its requests first: use request_uri."


def _signed(request: Request) -> str:
    return "" if request.signed or not request.client.signed_required else "This client signs its requests."


def _absent(name: str, sentence: str) -> Callable[[Request], str]:
    return lambda request: sentence if request.get(name) else ""


def _response_type(request: Request) -> str:
    return "" if request.get("response_type") else "The parameter response_type is missing."


def _code_alone(request: Request) -> str:
    return "" if request.get("response_type") in RESPONSE_TYPES else "The only response_type is code."


def _response_mode(request: Request) -> str:
    allowed = [one for one in RESPONSE_MODES if one in request.rules.response_modes]
    known = not request.get("response_mode") or request.get("response_mode") in allowed
    return "" if known else f"The response_mode must be one of {', '.join(allowed)}."


def _scope(request: Request) -> str:
    return "" if Scope.OPENID in request.get("scope").split() else "The scope must hold openid."


def _challenge_present(request: Request) -> str:
    if request.get("code_challenge"):
        return ""
    if request.get("code_challenge_method"):
        return "There is a code_challenge_method without a code_challenge."
    waived = request.rules.pkce_waivable and not (request.client.public or request.party.settings.require_pkce)
    if not waived:
        return "The parameter code_challenge is missing: PKCE with S256 is required."
    return "" if request.get("nonce") else "Where PKCE is waived, a nonce is required."


def _challenge_form(request: Request) -> str:
    if not request.get("code_challenge"):
        return ""
    if request.get("code_challenge_method") not in CHALLENGE_METHODS:
        return "The code_challenge_method must be S256."
    return "" if _CHALLENGE.fullmatch(request.get("code_challenge")) else "The code_challenge is not one of S256."


def _bounded(name: str) -> Callable[[Request], str]:
    def complaint(request: Request) -> str:
        return "" if len(request.get(name).encode()) <= _LARGEST_KEPT else f"The {name} is longer than 2 KiB."

    return complaint


def _random(name: str) -> Callable[[Request], str]:
    def complaint(request: Request) -> str:
        if len(request.get(name)) >= request.rules.shortest_random:
            return ""
        return f"The profile requires a {name} of 128 bits or more."

    return complaint


def _prompt(request: Request) -> str:
    prompts = request.prompts
    if not prompts <= set(PROMPTS):
        return f"The prompt must be of {', '.join(PROMPTS)}."
    return "The prompt none goes with no other." if request.passive and len(prompts) > 1 else ""


def _display(request: Request) -> str:
    known = not request.get("display") or request.get("display") in DISPLAYS
    return "" if known else f"The display must be one of {', '.join(DISPLAYS)}."


def _max_age(request: Request) -> str:
    text = request.get("max_age")
    return "" if not text or _SECONDS.fullmatch(text) else "The max_age must be a number of seconds."


def _thumbprint(request: Request) -> str:
    wrong = request.get("dpop_jkt") and not is_thumbprint(request.get("dpop_jkt"))
    return "The dpop_jkt is not a thumbprint by SHA-256." if wrong else ""


def _resources(request: Request) -> str:
    """Tokens are for resources that the client registered, or for us (RFC 8707 section 2.1)."""
    known = {request.where.issuer, *request.client.tokens.resources}
    wrong = not set(request.get("resource").split()) <= known
    return "The resource is none of those that the client registered." if wrong else ""


def _not_passive(request: Request) -> str:
    return "A device cannot ask prompt=none: the person is elsewhere." if request.passive else ""


_NOT_HERE: Final = "Registration in a request is not supported."
CHECKS: Final = (
    Check("P06", "unauthorized_client", _fitting),
    Check("P10", "invalid_request", _once),
    Check("P13", "invalid_request", _pushed),
    Check("P13", "invalid_request", _signed),
    Check("P06", "registration_not_supported", _absent("registration", _NOT_HERE)),
    Check("P06", "invalid_request", _response_type),
    Check("P06", "unsupported_response_type", _code_alone),
    Check("P06", "invalid_request", _response_mode),
    Check("P15", "invalid_scope", _scope),
    Check("P11", "invalid_request", _challenge_present),
    Check("P11", "invalid_request", _challenge_form),
    Check("P10", "invalid_request", _bounded("state")),
    Check("P10", "invalid_request", _bounded("nonce")),
    Check("P10", "invalid_request", _random("state")),
    Check("P10", "invalid_request", _random("nonce")),
    Check("P10", "invalid_request", _prompt),
    Check("P10", "invalid_request", _display),
    Check("P10", "invalid_request", _max_age),
    Check("P10", "invalid_request", _thumbprint),
    Check("P15", "invalid_target", _resources),
)
# A device has no browser, so no address, no state and nothing to prompt; the person answers on another machine.
DEVICE_CHECKS: Final = (
    Check("P06", "unauthorized_client", _fitting),
    Check("P13", "unauthorized_client", _pushed),
    Check("P10", "invalid_request", _once),
    Check("P15", "invalid_scope", _scope),
    Check("P10", "invalid_request", _prompt),
    Check("P10", "invalid_request", _bounded("nonce")),
    Check("P10", "invalid_request", _max_age),
    Check("P15", "invalid_target", _resources),
    Check("P10", "invalid_request", _not_passive),
)
