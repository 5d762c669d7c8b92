"""The messages of every profile do not change unnoticed (RUL-28, domain 12)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from idp.domain.assertion import Denied, Interrupted, Outcome, Served
from idp.domain.assurance import Level
from idp.domain.identifiers import BranchNumber
from idp.domain.parties import Profile, Service
from idp.domain.reasons import Reason
from idp.protocols.message import Answered, PostForm
from idp.protocols.saml import documents
from tests.protocol.saml_golden import compare, lines, masked
from tests.protocol.saml_kit import (
    OFFICE_OF_ACCOUNTS,
    PAYROLL,
    SOLE_TRADER,
    Bench,
    granted,
    octets_of,
    opened,
    service,
)
from tests.protocol.saml_messages import (
    ACS,
    COMPANY_NAME,
    DV,
    FAMILY_NAME,
    KVK,
    LOA,
    OIN,
    POST,
    RSIN,
    SCHEME_METADATA,
    TRANSIENT,
    Asking,
    Published,
    attribute_service,
)

G, E13, E11 = Profile.GENERIC, Profile.EHERKENNING_113, Profile.EHERKENNING_111
BRANCHES = (BranchNumber("000090000011"), BranchNumber("000090000029"))
CANCELLED = Denied((Reason.CANCELLED,), "7XKQ2M9P")
NO_MANDATE = Denied((Reason.NO_MANDATE,), "7XKQ2M9P")
TOO_LOW = Denied((Reason.LEVEL_TOO_LOW, Reason.NO_MANDATE), "7XKQ2M9P")


PLAIN = Published()


@dataclass(frozen=True)
class Case:
    """A request, what came of it, and how the relying party is registered."""

    name: str
    asking: Asking
    outcome: Outcome
    published: Published = PLAIN
    decrypting: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    services: tuple[Service, ...] = ()


def scheme(profile: Profile, **attributes: str) -> Asking:
    """An AuthnRequest as the scheme writes it (domain 12.1)."""
    usual = {"AssertionConsumerServiceIndex": "2", "AttributeConsumingServiceIndex": "1", "ForceAuthn": "true"}
    return Asking(profile, usual | attributes, issuer=DV)


def levels(comparison: str, *classes: str) -> str:
    """A RequestedAuthnContext."""
    refs = "".join(f"<saml:AuthnContextClassRef>{one}</saml:AuthnContextClassRef>" for one in classes)
    return f'<samlp:RequestedAuthnContext Comparison="{comparison}">{refs}</samlp:RequestedAuthnContext>'


def extension(*names: str) -> str:
    """The extension that asks attributes."""
    asked = "".join(f'<md:RequestedAttribute Name="{one}"/>' for one in names)
    return (
        '<samlp:Extensions><ra:RequestedAttributes xmlns:ra="urn:etoegang:1.9:samlp-extension" '
        f'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{asked}</ra:RequestedAttributes></samlp:Extensions>'
    )


ONE_KEY, TWO_KEYS = ("sp-encryption",), ("sp-encryption", "own-encryption")
ADVISED = {"advice": True}
ON_A_BRANCH = granted(branches=BRANCHES[:1], subdossiers=("0001",))
IN_A_CHAIN = granted(intermediaries=(OFFICE_OF_ACCOUNTS,))
# The company chose its accountant, who passed it on to the company where the person works.
IN_A_LONG_CHAIN = granted(intermediaries=(OFFICE_OF_ACCOUNTS, PAYROLL))
# A legal entity by RSIN alone, or else anyone by the KvK number: sets in the order of preference (EC-1, EC-2).
PREFERENCE = (service(1, entity_types=((RSIN,), (KVK,))),)
# A portal for three services, two of which the person may use (domain 12.6, variant h).
BEHIND = (service(2, Level.EH2PLUS), service(3), service(4))
PORTAL = (service(1, portal_for=tuple(one.instance_uuid for one in BEHIND)),)
AT_A_PORTAL = granted(services=tuple(Served(one.urn, one.uuid) for one in BEHIND[::2]))
TWO_CERTIFICATES = replace(SCHEME_METADATA, encryption=("sp-encryption", "sp-encryption-next"))
NAMED = attribute_service(1, f"urn:etoegang:DV:{OIN}:services:1", COMPANY_NAME)
CASES = (
    Case("generic/plain", Asking(), granted()),
    Case("generic/session", Asking(), granted(session="0190-session")),
    Case("generic/branches", Asking(), granted(branches=BRANCHES)),
    Case("generic/chain", Asking(), granted(intermediaries=(OFFICE_OF_ACCOUNTS,))),
    Case("generic/sole-trader", Asking(), granted(principal=SOLE_TRADER)),
    Case("generic/attributes", Asking(extensions=extension(FAMILY_NAME)), granted(attributes={FAMILY_NAME: "Jansen"})),
    Case("generic/transient", Asking(body=f'<samlp:NameIDPolicy Format="{TRANSIENT}"/>'), granted()),
    Case("generic/exact", Asking(body=levels("exact", LOA + "3")), granted()),
    Case("generic/eidas", Asking(body=levels("minimum", "http://eidas.europa.eu/LoA/substantial")), granted()),
    Case("generic/cancelled", Asking(), CANCELLED),
    Case("generic/no-mandate", Asking(), NO_MANDATE),
    Case("generic/level-too-low", Asking(), TOO_LOW),
    Case("generic/passive", Asking(attributes={"IsPassive": "true"}), Interrupted("password", "7XKQ2M9P")),
    Case(
        "generic/encrypted",
        Asking(),
        granted(),
        Published(encryption=("sp-encryption",)),
        decrypting=("sp-encryption",),
    ),
    Case("1.11/plain", scheme(E11), granted(), SCHEME_METADATA),
    Case("1.11/branches", scheme(E11), granted(branches=BRANCHES), SCHEME_METADATA),
    Case("1.11/chain", scheme(E11), granted(intermediaries=(OFFICE_OF_ACCOUNTS,)), SCHEME_METADATA),
    Case("1.11/cancelled", scheme(E11), CANCELLED, SCHEME_METADATA),
    Case("1.13/plain", scheme(E13), granted(), SCHEME_METADATA, ("sp-encryption",)),
    Case("1.13/branch", scheme(E13), granted(branches=BRANCHES[:1]), SCHEME_METADATA, ("sp-encryption",)),
    Case("1.13/branches", scheme(E13), granted(branches=BRANCHES), SCHEME_METADATA, ("sp-encryption",)),
    Case("1.13/sole-trader", scheme(E13), granted(principal=SOLE_TRADER), SCHEME_METADATA, ("sp-encryption",)),
    Case("1.13/chain", scheme(E13), granted(intermediaries=(OFFICE_OF_ACCOUNTS,)), SCHEME_METADATA, ("sp-encryption",)),
    Case("1.13/company-name", scheme(E13), granted(), replace(SCHEME_METADATA, services=NAMED), ("sp-encryption",)),
    Case(
        "1.13/attributes",
        replace(scheme(E13), extensions=extension(FAMILY_NAME, COMPANY_NAME)),
        granted(attributes={FAMILY_NAME: "Jansen"}),
        SCHEME_METADATA,
        ("sp-encryption",),
    ),
    Case("1.13/two-certificates", scheme(E13), granted(), TWO_CERTIFICATES, ("sp-encryption-next",)),
    Case(
        "1.13/higher-level",
        replace(scheme(E13, AttributeConsumingServiceIndex="2"), body=levels("minimum", LOA + "2plus")),
        granted(level=Level.EH3),
        SCHEME_METADATA,
        ("sp-encryption",),
    ),
    Case(
        "1.13/by-address",
        Asking(
            E13, {"AssertionConsumerServiceURL": ACS, "ProtocolBinding": POST, "ID": "ONELOGIN_" + "a" * 40}, issuer=DV
        ),
        granted(),
        SCHEME_METADATA,
        ("sp-encryption",),
    ),
    Case("1.13/subdossier", scheme(E13), ON_A_BRANCH, SCHEME_METADATA, ONE_KEY),
    Case("1.13/first-set", scheme(E13), granted(), SCHEME_METADATA, ONE_KEY, services=PREFERENCE),
    Case("1.13/second-set", scheme(E13), granted(principal=SOLE_TRADER), SCHEME_METADATA, ONE_KEY, services=PREFERENCE),
    Case("1.13/advice", scheme(E13), granted(), SCHEME_METADATA, TWO_KEYS, ADVISED),
    Case("1.13/advice-branch", scheme(E13), ON_A_BRANCH, SCHEME_METADATA, TWO_KEYS, ADVISED),
    Case("1.13/advice-chain", scheme(E13), IN_A_CHAIN, SCHEME_METADATA, TWO_KEYS, ADVISED),
    Case("1.11/subdossier", scheme(E11), ON_A_BRANCH, SCHEME_METADATA),
    Case("1.11/sole-trader", scheme(E11), granted(principal=SOLE_TRADER), SCHEME_METADATA),
    Case("1.11/company-name", scheme(E11), granted(), replace(SCHEME_METADATA, services=NAMED)),
    Case("1.11/advice", scheme(E11), granted(), SCHEME_METADATA, TWO_KEYS, ADVISED),
    Case("1.11/advice-chain", scheme(E11), IN_A_CHAIN, SCHEME_METADATA, TWO_KEYS, ADVISED),
    Case("generic/long-chain", Asking(), IN_A_LONG_CHAIN),
    Case("1.11/long-chain", scheme(E11), IN_A_LONG_CHAIN, SCHEME_METADATA),
    Case("1.13/long-chain", scheme(E13), IN_A_LONG_CHAIN, SCHEME_METADATA, ONE_KEY),
    Case("1.13/advice-long-chain", scheme(E13), IN_A_LONG_CHAIN, SCHEME_METADATA, TWO_KEYS, ADVISED),
    Case("generic/portal", Asking(), AT_A_PORTAL, services=PORTAL),
    Case("1.11/portal", scheme(E11), AT_A_PORTAL, SCHEME_METADATA, services=PORTAL),
    Case("1.13/portal", scheme(E13), AT_A_PORTAL, SCHEME_METADATA, ONE_KEY, services=PORTAL),
    Case("1.13/advice-portal", scheme(E13), AT_A_PORTAL, SCHEME_METADATA, TWO_KEYS, ADVISED, PORTAL),
    Case("generic/subdossier", Asking(), ON_A_BRANCH),
    Case("generic/no-advice", Asking(), granted(), settings=ADVISED),
    Case("1.13/cancelled", scheme(E13), CANCELLED, SCHEME_METADATA),
    Case("1.13/advice-cancelled", scheme(E13), CANCELLED, SCHEME_METADATA, settings=ADVISED),
    Case("1.13/no-mandate", scheme(E13), NO_MANDATE, SCHEME_METADATA),
    Case("1.13/level-too-low", scheme(E13), TOO_LOW, SCHEME_METADATA),
)
FAULTS = (
    Case("1.13/is-passive", scheme(E13, IsPassive="true"), CANCELLED, SCHEME_METADATA),
    Case("1.13/unknown-service", scheme(E13, AttributeConsumingServiceIndex="9"), CANCELLED, SCHEME_METADATA),
    Case("1.13/unknown-level", replace(scheme(E13), body=levels("minimum", LOA + "9")), CANCELLED, SCHEME_METADATA),
    Case("1.13/expired", scheme(E13, IssueInstant="2026-01-15T09:00:00Z"), CANCELLED, SCHEME_METADATA),
    Case("generic/unknown-level", Asking(body=levels("minimum", LOA + "9")), CANCELLED),
    Case("generic/name-id", Asking(body='<samlp:NameIDPolicy Format="urn:example:email"/>'), CANCELLED),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_outcome_is_answered_as_ever(case: Case, bench: Bench, pytestconfig: pytest.Config) -> None:
    """A request and its answer are the golden ones; what we send is canonical, schema-valid and well signed (RC-1)."""
    bench.register(case.published, case.asking.profile, case.services, **case.settings)
    incoming = bench.read(case.asking.posted("rs-1"))
    # The reference is added when a login begins.
    incoming = replace(incoming, asked=replace(incoming.asked, reply=incoming.asked.reply | {"reference": "7XKQ2M9P"}))
    answer = bench.answer(incoming, case.outcome)
    _hold(case, answer, pytestconfig)


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_a_fault_is_answered_as_ever(case: Case, bench: Bench, pytestconfig: pytest.Config) -> None:
    """A faulty request and the answer to it are the golden ones (domain 12.7)."""
    bench.register(case.published, case.asking.profile, case.services, **case.settings)
    with pytest.raises(Answered) as caught:
        bench.read(case.asking.posted("rs-1"))
    assert isinstance(caught.value.answer, PostForm)
    _hold(case, caught.value.answer, pytestconfig)


@pytest.mark.parametrize("path", ["/saml/metadata", "/saml/1.13/metadata", "/saml/1.11/metadata"])
def test_our_metadata_are_as_ever(path: str, bench: Bench, pytestconfig: pytest.Config) -> None:
    """Our metadata are the golden ones, byte for byte (performance: P8)."""
    name = path.removeprefix("/saml/").replace("/", "-")
    kind, octets = documents(bench.office)[path]
    assert kind == "application/samlmetadata+xml"
    compare(f"metadata/{name}.xml", lines(octets), pytestconfig)


def _hold(case: Case, answer: PostForm, config: pytest.Config) -> None:
    assert (answer.action, answer.fields["RelayState"]) == (ACS, "rs-1")
    octets = octets_of(answer)
    opened(octets, *case.decrypting)
    compare(f"{case.name}.request.xml", lines(case.asking.xml()), config)
    shown = masked(octets, *case.decrypting) if case.decrypting else lines(octets)
    compare(f"{case.name}.response.xml", shown, config)
