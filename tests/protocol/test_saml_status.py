"""Every refusal, cancellation and fault in the words of each profile (domain 3.6, 12.7; features D.3; RUL-25)."""

from dataclasses import replace

import pytest

from idp.domain.assertion import Denied, Interrupted, Outcome
from idp.domain.assurance import Level
from idp.domain.login import RequestedAttribute
from idp.domain.parties import Profile
from idp.domain.reasons import Reason
from idp.protocols.message import Incoming
from idp.protocols.saml.status import Problem, RequestFault, problem_of, status
from tests.protocol.saml_kit import SOLE_TRADER, Bench, granted, octets_of, opened, service, status_of
from tests.protocol.saml_messages import (
    ACS,
    DV,
    FAMILY_NAME,
    RSIN,
    SAML_PROFILES,
    SCHEME,
    SCHEME_METADATA,
    SP,
    Asking,
    Published,
)

REFERENCE = "7XKQ2M9P"
FAILED = f"Authentication failed {REFERENCE}"
# The second-level code of each reason in the generic profile; the scheme has AuthnFailed for all.
GENERIC = {
    Reason.NO_MEANS: "RequestDenied",
    Reason.MEANS_NOT_ACTIVATED: "RequestDenied",
    Reason.MEANS_EXPIRED: "RequestDenied",
    Reason.MEANS_REVOKED: "RequestDenied",
    Reason.UPGRADE_IN_PROGRESS: "RequestDenied",
    Reason.ORGANISATION_ENDED: "RequestDenied",
    Reason.ACCESS_PAUSED: "RequestDenied",
    Reason.LEVEL_TOO_LOW: "NoAuthnContext",
    Reason.NO_RESPONDER: "NoAuthnContext",
    Reason.CERTIFICATE_REFUSED: "AuthnFailed",
    Reason.BRANCH_REGISTRATION: "RequestDenied",
    Reason.OTHER_BRANCH: "RequestDenied",
    Reason.NO_MANDATE: "RequestDenied",
    Reason.MANDATE_EXPIRED: "RequestDenied",
    Reason.MANDATE_DORMANT: "RequestDenied",
    Reason.MANDATE_LEVEL_TOO_LOW: "NoAuthnContext",
    Reason.CHAIN_INCOMPLETE: "RequestDenied",
    Reason.CANCELLED: "AuthnFailed",
}
# Problem: code, generic pair, scheme pair, message.
TABLE = {
    Problem.EXPIRED: ("P04", "Requester", "Requester", "Request expired"),
    Problem.DESTINATION: ("P08", "Requester", "Requester", "Destination does not match"),
    Problem.VERSION: ("P10", "VersionMismatch", "Requester", "SAML version not supported"),
    Problem.BINDING: (
        "P06",
        "Requester/UnsupportedBinding",
        "Requester/RequestUnsupported",
        "Binding not supported",
    ),
    Problem.UNSUPPORTED: (
        "P06",
        "Requester/RequestUnsupported",
        "Requester/RequestUnsupported",
        "Part of the request not supported",
    ),
    Problem.PASSIVE: (
        "P16",
        "Responder/RequestUnsupported",
        "Responder/RequestUnsupported",
        "IsPassive not supported",
    ),
    Problem.NO_PASSIVE: (
        "P16",
        "Responder/NoPassive",
        "Responder/RequestUnsupported",
        "Passive authentication not possible",
    ),
    Problem.NAME_ID: (
        "P09",
        "Requester/InvalidNameIDPolicy",
        "Requester/RequestUnsupported",
        "NameIDPolicy not supported",
    ),
    Problem.SCOPING: (
        "P06",
        "Responder/NoSupportedIDP",
        "Responder/RequestUnsupported",
        "Identity provider not supported",
    ),
    Problem.SERVICE: ("P15", "Requester/RequestUnsupported", "Requester/RequestUnsupported", "Unknown service"),
    Problem.LEVEL: (
        "P07",
        "Requester/NoAuthnContext",
        "Requester/RequestUnsupported",
        "Level of assurance not supported",
    ),
    Problem.ATTRIBUTE: (
        "P15",
        "Responder/RequestUnsupported",
        "Responder/RequestUnsupported",
        "Attribute not available",
    ),
    Problem.ENTITY_TYPE: (
        "P15",
        "Responder/RequestUnsupported",
        "Responder/RequestUnsupported",
        "Entity type not supported",
    ),
    Problem.PRINCIPAL: (
        "P15",
        "Requester/UnknownPrincipal",
        "Requester/RequestUnsupported",
        "Session and person do not belong together",
    ),
    Problem.CANCELLED: ("", "Responder/AuthnFailed", "Responder/AuthnFailed", "Authentication cancelled"),
    Problem.DENIED: ("", "Responder/RequestDenied", "Responder/AuthnFailed", FAILED),
    Problem.LEVEL_UNMET: ("", "Responder/NoAuthnContext", "Responder/AuthnFailed", FAILED),
    Problem.NOT_AUTHENTICATED: ("", "Responder/AuthnFailed", "Responder/AuthnFailed", FAILED),
    Problem.TECHNICAL: ("", "Responder", "Responder", f"Technical error {REFERENCE}"),
}
ALLOWED_BY_THE_SCHEME = {"Requester", "Responder", "AuthnFailed", "RequestUnsupported", "UnknownPrincipal"}


