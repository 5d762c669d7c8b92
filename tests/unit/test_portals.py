"""What a portal asks: which services it looks at, what it takes of them, and what a request may lower."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.assurance import Level
from idp.domain.decision import Asked, Granted, Refused, StepUp, refusal
from idp.domain.parties import Party, PartySettings, Profile, Provider, behind
from idp.domain.portal import Portal, decide, options, question
from idp.domain.reasons import Reason

from .decision_cases import INSTANCE, OTHER_INSTANCE, OTHER_SERVICE, PROVIDER, SERVICE, TODAY, factors, held
from .oracle import Case, Mandated
from .oracle_of_portals import Takes
from .test_portal_enumerated import PORTAL, service

A, B = service(SERVICE, Takes()), service(OTHER_SERVICE, Takes())
LEADS = service(PORTAL, Takes(), (OTHER_INSTANCE, INSTANCE))


def uuids(asked: object) -> list[str]:
    """The services that a question is about."""
    assert isinstance(asked, Portal)
    return [one.instance for one in asked.services]


def test_a_service_of_its_own_is_asked_as_ever() -> None:
    """Without services behind it the question is the one of a single service, and answered by the one decision."""
    asked = question(A, (), Level.EH3)
    assert asked == Asked(A.target, Level.EH3, True)
    assert options(asked, [held(Case())], factors("po"), TODAY)[0].decision == decide(
        asked, held(Case()), factors("po"), TODAY
    )


def test_services_stand_in_the_order_of_the_portal() -> None:
    """domain 7.6: the catalogue's order is that of the portal, whatever order its services are known in."""
    assert behind(LEADS, (A, B)) == behind(LEADS, (B, LEADS, A)) == (B, A)
    assert behind(LEADS, (A,)) == (A,)
    assert behind(A, (A, B)) == ()
    assert uuids(question(LEADS, (B, A), Level.EH3)) == [OTHER_INSTANCE, INSTANCE]


@pytest.mark.parametrize(
    ("level", "found"),
    [(Level.EH2, [INSTANCE]), (Level.EH2PLUS, [OTHER_INSTANCE, INSTANCE]), (Level.EH3, [OTHER_INSTANCE, INSTANCE])],
)
def test_a_service_that_asks_more_than_the_login_is_left_out(level: Level, found: list[str]) -> None:
    """F02: no answer tells of a service below what the catalogue asks there; each is asked at the login's level."""
    asked = question(LEADS, (replace(B, level=Level.EH2PLUS), replace(A, level=Level.EH2)), level)
    assert uuids(asked) == found
    assert isinstance(asked, Portal)
    assert {one.asked.level for one in asked.services} == {level}


def test_a_portal_whose_services_all_ask_more_lets_nobody_in() -> None:
    """What is left is no way to act, and a refusal."""
    asked = question(LEADS, (replace(A, level=Level.EH4),), Level.EH3)
    found = options(asked, [held(Case())], factors("po"), TODAY)
    assert found == ()
    assert isinstance(refusal(found, None), Refused)


def test_a_factor_that_is_missing_is_asked_before_anything_is_said() -> None:
    """RUL-11: one service that goes on is enough to go on; when none does, the refusal keeps what was missing."""
    asked = question(LEADS, (B, A), Level.EH3)
    one = held(Case(mandates=(Mandated("this service"),)))
    assert isinstance(decide(asked, one, factors("p"), TODAY), StepUp)
    none = decide(asked, held(Case(mandates=(Mandated("another provider"),))), factors("p"), TODAY)
    assert isinstance(none, Refused)
    assert (none.reasons, none.visible(), none.factor) == ((Reason.NO_MANDATE,), (), next(iter(factors("o"))))
    assert none.objections[0].facts["behind"] == "2"


def test_the_mandate_of_the_first_service_is_the_one_recorded() -> None:
    """A login at a portal names one mandate, and as used every one by which a service is told, each once."""
    asked = question(LEADS, (B, A), Level.EH2)
    both = held(Case(mandates=(Mandated("this service", "EH2"), Mandated("another service", "EH3"))))
    found = decide(asked, both, factors("po"), TODAY)
    assert isinstance(found, Granted)
    assert found.mandate is not None
    assert (found.mandate.id, found.used, found.level) == ("m1", ("m1", "m0"), Level.EH2)
    general = decide(asked, held(Case()), factors("po"), TODAY)
    assert isinstance(general, Granted)
    assert general.used == ("m0",)


@pytest.mark.parametrize("by_service", [True, False])
@pytest.mark.parametrize("by_party", [True, False])
def test_nobody_asks_less_at_a_portal(by_service: bool, by_party: bool) -> None:
    """LOA-6: elsewhere service or party may allow a lower level; at a portal neither does."""
    settings = PartySettings(Profile.GENERIC, allow_lower_request=by_party)
    party = Party("1", "saml", "urn:x", "X", Provider(PROVIDER, {}), settings, ((0, A),), "", 1)
    assert party.lowers(replace(A, allow_lower=by_service)) is (by_service or by_party)
    assert party.lowers(replace(LEADS, allow_lower=by_service)) is False


DAYS = ("in use", "last day", "ended yesterday", "used 24 months and a day ago")
MANDATES = st.lists(
    st.builds(
        Mandated,
        st.sampled_from(("this service", "another service", "this provider", "everything")),
        st.sampled_from(("EH2", "EH3", "EH4")),
        st.sampled_from(("", "X", "Y", "XY")),
        st.sampled_from(DAYS),
    ),
    max_size=5,
)


@given(MANDATES, st.sampled_from(("", "X", "Y")), st.sampled_from((Level.EH2, Level.EH3)), st.booleans())
def test_an_answer_is_true_of_every_service_in_it(
    mandates: list[Mandated], registered: str, level: Level, turned: bool
) -> None:
    """SR-9, LOA-8: it stays within what each service told allows by itself; one left out shares no branch."""
    led_to = (A, B) if turned else (B, A)
    way = held(Case(registered=registered, mandates=tuple(mandates)))
    found = decide(question(LEADS, led_to, level), way, factors("po"), TODAY)
    alone = {one.instance_uuid: decide(question(one, (), level), way, factors("po"), TODAY) for one in led_to}
    granted = {uuid: one for uuid, one in alone.items() if isinstance(one, Granted)}
    assert isinstance(found, Granted) is bool(granted)
    if not isinstance(found, Granted):
        return
    assert list(found.services) == [one.instance_uuid for one in led_to if one.instance_uuid in found.services]
    for uuid, one in granted.items():
        if uuid in found.services:
            assert found.level <= one.level
            assert not one.branches or (found.branches and found.branches <= one.branches)
            assert set(one.used) <= set(found.used)
        else:
            assert found.branches
            assert not found.branches & one.branches
