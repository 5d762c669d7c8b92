"""The catalogue: what our file says, what is refused of another, and what loading changes."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from idp.domain.assurance import Level
from idp.services.audit import verify
from idp.services.catalogue.file import LARGEST, BadCatalogue, check
from idp.services.catalogue.loading import load, show
from idp.services.work import Office
from idp.settings import product_file
from tests.services.conftest import OpenOffice, Written

_SERVICE = """
[[providers]]
oin = "00000009911111111000"
name = { nl = "Proef", en = "Trial" }

[[providers.services]]
slug = "TRIAL"
index = 1
uuid = "0a0a0a0a-0000-4000-8000-000000000001"
instance_uuid = "0a0a0a0a-0000-4000-8000-000000000002"
name = { nl = "Dienst", en = "Service" }
description = { nl = "Een dienst.", en = "A service." }
level = "EH3"
branches = false
chains = false
entity_types = [["RSIN", "KvKnr"], ["KvKnr"]]
"""


@pytest.fixture
def office(database: str, open_office: OpenOffice) -> Office:
    """An office with an empty database."""
    return open_office(database)


def test_our_catalogue_is_that_of_the_rulings() -> None:
    """The seven services stand with the levels and permissions of the rulings' line."""
    facts = {
        one.slug: (one.level, one.takes_restriction, one.chains, one.sso)
        for one in check(product_file("config", "catalogue.toml"))
    }
    assert facts == {
        "UWV": (Level.EH3, False, True, True),
        "RVO-3": (Level.EH3, True, True, True),
        "RVO-2PLUS": (Level.EH2PLUS, True, False, True),
        "OLO": (Level.EH2, True, False, True),
        "GEM": (Level.EH3, True, True, True),
        "EH1-DEMO": (Level.EH1, True, False, True),
        "EH4-DEMO": (Level.EH4, False, False, False),
    }


def test_loading_shows_what_was_loaded(office: Office) -> None:
    """What the database shows after loading is what the file says, entity types in both sets included."""
    with office.work("test") as work:
        load(work, product_file("config", "catalogue.toml"))
    with office.reading() as connection:
        shown = {one["id"]: one for one in show(connection)}
        assert verify(connection) is None
    assert len(shown) == 7
    assert shown["UWV"]["enforced_from"] == "2019-11-01"
    assert shown["UWV"]["service_id"] == "urn:etoegang:DV:00000009900000001000:services:1"
    assert [len(types) for types in shown["OLO"]["entity_types"]] == [2, 1]
    assert [one["required"] for one in shown["GEM"]["attributes"]] == [False, False, False]


def test_loading_again_changes_in_place(office: Office, written: Written) -> None:
    """A second loading changes the entry, keeps its neighbours, and tells every process to read again."""
    with office.work("test") as work:
        load(work, product_file("config", "catalogue.toml"))
        load(work, written(_SERVICE))
    before = office.directory.version()
    with office.work("test") as work:
        load(work, written(_SERVICE.replace('level = "EH3"', 'level = "EH2PLUS"')))
    assert office.directory.version() > before
    levels = {one.slug: one.level for one in office.directory.services()}
    assert levels["TRIAL"] is Level.EH2PLUS
    assert len(levels) == 8


def test_a_name_of_another_service_is_refused(office: Office, written: Written) -> None:
    """A file cannot take a slug or ServiceID from a service with another UUID, nor an instance from its provider."""
    with office.work("test") as work:
        load(work, written(_SERVICE))
    other = _SERVICE.replace("-000000000001", "-000000000009").replace("-000000000002", "-00000000000a")
    moved = _SERVICE.replace("00000009911111111000", "00000009922222222000")
    for text, word in ((other, "slug"), (moved, "needs a new instance_uuid")):
        with pytest.raises(BadCatalogue, match=word), office.work("test") as work:
            load(work, written(text))


def test_an_instance_keeps_its_service_id(office: Office, written: Written) -> None:
    """Another ServiceID under the same instance UUID is refused; a new instance stands beside it with its own name."""
    with office.work("test") as work:
        load(work, written(_SERVICE))
    moved = _SERVICE.replace("index = 1", "index = 2")
    with pytest.raises(BadCatalogue, match="needs a new instance_uuid"), office.work("test") as work:
        load(work, written(moved))
    beside = moved.replace("-000000000002", "-000000000003")
    with pytest.raises(BadCatalogue, match="slug TRIAL belongs to the service TRIAL"), office.work("test") as work:
        load(work, written(beside))
    with office.work("test") as work:
        load(work, written(beside.replace('"TRIAL"', '"TRIAL-2"')))
    found = [(one.urn.number, one.instance_uuid[-1], one.uuid[-1]) for one in office.directory.services()]
    assert found == [(1, "2", "1"), (2, "3", "1")]