@pytest.mark.parametrize("problem", Problem)
@pytest.mark.parametrize("scheme", [False, True])
def test_the_table_of_statuses(problem: Problem, scheme: bool) -> None:
    """Each problem has the code, the status of the profile and the message that the documents give it."""
    code, generic, of_scheme, message = TABLE[problem]
    found = status(problem, scheme=scheme, reference=REFERENCE)
    pair = "/".join(one.rpartition(":")[2] for one in (found.top, found.second) if one is not None)
    assert (RequestFault(problem).code, pair, found.message) == (code, of_scheme if scheme else generic, message)


@pytest.mark.parametrize("problem", Problem)
def test_the_scheme_has_few_codes(problem: Problem) -> None:
    """In eHerkenning only the five allowed codes are ever sent (domain 3.6)."""
    found = status(problem, scheme=True)
    codes = {one.rpartition(":")[2] for one in (found.top, found.second) if one is not None}
    assert codes <= ALLOWED_BY_THE_SCHEME


@pytest.mark.parametrize("profile", SAML_PROFILES)
@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_is_coarse(profile: Profile, reason: Reason, bench: Bench) -> None:
    """The party hears a coarse status and the reference, never the reason; a cancellation exactly so (RUL-25)."""
    root = answered(bench, profile, Denied((reason, Reason.NO_MANDATE), REFERENCE))
    second = GENERIC[reason] if profile is Profile.GENERIC else "AuthnFailed"
    message = "Authentication cancelled" if reason is Reason.CANCELLED else FAILED
    assert status_of(root) == ("Responder", second, message)
    assert reason.code not in message
    assert root.find("{*}Assertion") is None


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_an_interrupted_passive_login(profile: Profile, bench: Bench) -> None:
    """A passive request that would have needed the person hears so in the words of its profile."""
    root = answered(bench, profile, Interrupted("password", REFERENCE))
    second = "NoPassive" if profile is Profile.GENERIC else "RequestUnsupported"
    assert status_of(root) == ("Responder", second, "Passive authentication not possible")


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_an_organisation_without_the_identifier(profile: Profile, bench: Bench) -> None:
    """A sole trader has no RSIN, so a service that takes nothing else gets no assertion (EC-4)."""
    rsin_only = service(1, entity_types=((RSIN,),))
    root = answered(bench, profile, granted(principal=SOLE_TRADER), services=[rsin_only])
    assert status_of(root) == ("Responder", "RequestUnsupported", "Entity type not supported")


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_a_required_attribute_that_is_not_given(profile: Profile, bench: Bench) -> None:
    """Without a required attribute there is no assertion; without an optional one there is (RA-2, RA-3)."""
    for required, expected in ((True, "RequestUnsupported"), (False, None)):
        root = answered(bench, profile, granted(), attributes=(RequestedAttribute(FAMILY_NAME, required),))
        assert status_of(root)[1] == expected


def test_a_party_that_lost_its_certificate(bench: Bench) -> None:
    """When identifiers must be encrypted and nobody can read them, nothing is told but a technical error (ENC-5)."""
    incoming = read(bench, Profile.EHERKENNING_113)
    bench.register(replace(SCHEME_METADATA, encryption=()), Profile.EHERKENNING_113)
    root = opened(octets_of(bench.answer(incoming_again(bench, incoming), granted())))
    assert status_of(root) == ("Responder", None, f"Technical error {REFERENCE}")


def test_no_reasons_are_a_plain_denial() -> None:
    """A refusal that gives no reason is answered like any other."""
    assert problem_of(()) is Problem.DENIED


def read(bench: Bench, profile: Profile, **changes: object) -> Incoming:
    """A request of a party with this profile, with its reference."""
    scheme = profile in SCHEME
    bench.register(SCHEME_METADATA if scheme else Published(), profile, changes.pop("services", ()))  # type: ignore[arg-type]
    incoming: Incoming = bench.read(Asking(profile, issuer=DV if scheme else SP).posted("rs"))
    reply = incoming.asked.reply | {"reference": REFERENCE}
    return replace(incoming, asked=replace(incoming.asked, reply=reply, **changes))  # type: ignore[arg-type]


def incoming_again(bench: Bench, incoming: Incoming) -> Incoming:
    """The same request of the party as it is registered now."""
    return replace(incoming, party=bench.shelf.parties[incoming.party.identity])


def answered(bench: Bench, profile: Profile, outcome: Outcome, **changes: object):  # type: ignore[no-untyped-def]
    """The Response to an outcome, checked, as a tree."""
    answer = bench.answer(read(bench, profile, **changes), outcome)
    assert (answer.action, answer.fields["RelayState"]) == (ACS, "rs")
    root = opened(octets_of(answer))
    assert (root.get("Destination"), root.get("InResponseTo")) == (ACS, "_req1")
    return root


def test_levels_are_told_as_reached(bench: Bench) -> None:
    """The level of the assertion is the one reached, not the one asked (LOA-7)."""
    root = answered(bench, Profile.GENERIC, granted(level=Level.EH4))
    assert root.findtext(".//{*}AuthnContextClassRef") == Level.EH4.urn
