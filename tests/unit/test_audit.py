"""The audit chain: one form, and every tear is found."""

import json
from dataclasses import replace

import pytest

from idp.domain.audit import GENESIS, Entry, Event, broken_at, canonical_facts, link

CHAIN_LENGTH = 6


def chain(length: int = CHAIN_LENGTH) -> list[tuple[Entry, str]]:
    """A whole chain."""
    found, previous = [], GENESIS
    for sequence in range(1, length + 1):
        facts = canonical_facts({"reference": f"R{sequence}", "level": "EH3"})
        entry = Entry(sequence, f"2026-11-20T12:00:0{sequence}Z", Event.LOGIN_GRANTED, "person", facts)
        previous = link(previous, entry)
        found.append((entry, previous))
    return found


def test_a_whole_chain_is_whole_from_any_place_on() -> None:
    """SEC-38: from its beginning, and from an entry whose hash is known."""
    whole = chain()
    assert broken_at([]) is None
    assert broken_at(whole) is None
    assert broken_at(whole[3:], whole[2][1], 3) is None


@pytest.mark.parametrize("field", ["sequence", "at", "event", "actor", "facts"])
@pytest.mark.parametrize("place", range(CHAIN_LENGTH))
def test_a_changed_entry_is_found(field: str, place: int) -> None:
    """SEC-38: whichever of its words was changed, the chain tears there."""
    torn = chain()
    entry, stated = torn[place]
    changed = 99 if field == "sequence" else getattr(entry, field) + "x"
    torn[place] = (replace(entry, **{field: changed}), stated)
    assert broken_at(torn) == place + 1


@pytest.mark.parametrize("place", range(CHAIN_LENGTH - 1))
def test_a_missing_repeated_or_exchanged_entry_is_found(place: int) -> None:
    """SEC-38: entries cannot be taken out, doubled or put elsewhere."""
    whole = chain()
    assert broken_at(whole[:place] + whole[place + 1 :]) == place + 1
    assert broken_at([*whole[: place + 1], *whole[place:]]) == place + 2
    exchanged = [*whole[:place], whole[place + 1], whole[place], *whole[place + 2 :]]
    assert broken_at(exchanged) == place + 1


@pytest.mark.parametrize("place", range(CHAIN_LENGTH))
def test_a_changed_hash_is_found(place: int) -> None:
    """SEC-38: also where the words are right."""
    torn = chain()
    entry, stated = torn[place]
    torn[place] = (entry, stated[:-1] + ("0" if stated[-1] != "0" else "1"))
    assert broken_at(torn) == place + 1


def test_a_chain_rewritten_from_some_place_on_needs_another_end() -> None:
    """SEC-38: who rewrites history consistently ends at another hash than the one that was noted elsewhere."""
    whole, forged = chain(), chain(2)
    previous = forged[-1][1]
    for entry, _ in whole[2:]:
        entry = replace(entry, actor="somebody else")
        previous = link(previous, entry)
        forged.append((entry, previous))
    assert broken_at(forged) is None
    assert forged[-1][1] != whole[-1][1]


def test_facts_have_one_form() -> None:
    """SEC-38: the order in which they were given makes no difference, their values do."""
    assert canonical_facts({"b": "2", "a": "é"}) == canonical_facts({"a": "é", "b": "2"}) == '{"a":"é","b":"2"}'
    assert json.loads(canonical_facts({"a": '"}'})) == {"a": '"}'}


def test_words_cannot_move_from_one_field_to_the_next() -> None:
    """SEC-38: fields are hashed apart, so that no two entries look alike."""
    one = Entry(1, "now", "login.granted", "person", "{}")
    assert link(GENESIS, one) != link(GENESIS, replace(one, event="login.grantedperson", actor=""))
    assert link(GENESIS, one) != link(GENESIS, replace(one, event='login.granted","person', actor=""))
    assert link(GENESIS, one) != link("1" * 64, one)


def test_the_names_of_events_are_unique_and_dotted() -> None:
    """SEC-38: a noun and what happened to it."""
    names = [event.value for event in Event]
    assert len(set(names)) == len(names)
    assert all(len(name.split(".")) == 2 for name in names)
