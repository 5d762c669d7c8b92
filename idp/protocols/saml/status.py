"""What a relying party hears when there is no assertion: one table (domain 3.6, 12.7; features D.3; RUL-25)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.domain.reasons import Reason

SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
PARTIAL_LOGOUT: Final = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"


class StatusCode(StrEnum):
    """Top and second level codes; the scheme allows the first five alone."""

    REQUESTER = "urn:oasis:names:tc:SAML:2.0:status:Requester"
    RESPONDER = "urn:oasis:names:tc:SAML:2.0:status:Responder"
    AUTHN_FAILED = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
    REQUEST_UNSUPPORTED = "urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported"
    UNKNOWN_PRINCIPAL = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"
    INVALID_NAME_ID_POLICY = "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"
    NO_AUTHN_CONTEXT = "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"
    NO_PASSIVE = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"
    NO_SUPPORTED_IDP = "urn:oasis:names:tc:SAML:2.0:status:NoSupportedIDP"
    REQUEST_DENIED = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"
    UNSUPPORTED_BINDING = "urn:oasis:names:tc:SAML:2.0:status:UnsupportedBinding"
    VERSION_MISMATCH = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch"


class Problem(StrEnum):
    """Every way in which a request ends without an assertion while its sender hears of it."""

    EXPIRED = "expired"
    DESTINATION = "destination"
    VERSION = "version"
    BINDING = "binding"
    UNSUPPORTED = "unsupported"
    PASSIVE = "passive"
    NO_PASSIVE = "no-passive"
    NAME_ID = "name-id"
    SCOPING = "scoping"
    SERVICE = "service"
    LEVEL = "level"
    ATTRIBUTE = "attribute"
    ENTITY_TYPE = "entity-type"
    PRINCIPAL = "principal"
    CANCELLED = "cancelled"
    DENIED = "denied"
    LEVEL_UNMET = "level-unmet"
    NOT_AUTHENTICATED = "not-authenticated"
    TECHNICAL = "technical"


@dataclass(frozen=True, slots=True)
class Status:
    """What goes on the wire."""

    top: StatusCode
    second: StatusCode | None
    message: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """``code`` is the protocol code of features D.3; ``reference`` tells whether the support reference is added."""

    code: str
    generic: tuple[StatusCode, StatusCode | None]
    scheme: tuple[StatusCode, StatusCode | None]
    message: str
    reference: bool = False


_S = StatusCode
_UNSUPPORTED_BY_REQUESTER: Final = (_S.REQUESTER, _S.REQUEST_UNSUPPORTED)
_UNSUPPORTED_BY_US: Final = (_S.RESPONDER, _S.REQUEST_UNSUPPORTED)
_FAILED: Final = (_S.RESPONDER, _S.AUTHN_FAILED)
_REQUESTER: Final = (_S.REQUESTER, None)
_ENTRIES: Final[Mapping[Problem, _Entry]] = {
    Problem.EXPIRED: _Entry("P04", _REQUESTER, _REQUESTER, "Request expired"),
    Problem.DESTINATION: _Entry("P08", _REQUESTER, _REQUESTER, "Destination does not match"),
    Problem.VERSION: _Entry("P10", (_S.VERSION_MISMATCH, None), _REQUESTER, "SAML version not supported"),
    Problem.BINDING: _Entry(
        "P06", (_S.REQUESTER, _S.UNSUPPORTED_BINDING), _UNSUPPORTED_BY_REQUESTER, "Binding not supported"
    ),
    Problem.UNSUPPORTED: _Entry(
        "P06", _UNSUPPORTED_BY_REQUESTER, _UNSUPPORTED_BY_REQUESTER, "Part of the request not supported"
    ),
    Problem.PASSIVE: _Entry("P16", _UNSUPPORTED_BY_US, _UNSUPPORTED_BY_US, "IsPassive not supported"),
    Problem.NO_PASSIVE: _Entry(
        "P16", (_S.RESPONDER, _S.NO_PASSIVE), _UNSUPPORTED_BY_US, "Passive authentication not possible"
    ),
    Problem.NAME_ID: _Entry(
        "P09", (_S.REQUESTER, _S.INVALID_NAME_ID_POLICY), _UNSUPPORTED_BY_REQUESTER, "NameIDPolicy not supported"
    ),
    Problem.SCOPING: _Entry(
        "P06", (_S.RESPONDER, _S.NO_SUPPORTED_IDP), _UNSUPPORTED_BY_US, "Identity provider not supported"
    ),
    Problem.SERVICE: _Entry("P15", _UNSUPPORTED_BY_REQUESTER, _UNSUPPORTED_BY_REQUESTER, "Unknown service"),
    Problem.LEVEL: _Entry(
        "P07",
        (_S.REQUESTER, _S.NO_AUTHN_CONTEXT),
        _UNSUPPORTED_BY_REQUESTER,
        "Level of assurance not supported",
    ),
    Problem.ATTRIBUTE: _Entry("P15", _UNSUPPORTED_BY_US, _UNSUPPORTED_BY_US, "Attribute not available"),
    Problem.ENTITY_TYPE: _Entry("P15", _UNSUPPORTED_BY_US, _UNSUPPORTED_BY_US, "Entity type not supported"),
    Problem.PRINCIPAL: _Entry(
        "P15",
        (_S.REQUESTER, _S.UNKNOWN_PRINCIPAL),
        _UNSUPPORTED_BY_REQUESTER,
        "Session and person do not belong together",
    ),
    Problem.CANCELLED: _Entry("", _FAILED, _FAILED, "Authentication cancelled"),
    Problem.DENIED: _Entry("", (_S.RESPONDER, _S.REQUEST_DENIED), _FAILED, "Authentication failed", True),
    Problem.LEVEL_UNMET: _Entry("", (_S.RESPONDER, _S.NO_AUTHN_CONTEXT), _FAILED, "Authentication failed", True),
    Problem.NOT_AUTHENTICATED: _Entry("", _FAILED, _FAILED, "Authentication failed", True),
    Problem.TECHNICAL: _Entry("", (_S.RESPONDER, None), (_S.RESPONDER, None), "Technical error", True),
}
# Refusals that are about the level or the proof; every other one is a plain denial (features D.3, RUL-33).
_PROBLEM_OF_REASON: Final[Mapping[Reason, Problem]] = {
    Reason.CANCELLED: Problem.CANCELLED,
    Reason.LEVEL_TOO_LOW: Problem.LEVEL_UNMET,
    Reason.MANDATE_LEVEL_TOO_LOW: Problem.LEVEL_UNMET,
    Reason.NO_RESPONDER: Problem.LEVEL_UNMET,
    Reason.CERTIFICATE_REFUSED: Problem.NOT_AUTHENTICATED,
}


class RequestFault(Exception):
    """A fault in a verified request of which its sender hears; ``facts`` help its developer and hold nothing secret."""

    def __init__(self, problem: Problem, **facts: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.facts = facts

    @property
    def code(self) -> str:
        """The protocol code of features D.3."""
        return _ENTRIES[self.problem].code


def status(problem: Problem, *, scheme: bool, reference: str = "") -> Status:
    """The status of a problem, in the codes the profile allows; coarse, never a personal reason (RUL-25)."""
    entry = _ENTRIES[problem]
    top, second = entry.scheme if scheme else entry.generic
    message = f"{entry.message} {reference}" if entry.reference and reference else entry.message
    return Status(top, second, message)


def problem_of(reasons: tuple[Reason, ...]) -> Problem:
    """What a refusal is to the relying party; the first reason counts (RUL-5)."""
    return _PROBLEM_OF_REASON.get(reasons[0], Problem.DENIED) if reasons else Problem.DENIED
