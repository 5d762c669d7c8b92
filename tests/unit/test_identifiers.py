"""Identifiers: their forms, row by row."""

from typing import Any

import pytest

from idp.domain.identifiers import BranchNumber, KvkNumber, Oin, Rsin, ServiceUrn, ServiceUuid

GOOD = [
    (KvkNumber, "90000001"),
    (KvkNumber, "00000000"),
    (BranchNumber, "000090000011"),
    (Rsin, "123456782"),
    (Rsin, "999999011"),
    (Oin, "00000001234567890000"),
    (ServiceUuid, "0c2a9c6e-1a52-4a5f-9c0d-0123456789ab"),
    (ServiceUrn, "urn:etoegang:DV:00000001234567890000:services:1"),
    (ServiceUrn, "urn:etoegang:DV:00000001234567890000:services:9009"),
]
BAD = [
    (
        KvkNumber,
        ["", "9000000", "900000011", "9000000a", " 90000001", "90000001\n", "٩٠٠٠٠٠٠١", "９0000001", "-9000001"],
    ),
    (BranchNumber, ["", "00009000001", "0000900000111", "90000001", "00009000001x", "000090000011\n"]),
    (Rsin, ["", "123456783", "000000000", "12345678", "1234567820", "12345678x", "123456782 "]),
    (Oin, ["", "1" * 19, "1" * 21, "1" * 22, "1" * 19 + "x", "1" * 20 + "\n"]),
    (
        ServiceUuid,
        [
            "",
            "0C2A9C6E-1A52-4A5F-9C0D-0123456789AB",
            "0c2a9c6e1a524a5f9c0d0123456789ab",
            "{0c2a9c6e-1a52-4a5f-9c0d-0123456789ab}",
            "0c2a9c6e-1a52-4a5f-9c0d-0123456789ag",
        ],
    ),
    (
        ServiceUrn,
        [
            "urn:etoegang:DV:00000001234567890000:services:0",
            "urn:etoegang:DV:00000001234567890000:services:01",
            "urn:etoegang:DV:00000001234567890000:services:",
            "urn:etoegang:DV:0000000123456789000:services:1",
            "urn:etoegang:HM:00000001234567890000:services:1",
            "urn:etoegang:DV:00000001234567890000:services:1234567890",
            "URN:etoegang:DV:00000001234567890000:services:1",
        ],
    ),
]


@pytest.mark.parametrize(("kind", "text"), GOOD)
def test_a_right_form_is_kept_as_it_is(kind: Any, text: str) -> None:
    """B-1, domain 4.1: leading zeros and all, and still a string."""
    assert kind(text) == text
    assert isinstance(kind(text), str)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in BAD for text in texts])
def test_a_wrong_form_cannot_be_made(kind: Any, text: str) -> None:
    """SEC-5: exact length and alphabet, nothing trimmed and nothing forgiven."""
    with pytest.raises(ValueError, match=f"not a {kind.__name__}"):
        kind(text)


@pytest.mark.parametrize("digit", range(9))
def test_the_eleven_test_notices_one_wrong_digit(digit: int) -> None:
    """Domain 4.1: whichever digit of an RSIN is changed, and to whatever."""
    good = "123456782"
    for other in set("0123456789") - {good[digit]}:
        with pytest.raises(ValueError, match="not a Rsin"):
            Rsin(good[:digit] + other + good[digit + 1 :])


def test_a_service_urn_knows_its_number() -> None:
    """Domain 4.1: the index of the service within its provider."""
    assert ServiceUrn("urn:etoegang:DV:00000001234567890000:services:42").number == 42