def test_an_instance_belongs_to_one_definition(office: Office, written: Written) -> None:
    """A second definition cannot take an instance."""
    with office.work("test") as work:
        load(work, written(_SERVICE))
    other = _SERVICE.replace("-000000000001", "-000000000009").replace("index = 1", "index = 2")
    with pytest.raises(BadCatalogue, match="another definition than before"), office.work("test") as work:
        load(work, written(other.replace('"TRIAL"', '"OTHER"')))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("00000009911111111000", "12", "not 20 digits"),
        ('en = "Trial"', 'de = "Versuch"', "must have a text in nl and en"),
        ("index = 1", "index = 0", "index must be at least 1"),
        ('slug = "TRIAL"', 'slug = "TRI AL"', "slug must be"),
        ('slug = "TRIAL"', "", "slug must be a value of type str"),
        ("-000000000001", "-00000000000X", "uuid must be a UUID"),
        ('level = "EH3"', 'level = "EH5"', "level must be one of"),
        ("branches = false", 'branches = "no"', "branches must be a value of type bool"),
        ("chains = false", "chains = false\nsurprise = 1", "surprise is unknown"),
        ('[["RSIN", "KvKnr"], ["KvKnr"]]', '[["BSN"]]', "entity_types may name"),
        ('[["RSIN", "KvKnr"], ["KvKnr"]]', "[]", "entity_types must be"),
        ('"Een dienst."', f'"{"x" * 1025}"', "must have 1 to 1024 characters"),
        ('nl = "Dienst"', f'nl = "{"x" * 65}"', "must have 1 to 64 characters"),
        ("chains = false", 'chains = false\nurl = "ftp://x"', "url must begin"),
        ("chains = false", 'chains = false\nurl = "https://x.test/%"', "be an address"),
        ("chains = false", 'chains = false\npublic = "no"', "public must be a value of type bool"),
        ('nl = "Dienst"', 'nl = " Dienst"', "one line without control characters"),
        ('nl = "Dienst"', 'nl = "Die\\u0007nst"', "one line without control characters"),
        ('nl = "Dienst"', 'nl = "Dienst", NL = "x"', "small letters only"),
        (
            "chains = false",
            'chains = false\nattributes = [{ name = "urn:x", required = true, purpose = { nl = "a", en = "b" } }]',
            "not in the attribute catalogue",
        ),
        (
            "chains = false",
            'chains = false\nattributes = [{ name = "urn:etoegang:1.9:attribute:FirstName", required = true }]',
            "has a name, required and a purpose",
        ),
        ("[[providers]]", "[[vendors]]", "no .*providers"),
        ("[[providers]]", "[[providers", "not valid TOML"),
    ],
)
def test_faults_are_sentences(old: str, new: str, sentence: str, written: Written) -> None:
    """Every rule for a catalogue entry (domain 5.6) is told in words that name the entry."""
    with pytest.raises(BadCatalogue, match=sentence):
        check(written(_SERVICE.replace(old, new)))


def test_all_faults_are_told_at_once(written: Written) -> None:
    """A file with two faults tells both."""
    with pytest.raises(BadCatalogue) as told:
        check(written(_SERVICE.replace('"EH3"', '"EH9"').replace("index = 1", "index = 0")))
    assert len(told.value.faults) == 2


def test_names_are_used_once(written: Written) -> None:
    """Two services with one slug, ServiceID and UUID of the instance are refused, each by name."""
    second = _SERVICE[_SERVICE.index("[[providers.services]]") :]
    with pytest.raises(BadCatalogue) as told:
        check(written(_SERVICE + second))
    assert [fault.split()[1] for fault in told.value.faults] == ["slug", "urn", "instance_uuid"]


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    """A file that is not there is refused in words."""
    with pytest.raises(BadCatalogue, match="cannot be read"):
        check(tmp_path / "none.toml")


def test_a_file_without_an_end_is_a_sentence(written: Written) -> None:
    """SEC-3: a file beyond the bound is refused before it is parsed."""
    with pytest.raises(BadCatalogue, match="more than 16 MiB"):
        check(written("#" * (LARGEST + 1)))


def test_the_samples_are_valid_toml() -> None:
    """The sample these tests start from is itself a good catalogue, so that each fault is the only one."""
    tables: dict[str, Any] = tomllib.loads(_SERVICE)
    assert tables["providers"][0]["services"][0]["slug"] == "TRIAL"
