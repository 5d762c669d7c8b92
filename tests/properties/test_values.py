"""Identifiers, names, passwords, pseudonyms and the audit chain, whatever they are made of."""

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.audit import GENESIS, Entry, broken_at, canonical_facts, link
from idp.domain.identifiers import BranchNumber, KvkNumber, Oin, Rsin, ServiceUrn, ServiceUuid
from idp.domain.passwords import CLASSIC, MODERN_ALONE, faults, normalised
from idp.domain.pseudonyms import PseudonymKey, mint
from idp.domain.usernames import canonical

DIGITS = {KvkNumber: 8, BranchNumber: 12, Oin: 20}
IDS = st.text(alphabet="0123456789abcdef-", min_size=1, max_size=8)
KEYS = st.builds(PseudonymKey, IDS, IDS, st.one_of(st.just(""), IDS), st.integers(0, 9).map(lambda n: Oin(f"{n:020}")))


@pytest.mark.parametrize(("kind", "length"), DIGITS.items())
@given(data=st.data())
def test_numbers_come_out_as_they_went_in(kind: Any, length: int, data: st.DataObject) -> None:
    """B-1: every number of the right length is one, and stays what it was with all its zeros."""
    text = data.draw(st.text(alphabet="0123456789", min_size=length, max_size=length))
    assert str(kind(text)) == text
    assert kind(kind(text)) == text
    assert hash(kind(text)) == hash(text)


@given(st.sampled_from([KvkNumber, BranchNumber, Rsin, Oin, ServiceUuid, ServiceUrn]), st.text(max_size=80))
def test_no_identifier_is_made_of_anything_else(kind: Any, text: str) -> None:
    """SEC-5: what is accepted is ASCII and comes out unchanged; all else is a ValueError and nothing worse."""
    try:
        made = kind(text)
    except ValueError:
        return
    assert made == text
    assert text.isascii()


@given(st.text(alphabet="0123456789", min_size=8, max_size=8))
def test_at_most_one_last_digit_makes_an_rsin(stem: str) -> None:
    """Domain 4.1: the eleven-test leaves one check digit, or none."""
    made = []
    for digit in "0123456789":
        try:
            made.append(Rsin(stem + digit))
        except ValueError:
            continue
    assert len(made) <= 1


@given(st.text(max_size=100))
def test_a_canonical_username_is_its_own_form(typed: str) -> None:
    """SEC-6: the form of the form is itself, ASCII, lower case and short."""
    name = canonical(typed)
    if name is not None:
        assert canonical(name) == name
        assert name.isascii()
        assert name == name.lower()
        assert 1 <= len(name) <= 64
        assert canonical(name.upper()) == name


@given(st.text(max_size=40))
def test_a_password_that_keeps_every_rule_is_taken_and_no_other(password: str) -> None:
    """F37: the rules counted a second time, with other means."""
    letters = sum("a" <= one <= "z" or "A" <= one <= "Z" for one in password)
    digits = sum("0" <= one <= "9" for one in password)
    special = sum(one in "!@#$%^&*() -_+[{]}?/=`~" for one in password)
    good = 8 <= len(password) <= 16 and letters >= 2 and digits >= 2 and special <= 1
    good = good and letters + digits + special == len(password)
    assert (faults(password, CLASSIC) == ()) == good
    assert (faults(password, MODERN_ALONE) == ()) == (15 <= len(password) <= 128)
    assert normalised(normalised(password)) == normalised(password)
    assert normalised(unicodedata.normalize("NFD", password)) == normalised(password)


@given(st.lists(KEYS, unique=True, max_size=30), st.binary(min_size=32, max_size=32))
def test_every_key_has_a_pseudonym_of_its_own(keys: list[PseudonymKey], secret: bytes) -> None:
    """PS-3, PS-9, RUL-9: two keys never share one, and one key always has the same."""
    minted = {mint(secret, key) for key in keys}
    assert len(minted) == len(keys)
    assert minted == {mint(secret, replace(key)) for key in keys}


ENTRIES = st.lists(
    st.tuples(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8)),
    min_size=1,
    max_size=8,
)


@given(ENTRIES, st.data())
def test_any_change_to_an_audit_chain_is_found(parts: list[tuple[str, str, str, str]], data: st.DataObject) -> None:
    """SEC-38: one word, one hash, one entry more or less or elsewhere: the chain is torn at or before that place."""
    whole, previous = [], GENESIS
    for sequence, words in enumerate(parts, start=1):
        entry = Entry(sequence, *words)
        previous = link(previous, entry)
        whole.append((entry, previous))
    assert broken_at(whole) is None
    place = data.draw(st.integers(0, len(whole) - 1))
    entry, stated = whole[place]
    field = data.draw(st.sampled_from(["at", "event", "actor", "facts"]))
    other = data.draw(st.text(max_size=8).filter(lambda text: text != getattr(entry, field)))
    torn = [*whole]
    torn[place] = (replace(entry, **{field: other}), stated)
    assert broken_at(torn) == place + 1
    if place < len(whole) - 1:
        assert broken_at(whole[:place] + whole[place + 1 :]) == place + 1
        # Whoever mends the hash of the changed entry tears the chain at the next.
        before = whole[place - 1][1] if place else GENESIS
        torn[place] = (torn[place][0], link(before, torn[place][0]))
        assert broken_at(torn) == place + 2


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=5), st.randoms(use_true_random=False))
def test_facts_have_one_form_whatever_their_order(facts: dict[str, str], shuffler) -> None:
    """SEC-38: equal facts, equal text; other facts, other text."""
    items = list(facts.items())
    shuffler.shuffle(items)
    assert canonical_facts(dict(items)) == canonical_facts(facts)
    assert canonical_facts(facts | {"one more": "x"}) != canonical_facts(facts)
