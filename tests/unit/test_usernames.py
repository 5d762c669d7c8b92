"""The one form of a username."""

import pytest

from idp.domain.usernames import LONGEST_USERNAME, canonical


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("anna", "anna"),
        ("Anna", "anna"),
        ("  ANNA ", "anna"),
        ("anna.de-vries_2+x@example.test", "anna.de-vries_2+x@example.test"),
        ("ａｎｎａ", "anna"),
        ("\u212aarim", "karim"),
        ("0", "0"),
        ("a" * 64, "a" * 64),
    ],
)
def test_every_spelling_leads_to_one_form(typed: str, name: str) -> None:
    """SEC-6: NFKC, case and surrounding space make no difference."""
    assert canonical(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        ".anna",
        "@anna",
        "-anna",
        "an na",
        "anna\n.",
        "änna",
        "аnna",
        "anna\x00",
        "anna!",
        "a" * 65,
        "a" * 10_000,
        "ﷺ",
    ],
)
def test_what_no_account_can_be_called_is_no_name(typed: str) -> None:
    """SEC-5, SEC-6: a restricted alphabet, a bounded length, no look-alikes of another script."""
    assert canonical(typed) is None
    assert LONGEST_USERNAME == 64
