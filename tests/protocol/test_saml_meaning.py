"""What a request means, once it is taken (domain 2.2, 3.2, real-clients)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.domain.assurance import Level
from idp.domain.demand import Reading
from idp.domain.login import LoginRequest, RequestedAttribute
from idp.domain.parties import Profile
from idp.protocols.message import Answered
from tests.protocol.saml_kit import ATTRIBUTES, Bench, service
from tests.protocol.saml_messages import (
    ACS,
    ARTIFACT,
    COMPANY_NAME,
    DV,
    FAMILY_NAME,
    FIRST_NAME,
    LOA,
    PAOS,
    POST,
    SCHEME_METADATA,
    SP,
    Asking,
    Consumer,
    Published,
    attribute_service,
)

E13 = Profile.EHERKENNING_113


def levels(comparison: str, *classes: str) -> str:
    """A RequestedAuthnContext."""
    refs = "".join(f"<saml:AuthnContextClassRef>{LOA}{one}</saml:AuthnContextClassRef>" for one in classes)
    return f'<samlp:RequestedAuthnContext Comparison="{comparison}">{refs}</samlp:RequestedAuthnContext>'


def asked(bench: Bench, asking: Asking | None = None) -> LoginRequest:
    """What a request asks."""
    found: LoginRequest = bench.read((asking or Asking()).posted()).asked
    return found


def test_a_plain_request_asks_the_default_service_at_its_level(bench: Bench) -> None:
    """Without index and level, the party's first service and the catalogue's level count (LOA-2)."""
    party = bench.register()
    found = asked(bench)
    assert (found.protocol, found.party) == ("saml", party.id)
    assert found.service == party.services[0][1].instance_uuid
    assert (found.level, found.ceiling, found.force, found.passive) == (Level.EH3, None, False, False)


def test_flags_are_read(bench: Bench) -> None:
    """ForceAuthn and IsPassive are passed on (S-1)."""
    bench.register()
    found = asked(bench, Asking(attributes={"ForceAuthn": "true", "IsPassive": "1"}))
    assert (found.force, found.passive) == (True, True)


def test_an_index_chooses_the_service(bench: Bench) -> None:
    """AttributeConsumingServiceIndex chooses the service and with it the level."""
    party = bench.register()
    found = asked(bench, Asking(attributes={"AttributeConsumingServiceIndex": "2"}))
    assert found.service == party.services[1][1].instance_uuid
    assert found.level is Level.EH2PLUS


@pytest.mark.parametrize(
    ("comparison", "classes", "level", "ceiling"),
    [
        ("minimum", ("2",), Level.EH3, None),
        ("minimum", ("3",), Level.EH3, None),
        ("minimum", ("4",), Level.EH4, None),
        ("minimum", ("4", "2"), Level.EH3, None),
        ("exact", ("3",), Level.EH3, Level.EH3),
        ("exact", ("2", "4"), Level.EH4, Level.EH4),
        ("better", ("2plus",), Level.EH3, None),
        ("better", ("3",), Level.EH4, None),
        ("maximum", ("4",), Level.EH3, Level.EH4),
        ("maximum", ("3",), Level.EH3, Level.EH3),
    ],
)
def test_comparisons(
    comparison: str, classes: tuple[str, ...], level: Level, ceiling: Level | None, bench: Bench
) -> None:
    """A generic party is understood in all four comparisons, at a service of EH3 (RUL-23)."""
    bench.register()
    found = asked(bench, Asking(body=levels(comparison, *classes)))
    assert (found.level, found.ceiling) == (level, ceiling)


@pytest.mark.parametrize(("comparison", "classes"), [("exact", ("2",)), ("maximum", ("2",)), ("better", ("4",))])
def test_comparisons_that_nothing_fits(comparison: str, classes: tuple[str, ...], bench: Bench) -> None:
    """A level that the catalogue or the ladder rules out is answered with P07."""
    bench.register()
    with pytest.raises(Answered) as caught:
        asked(bench, Asking(body=levels(comparison, *classes)))
    assert caught.value.code == "P07"


@pytest.mark.parametrize("by", ["service", "party"])
def test_a_lower_request_counts_where_it_is_allowed(by: str, bench: Bench) -> None:
    """A request below the catalogue counts when the service or the party allows it (LOA-6)."""
    bench.register(services=[service(allow_lower=by == "service")], allow_lower_request=by == "party")
    assert asked(bench, Asking(body=levels("minimum", "2"))).level is Level.EH2


def test_a_party_may_want_the_level_it_asked(bench: Bench) -> None:
    """With ``answer_level`` the level demanded is also the highest stated (RC-3)."""
    bench.register(answer_level="requested")
    assert asked(bench).ceiling is Level.EH3


def test_a_level_that_is_switched_off_is_refused(bench: Bench) -> None:
    """A level above the highest that the settings allow cannot be asked (AD-3)."""
    bench.register()
    login = replace(bench.office.settings.login, levels=("EH2", "EH3"))
    bench.office = replace(bench.office, settings=replace(bench.office.settings, login=login))
    with pytest.raises(Answered) as caught:
        asked(bench, Asking(body=levels("minimum", "4")))
    assert caught.value.code == "P07"


def test_the_extension_asks_attributes(bench: Bench) -> None:
    """Declared attributes are asked in their order, optional undeclared ones are left out (RA-1, RA-2)."""
    bench.register()
    names = ((FIRST_NAME, "true"), ("urn:etoegang:1.9:attribute:ShoeSize", "false"), (FAMILY_NAME, "false"))
    wanted = "".join(f'<md:RequestedAttribute Name="{name}" isRequired="{need}"/>' for name, need in names)
    extension = (
        '<samlp:Extensions><ra:RequestedAttributes xmlns:ra="urn:etoegang:1.9:samlp-extension" '
        f'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{wanted}</ra:RequestedAttributes></samlp:Extensions>'
    )
    found = asked(bench, Asking(extensions=extension))
    assert found.attributes == (RequestedAttribute(FIRST_NAME, True), RequestedAttribute(FAMILY_NAME, False))


def test_metadata_ask_attributes(bench: Bench) -> None:
    """Without the extension, the AttributeConsumingService of the metadata says what is asked."""
    services = attribute_service(1, FAMILY_NAME, "urn:oid:2.5.4.4") + attribute_service(2, FIRST_NAME, COMPANY_NAME)
    bench.register(
        Published(services=services), services=[service(1), service(2, attributes=ATTRIBUTES)], profile=Profile.GENERIC
    )
    assert asked(bench).attributes == ()
    second = asked(bench, Asking(attributes={"AttributeConsumingServiceIndex": "2"}))
    assert second.attributes == (RequestedAttribute(FIRST_NAME, False),)
    assert second.reply["company_name"] == "yes"


def test_a_request_is_marked_against_replay(bench: Bench) -> None:
    """The mark names sender and ID, and is kept until the request would be too old anyway (RUL-26)."""
    bench.register()
    incoming = bench.read(Asking().posted())
    assert incoming.replay == f"{SP} _req1"
    assert incoming.replay_until == bench.clock.now() + timedelta(minutes=6)


def test_a_faulty_request_is_answered_once(bench: Bench) -> None:
    """The second time it is a replay and nothing goes to the relying party (RUL-25)."""
    bench.register()
    faulty = Asking(body=levels("better", "4")).posted()
    codes = []
    for _ in range(2):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - both kinds are looked at
            bench.read(faulty)
        codes.append((type(caught.value).__name__, caught.value.code))
    assert codes == [("Answered", "P07"), ("BadRequest", "P05")]


@pytest.mark.parametrize(
    ("consumers", "attributes", "place"),
    [
        ((Consumer(0), Consumer(1, location=ACS + "1")), {}, ACS),
        ((Consumer(0), Consumer(1, location=ACS + "1", default=True)), {}, ACS + "1"),
        ((Consumer(0, default=False), Consumer(1, location=ACS + "1")), {}, ACS + "1"),
        ((Consumer(0, PAOS, default=True), Consumer(1, location=ACS + "1")), {}, ACS + "1"),
        ((Consumer(0), Consumer(1, ARTIFACT, ACS + "1", default=True)), {}, ACS + "1"),
        ((Consumer(0), Consumer(7, location=ACS + "7")), {"AssertionConsumerServiceIndex": "7"}, ACS + "7"),
        ((Consumer(0, PAOS), Consumer(1)), {"AssertionConsumerServiceURL": ACS}, ACS),
        ((Consumer(0), Consumer(1, location=ACS + "1")), {"ProtocolBinding": POST}, ACS),
    ],
)
def test_where_to_answer(consumers: tuple[Consumer, ...], attributes: dict[str, str], place: str, bench: Bench) -> None:
    """The place is the one named, or the default among those we can answer to (SAML metadata 2.4.4)."""
    bench.register(Published(consumers=consumers))
    assert asked(bench, Asking(attributes=attributes)).reply["location"] == place


def test_the_dutch_client_is_answered_by_artifact(bench: Bench) -> None:
    """The Dutch client names an address and the binding, and gets its answer there and so (domain 3.2)."""
    bench.register(replace(SCHEME_METADATA, consumers=(Consumer(1, ARTIFACT), Consumer(2, POST, ACS + "/post"))), E13)
    attributes = {
        "AssertionConsumerServiceURL": ACS,
        "ProtocolBinding": ARTIFACT,
        "AttributeConsumingServiceIndex": "1",
        "ForceAuthn": "true",
        "ProviderName": "Gemeente",
    }
    reply = asked(bench, Asking(E13, attributes, issuer=DV)).reply
    assert (reply["location"], reply["binding"]) == (ACS, ARTIFACT)


def test_a_binding_we_do_not_answer_by_is_told_at_the_default_address(bench: Bench) -> None:
    """Who asks an answer by PAOS hears at its default address that this cannot be."""
    bench.register(Published(consumers=(Consumer(0, PAOS), Consumer(1, POST, ACS + "/post"))))
    with pytest.raises(Answered) as caught:
        asked(bench, Asking(attributes={"AssertionConsumerServiceIndex": "0"}))
    assert caught.value.answer.action == ACS + "/post"
    assert caught.value.code == "P06"


def test_a_request_strays_to_the_address_of_another_profile(bench: Bench) -> None:
    """One address serves one interface version: a 1.13 party at the generic address hears of it in 1.13 (G-5)."""
    bench.register(SCHEME_METADATA, E13)
    with pytest.raises(Answered) as caught:
        bench.read(Asking(E13, issuer=DV).posted(path="/saml/sso"))
    assert caught.value.code == "P08"
    assert caught.value.facts["expected"].endswith("/saml/1.13/sso")


def test_a_balie_style_request_is_understood(bench: Bench) -> None:
    """A low minimum and no service index: the default service at the catalogue's level (domain 12.3)."""
    bench.register(replace(SCHEME_METADATA, consumers=(Consumer(0),)), E13)
    body = levels("minimum", "1")
    found = asked(bench, Asking(E13, {"AssertionConsumerServiceIndex": "0", "ForceAuthn": "true"}, DV, body=body))
    assert (found.level, found.force) == (Level.EH3, True)
    assert found.service == service(1).instance_uuid


def test_certificates_out_of_their_dates_count_for_the_lenient_reading_only(bench: Bench) -> None:
    """The strict reading minds the dates of certificates (SEC-12)."""
    bench.clock.moment += timedelta(days=6000)
    instant = bench.clock.moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    request = Asking(attributes={"IssueInstant": instant}).posted()
    bench.register()
    assert bench.read(request).asked.level is Level.EH3
    bench.register(reading=Reading.STRICT)
    with pytest.raises(Exception, match="P02"):
        bench.read(request)
