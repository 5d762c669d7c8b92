"""The published schema describes every claim, and what everybody's tokens say is what it describes."""

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from idp.domain.login import LoginRequest
from idp.lab.world import read
from idp.protocols.oidc import documents
from idp.protocols.oidc.claims.table import CLAIMS, TOKEN_CLAIMS
from idp.services.authentication.login import Concluded
from tests.protocol.oidc_kit import BASE, Provider, RelyingParty, parameters_of, told_by

ADDRESS = "/oidc/schemas/claims-1.json"
EVERYTHING = "openid eherkenning kvk profile email"


@pytest.fixture(scope="module")
def schema(shared_provider: Provider) -> dict[str, Any]:
    """The schema as anyone finds it."""
    kind, octets = documents(shared_provider.office)[ADDRESS]
    assert kind == "application/schema+json"
    found = json.loads(octets)
    assert isinstance(found, dict)
    return found


def faults(schema: dict[str, Any], claims: dict[str, Any]) -> list[str]:
    """What another library finds wrong with claims."""
    checker = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [one.message for one in checker.iter_errors(claims)]


def test_the_schema_is_one_and_names_itself(schema: dict[str, Any], shared_provider: Provider) -> None:
    """It is a valid schema of draft 2020-12 with its own address as name, which discovery tells."""
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == BASE + ADDRESS
    told = json.loads(documents(shared_provider.office)["/.well-known/openid-configuration"][1])
    assert told["claims_schema_uri"] == BASE + ADDRESS


def test_the_schema_knows_every_claim(schema: dict[str, Any]) -> None:
    """Its properties are the claims of the table that serves, and those of the token; nothing else is allowed."""
    assert set(schema["properties"]) == {*CLAIMS, *TOKEN_CLAIMS}
    assert schema["additionalProperties"] is False
    assert all(one["description"].endswith(".") for one in schema["properties"].values())


def _ways(provider: Provider) -> list[tuple[str, str]]:
    return [(one.id, service.slug) for one in read().personas for service in provider.office.directory.services()]


def test_the_tokens_of_everybody_fit_the_schema(schema: dict[str, Any], shared_provider: Provider) -> None:
    """Whatever a persona may do at whatever service, ID token and userinfo fit, with every scope and either words."""
    provider = shared_provider
    parties = {
        one.slug: provider.register(one.slug, acr_vocabulary=("eidas", "etoegang")[place % 2])
        for place, one in enumerate(provider.office.directory.services())
    }
    seen: set[str] = set()
    for persona, slug in _ways(provider):
        tokens = tokens_of(provider, parties[slug], persona, slug)
        if tokens is None:
            continue
        claims = provider.verified(tokens["id_token"])
        information = told_by(provider.userinfo(tokens["access_token"]))
        assert (persona, slug, faults(schema, claims), faults(schema, information)) == (persona, slug, [], [])
        seen.add(persona)
    assert len(seen) >= 8, seen


def tokens_of(provider: Provider, party: RelyingParty, persona: str, slug: str) -> dict[str, Any] | None:
    """What a persona's login at a service gives, when nothing is left to ask."""
    browser = provider.log_in(persona, last_used_at=provider.service(slug).provider.oin)
    result = party.begin(browser, scope=EVERYTHING)
    if not isinstance(result, Concluded) or not result.recorded:
        return None
    codec, now = provider.codec, provider.clock.now()
    answer = codec.answer(provider.office, result.incoming, result.outcome, result.recorded, now)
    assert isinstance(result.incoming.asked, LoginRequest)
    return told_by(party.redeem(parameters_of(answer)["code"]))


CHANGES: list[tuple[str, Any]] = [
    ("sub", "anna"),
    ("sub", None),
    ("acr", "high"),
    ("kvk", "1234567"),
    ("represents", "UWV"),
    ("namequalifier", "urn:x"),
    ("unknown", "x"),
    ("exp", "tomorrow"),
    ("urn:etoegang:1.9:ServiceRestriction:Vestigingsnr", []),
    ("urn:etoegang:core:ServiceUUID", "x"),
]


@pytest.mark.parametrize(("name", "value"), CHANGES, ids=str)
def test_the_schema_refuses_what_is_wrong(
    schema: dict[str, Any], shared_provider: Provider, name: str, value: Any
) -> None:
    """A claim of another form, one too many or one too few does not fit."""
    claims = shared_provider.verified(shared_provider.register().tokens(scope=EVERYTHING)["id_token"])
    assert faults(schema, claims) == []
    changed = copy.deepcopy(claims) | {name: value}
    assert faults(schema, {one: told for one, told in changed.items() if told is not None})
    inner = copy.deepcopy(claims)
    inner["represents"]["extra"] = True
    assert faults(schema, inner)
