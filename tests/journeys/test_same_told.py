"""Whoever logs in wherever: SAML and OIDC tell the same person, organisation, level and mandate."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.sandbox import Demo
from tests.journeys.test_cells import log_in, personas, world

__all__ = ["personas", "world"]
CORE, RESTRICTED = "urn:etoegang:core:", "urn:etoegang:1.9:ServiceRestriction:Vestigingsnr"
INTERMEDIARY = CORE + "IntermediateSubjectID"
# Each persona for itself would take a quarter of an hour; these are drawn anew with every run.
SOME = 16


@dataclass(frozen=True)
class Told:
    """What a service provider takes from an answer, whatever carried it."""

    person: str
    level: str
    organisation: frozenset[str]
    branches: frozenset[str]
    intermediary: str
    service: str


def by_saml(values: Mapping[str, list[str]]) -> Told:
    """As the attributes of an assertion say it."""
    return Told(
        person=_bare(values[CORE + "ActingSubjectID"])[0],
        level=values["AuthnContextClassRef"][0],
        organisation=frozenset(_bare(values[CORE + "LegalSubjectID"])),
        branches=frozenset(_bare(values.get(RESTRICTED, []))),
        intermediary=(_bare(values.get(INTERMEDIARY, [])) or [""])[0],
        service=values[CORE + "ServiceID"][0],
    )


def by_oidc(values: Mapping[str, list[str]]) -> Told:
    """As the claims of an ID token and userinfo say it; the nested and the flat ones must agree."""
    outer = json.loads(values["represents"][0])
    inner = outer.get("represents", outer)
    told = values.get(RESTRICTED, [])
    branches = frozenset(json.loads(told[0]) if told and told[0].startswith("[") else told)
    assert branches == frozenset(inner.get("branch_numbers", []))
    assert values[CORE + "LegalSubjectID"][0] == inner["sub"]
    assert values[CORE + "ActingSubjectID"] == values["sub"]
    intermediary = values.get(INTERMEDIARY, [""])[0]
    assert intermediary == (outer["sub"] if outer is not inner else "")
    return Told(
        person=values["sub"][0],
        level=values["loa"][0],
        organisation=frozenset({inner["sub"], *(one["sub"] for one in inner.get("alt_sub", []))}),
        branches=branches,
        intermediary=intermediary,
        service=values[CORE + "ServiceID"][0],
    )


def agree(saml: Told, oidc: Told) -> None:
    """The same in everything; of an organisation's numbers a SAML party may hear one where OIDC tells them all."""
    assert saml.organisation
    assert saml.organisation <= oidc.organisation
    assert replace(saml, organisation=oidc.organisation) == oidc


def _bare(values: list[str]) -> list[str]:
    """Values without the kind that a portal writes behind an identifier it opened."""
    return [one.partition(" (")[0] for one in values]


@pytest.fixture(scope="module")
def cells(personas: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Every persona at every service where it gets in."""
    return [
        (name, service)
        for name, persona in personas.items()
        for service, outcome in persona["expected"].items()
        if outcome == "granted"
    ]


@settings(max_examples=SOME, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_protocols_tell_the_same(
    world: Demo, personas: dict[str, dict[str, Any]], cells: list[tuple[str, str]], data: st.DataObject
) -> None:
    """For any persona at any service that lets it in, what SAML tells is what OIDC tells (RUL-10)."""
    username, service = data.draw(st.sampled_from(cells))
    saml, oidc = (log_in(world, personas[username], service, protocol).page for protocol in ("saml", "oidc"))
    assert (saml.outcome, oidc.outcome) == ("granted", "granted")
    agree(by_saml(saml.values), by_oidc(oidc.values))


@pytest.mark.parametrize(("username", "service"), [("dina", "RVO-3"), ("otto", "UWV"), ("anna", "GEM")])
def test_a_branch_a_chain_and_sealed_names(
    world: Demo, personas: dict[str, dict[str, Any]], username: str, service: str
) -> None:
    """Where a mandate is restricted, goes by an intermediary, or is told in sealed names, both still agree."""
    saml, oidc = (log_in(world, personas[username], service, protocol).page for protocol in ("saml", "oidc"))
    agree(by_saml(saml.values), by_oidc(oidc.values))
