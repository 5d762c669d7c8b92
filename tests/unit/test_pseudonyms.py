"""Pseudonyms: their form, what they depend on, and what they survive."""

import hashlib
import hmac
import re
from dataclasses import replace
from itertools import product

import pytest

from idp.domain.identifiers import Oin
from idp.domain.pseudonyms import PseudonymKey, mint

SECRET = b"a secret of thirty-two bytes or so"
KEY = PseudonymKey("person-1", "organisation-1", "", Oin("00000001234567890000"))


def test_a_pseudonym_has_the_form_of_the_scheme() -> None:
    """Domain 4.5: 64 and 32 hexadecimal digits, in upper case."""
    assert re.fullmatch(r"[0-9A-F]{64}@[0-9A-F]{32}", mint(SECRET, KEY))


def test_the_recipe_is_written_out_here_as_well() -> None:
    """Domain 4.5: HMAC-SHA-256 over the parts in their order, with a separator that no part has."""

    def digest(*parts: str) -> str:
        return hmac.new(SECRET, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()

    key = replace(KEY, intermediary="organisation-2")
    left = digest("eh-sp-user", key.provider, "person-1", "organisation-1", "organisation-2")
    right = digest("eh-sp-company", key.provider, "organisation-1")[:32]
    assert mint(SECRET, key) == f"{left}@{right}".upper()


@pytest.mark.parametrize("change", ["a higher level", "a new responder", "a new certificate", "a new e-mail address"])
def test_f19_a_pseudonym_survives_an_upgrade(change: str) -> None:
    """F19, PS-1, PS-2, PS-4, PS-6: nothing that an upgrade or a replacement changes is part of the key."""
    before = mint(SECRET, KEY)
    after = mint(SECRET, PseudonymKey("person-1", "organisation-1", "", Oin("00000001234567890000")))
    assert before == after, change
    assert set(PseudonymKey.__slots__) == {"person", "organisation", "intermediary", "provider"}


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, person="person-2"),
        replace(KEY, organisation="organisation-2"),
        replace(KEY, intermediary="organisation-2"),
        replace(KEY, provider=Oin("00000001234567890001")),
        replace(KEY, person=KEY.organisation, organisation=KEY.person),
        replace(KEY, organisation="", intermediary=KEY.organisation),
    ],
)
def test_f20_another_person_company_or_provider_has_another_pseudonym(other: PseudonymKey) -> None:
    """F20, PS-3, PS-5, RUL-9: what differs in the key differs in the pseudonym."""
    assert mint(SECRET, other) != mint(SECRET, KEY)
    assert mint(SECRET[::-1], KEY) != mint(SECRET, KEY)


def test_the_part_after_the_sign_is_the_company_s() -> None:
    """Domain 4.5: colleagues share it at one provider, and nobody shares the part before it."""
    keys = [
        PseudonymKey(*parts, Oin(f"{number:020}"))
        for *parts, number in product(("p1", "p2", "p3"), ("o1", "o2"), ("", "o2", "o3"), (1, 2))
    ]
    minted = {key: mint(SECRET, key).split("@") for key in keys}
    assert len({person for person, _ in minted.values()}) == len(keys)
    companies = {(key.organisation, key.provider): company for key, (_, company) in minted.items()}
    assert len(set(companies.values())) == len(companies) == 4
    assert all(minted[key][1] == companies[key.organisation, key.provider] for key in keys)
