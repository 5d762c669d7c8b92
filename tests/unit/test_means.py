"""A means: its life over every state and event, and whom it stands for."""

import pytest

from idp.domain.identifiers import KvkNumber
from idp.domain.lifecycle import IllegalTransitionError
from idp.domain.mandates import WHOLE_ORGANISATION
from idp.domain.means import MEANS_LIFECYCLE, MeansEvent, MeansStatus, Registration

from .decision_cases import BRANCH, CLIENTS, EMPLOYER, held
from .oracle import Case, Linked

LIFE = """
ordered             letter_sent  awaiting_activation
ordered             withdrawn    revoked
awaiting_activation new_letter   awaiting_activation
awaiting_activation activated    active
awaiting_activation withdrawn    revoked
active              paused       suspended
suspended           resumed      active
active              term_ended   expired
suspended           term_ended   expired
active              revoked      revoked
suspended           revoked      revoked
active              replaced     superseded
suspended           replaced     superseded
"""
MOVES = {(row.split()[0], row.split()[1]): row.split()[2] for row in LIFE.strip().splitlines()}


@pytest.mark.parametrize("status", MeansStatus)
@pytest.mark.parametrize("event", MeansEvent)
def test_every_event_in_every_state_is_settled(status: MeansStatus, event: MeansEvent) -> None:
    """Each pair leads where the table says, and every other is a fault of ours."""
    if (status.value, event.value) in MOVES:
        assert MEANS_LIFECYCLE.after(status, event) == MOVES[status.value, event.value]
        return
    with pytest.raises(IllegalTransitionError, match=f"{event.value} in {status.value}"):
        MEANS_LIFECYCLE.after(status, event)


def test_a_life_begins_with_an_order_and_can_be_drawn() -> None:
    """The diagram of the documentation is the table itself."""
    drawn = MEANS_LIFECYCLE.mermaid().splitlines()
    assert drawn[:2] == ["stateDiagram-v2", "    [*] --> ordered"]
    assert set(drawn[2:]) == {f"    {old} --> {new}: {event}" for (old, event), new in MOVES.items()}


def test_what_has_ended_never_lives_again() -> None:
    """E-4: no event leads out of expired, revoked or superseded."""
    assert not {old for old, _ in MOVES} & {"expired", "revoked", "superseded"}


def test_a_registration_is_the_organisation_or_one_branch() -> None:
    """RUL-7: as a restriction, the whole organisation is none."""
    assert Registration(EMPLOYER).branches == WHOLE_ORGANISATION
    assert Registration(EMPLOYER, BRANCH["X"]).branches == {BRANCH["X"]}


def test_a_way_to_act_names_itself_and_whom_it_stands_for() -> None:
    """K-6: the client at the head of a chain is represented, the own company stands in the middle."""
    own = held(Case())
    assert (own.key, own.principal, own.intermediary) == ("means", EMPLOYER, None)
    chained = held(Case(chain=(Linked(), Linked())))
    assert (chained.key, chained.principal, chained.intermediary) == ("means/c0/c1", CLIENTS[1], EMPLOYER)
    assert isinstance(chained.principal, KvkNumber)
