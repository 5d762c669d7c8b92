"""The profiles: what the documentation says of them is what their table says, and a switch takes hold at once."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from idp.domain.parties import Profile
from idp.protocols.message import Answered
from idp.protocols.oidc.client.profiles import RULES, Rules
from idp.services.relying_parties.parties import configure
from idp.services.relying_parties.settings import PROFILES
from tests.protocol.oidc_kit import Provider
from tests.protocol.test_oidc_requests import check_fault, read, read_query

PAGE = Path(__file__).parents[2] / "docs" / "oidc.md"


def cells(rules: Rules) -> list[str]:
    """The column of a profile as the page has it."""
    ways = {"client_secret_basic": "secret", "private_key_jwt": "key", "tls_client_auth": "certificate", "none": "none"}
    return [
        "refused" if rules.strict else "stepped up",
        "waivable" if rules.pkce_waivable else "required",
        ", ".join(word for method, word in ways.items() if method in rules.auth_methods),
        ", ".join(rules.algorithms),
        "issuer or endpoint" if rules.endpoint_audience else "issuer, as one text",
        "yes" if rules.pushed_required else "no",
        f"{rules.shortest_random} characters or more" if rules.shortest_random else "free",
        "always" if rules.sender_constrained else "if asked",
        "yes" if rules.rotation else "no",
        "yes" if rules.local_addresses else "no",
    ]


def test_the_page_tells_what_holds() -> None:
    """Every cell of the table in docs/oidc.md is the one that the rules give."""
    section = PAGE.read_text().partition("\n## Profiles\n")[2].partition("\n## ")[0]
    rows = [re.split(r" *\| *", line.strip("| ")) for line in section.splitlines() if line.startswith("| ")]
    names = [name.strip("`") for name in rows[0]]
    assert names == [profile.value for profile in RULES]
    told = {name: [row[place + 1] for row in rows[1:]] for place, name in enumerate(names)}
    assert told == {profile.value: cells(rules) for profile, rules in RULES.items()}


def test_every_profile_has_its_rules() -> None:
    """What an operator can choose for an OpenID client has a row, and nothing else has."""
    assert set(RULES) == set(PROFILES["oidc"])


def test_a_switch_holds_at_the_next_request(provider: Provider) -> None:
    """A client by secret is refused as soon as its profile knows none, and welcome again when it is switched back."""
    party = provider.register()
    assert read(party)
    for profile in (Profile.OIDC_NL_GOV, Profile.OIDC_FAPI_2):
        with provider.office.work("operator") as work:
            configure(work, party.client_id, {"profile": profile.value})
        with pytest.raises(Answered) as caught:
            read(party)
        check_fault(caught, "unauthorized_client", "P06")
        assert party.push().status == 401
    with provider.office.work("operator") as work:
        configure(work, party.client_id, {"profile": "standard"})
    assert read_query(party, urlencode(party.request()))
