"""docs/facts.md, held against the rules and the tests."""

from tests.hygiene.facts_table import FILE, document, facts


def test_every_fact_has_its_row() -> None:
    """All facts from F01 to F58 stand in the rules, and so on the page."""
    assert sorted(facts()) == [f"{number:02}" for number in range(1, 59)]


def test_the_page_is_what_the_tests_say() -> None:
    """docs/facts.md is what ``python -m tests.hygiene.facts_table`` writes."""
    assert FILE.read_text() == document()
