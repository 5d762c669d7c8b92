"""Relying parties: who may be registered for what, what may be set, and what others see of it."""

from dataclasses import replace

import pytest

from idp.domain.demand import Reading
from idp.domain.parties import DenyMode, Profile
from idp.protocols.saml.response.artifact import source_of
from idp.services.audit import verify
from idp.services.catalogue.loading import load
from idp.services.relying_parties.parties import (
    NewParty,
    NewProvider,
    add,
    as_data,
    configure,
    every,
    find,
    remove,
    renew,
)
from idp.services.relying_parties.settings import BadParty
from idp.services.work import Office
from idp.settings import product_file
from tests.services.conftest import OpenOffice

_SAML = NewParty("saml", "urn:sp", "Mijn loket", "<md/>", ("UWV",))
_OIDC = NewParty("oidc", "", "My desk", "{}", ("RVO-3", "RVO-2PLUS"), secret=True)


@pytest.fixture
def office(database: str, open_office: OpenOffice) -> Office:
    """An office with the catalogue."""
    made = open_office(database)
    with made.work("test") as work:
        load(work, product_file("config", "catalogue.toml"))
    return made


def test_a_saml_party_starts_generic_and_lenient(office: Office) -> None:
    """Without wishes a SAML party is generic and read leniently (RUL-24), and the directory knows it at once."""
    with office.work("operator") as work:
        party = add(work, _SAML).party
    assert (party.settings.profile, party.settings.reading) == (Profile.GENERIC, Reading.LENIENT)
    assert party.provider.name["nl"] == "UWV"
    assert office.directory.party("saml", "urn:sp") == party
    assert as_data(party)["services"] == [{"id": "UWV", "index": 0}]


def test_a_client_gets_an_id_and_a_secret_once(office: Office) -> None:
    """A client without an id gets one, its secret is 256 bits, and only the keyed digest is stored (SEC-31)."""
    with office.work("operator") as work:
        added = add(work, _OIDC)
    party = added.party
    assert len(bytes.fromhex(added.secret)) == 32
    assert party.secret_digest == office.vault.digest(added.secret, "client-secret")
    assert added.secret not in str(as_data(party)) + party.document
    assert office.directory.party("oidc", party.identity) == party
    assert [(index, service.slug) for index, service in party.services] == [(0, "RVO-3"), (1, "RVO-2PLUS")]
    assert party.default_service.slug == "RVO-3"


def test_services_are_named_in_three_ways(office: Office) -> None:
    """A service is named by its catalogue name, its ServiceID, or its UUID (contract)."""
    service = next(one for one in office.directory.services() if one.slug == "UWV")
    for place, name in enumerate((service.slug, str(service.urn), str(service.uuid))):
        with office.work("operator") as work:
            new = NewParty("saml", f"urn:{place}", "x", "", (name,))
            assert add(work, new).party.default_service == service


def test_the_protocol_places_services(office: Office) -> None:
    """The indices of a party's services are those its protocol gives."""
    new = NewParty("saml", "urn:i", "x", "", ("RVO-3", "RVO-2PLUS"), lambda both: ((7, both[1]), (3, both[0])))
    with office.work("operator") as work:
        party = add(work, new).party
    assert [(index, service.slug) for index, service in party.services] == [(7, "RVO-2PLUS"), (3, "RVO-3")]
    assert party.default_service.slug == "RVO-2PLUS"
    assert party.service(3) is not None
    assert party.service(1) is None


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (NewParty("saml", "urn:a", "x", "", ("UWV", "OLO")), "several providers"),
        (NewParty("saml", "urn:a", "x", "", ("NOPE",)), "no service NOPE"),
        (NewParty("saml", "urn:a", "x", "", ()), "at least one service"),
        (NewParty("saml", "urn:a", "x", "", ("UWV", "UWV")), "named twice"),
        (NewParty("saml", "urn:a", "x\n", "", ("UWV",)), "printable"),
        (NewParty("saml", "urn:a", "x" * 201, "", ("UWV",)), "1 to 200"),
        (NewParty("saml", "urn:a", "x", "", ("UWV",), settings={"profile": "standard"}), "not one for this party"),
        (NewParty("oidc", "", "x", "", ("UWV",), settings={"profile": "generic"}), "not one for this party"),
        (NewParty("saml", "urn:a", "x", "", ("UWV",), provider=NewProvider("N", "12")), "not 20 digits"),
        (
            NewParty("saml", "urn:a", "x", "", ("UWV",), provider=NewProvider("N", "00000009900000001000")),
            "exists already",
        ),
    ],
)
def test_what_cannot_be_registered_is_told(office: Office, new: NewParty, sentence: str) -> None:
    """What cannot be registered is refused in one sentence, and nothing of it stays."""
    with pytest.raises(BadParty, match=sentence), office.work("operator") as work:
        add(work, new)
    with office.work("operator") as work:
        assert every(work) == ()


def test_an_identity_is_registered_once(office: Office) -> None:
    """A second party of the same entity ID is refused with the id of the first."""
    with office.work("operator") as work:
        first = add(work, _SAML).party
    with pytest.raises(BadParty, match=first.id), office.work("operator") as work:
        add(work, _SAML)


def test_a_new_provider_gets_copies(office: Office) -> None:
    """A new provider has copies of the services, with UUIDs of their own and the ServiceIDs its metadata name."""
    declared = ("urn:etoegang:DV:00000009977777777000:services:5",)
    new = NewParty(
        "saml",
        "urn:own",
        "x",
        "",
        ("UWV", "OLO"),
        declared=declared,
        provider=NewProvider("Waterschap", "00000009977777777000"),
    )
    with office.work("operator") as work:
        party = add(work, new).party
    copies = [service for _, service in party.services]
    assert [one.urn for one in copies] == [declared[0], "urn:etoegang:DV:00000009977777777000:services:1"]
    originals = {one.slug: one for one in office.directory.services()}
    assert copies[0].level == originals["UWV"].level
    assert copies[0].uuid != originals["UWV"].uuid
    assert party.provider.oin == "00000009977777777000"
    assert len(originals) == 9


def test_settings_have_one_door(office: Office) -> None:
    """Every setting of the contract can be set by words, and the directory sees the change with a new version."""
    with office.work("operator") as work:
        party = add(work, _SAML).party
    wishes = {
        "profile": "eherkenning-1.13",
        "reading": "strict",
        "sso": "false",
        "deny_mode": "return",
        "answer_level": "requested",
        "advice": "true",
        "require_signed_requests": "false",
        "require_pkce": "false",
        "allow_lower_request": "true",
        "artifact_client_certificate": "true",
        "name": "Nieuwe naam",
    }
    with office.work("operator") as work:
        configure(work, "urn:sp", wishes)
    seen = office.directory.party_by_id(party.id)
    assert seen is not None
    assert seen.version == party.version + 1
    assert seen.name == "Nieuwe naam"
    assert seen.settings.deny_mode is DenyMode.RETURN
    shown = as_data(seen)["settings"]
    expected = {"true": True, "false": False}
    assert shown == {key: expected.get(value, value) for key, value in wishes.items() if key != "name"}


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"colour": "blue"}, "no setting colour"),
        ({"sso": "yes"}, "true or false"),
        ({"reading": "loose"}, "strict, lenient"),
        ({"profile": "saml1"}, "one of"),
        ({"answer_level": "highest"}, "reached or requested"),
        ({"name": ""}, "1 to 200"),
    ],
)
def test_bad_settings_are_told(office: Office, wishes: dict[str, str], sentence: str) -> None:
    """A setting that does not exist or a value that makes no sense is refused in one sentence."""
    with office.work("operator") as work:
        add(work, _SAML)
    with pytest.raises(BadParty, match=sentence), office.work("operator") as work:
        configure(work, "urn:sp", wishes)


def test_the_government_profile_is_strict(office: Office) -> None:
    """The NL GOV profile brings the strict reading along, unless the reading is wished too (RUL-13)."""
    with office.work("operator") as work:
        party = add(work, _OIDC).party
        assert party.settings.reading is Reading.LENIENT
        assert configure(work, party.id, {"profile": "nl-gov"}).settings.reading is Reading.STRICT
        both = {"profile": "nl-gov", "reading": "lenient"}
        assert configure(work, party.id, both).settings.reading is Reading.LENIENT


def test_a_removed_party_is_gone(office: Office) -> None:
    """A removed party is unknown, by every name, and its provider and services stay."""
    with office.work("operator") as work:
        party = add(work, _SAML).party
    assert office.directory.party("saml", "urn:sp") is not None
    with office.work("operator") as work:
        remove(work, "urn:sp")
    assert office.directory.party("saml", "urn:sp") is None
    assert office.directory.party_by_id(party.id) is None
    assert len(office.directory.services()) == 7
    with pytest.raises(BadParty, match="no party"), office.work("operator") as work:
        find(work, party.id)


def test_renewed_metadata_make_a_new_version(office: Office) -> None:
    """New metadata take effect, and what was parsed from the old is dropped."""
    with office.work("operator") as work:
        party = add(work, _SAML).party
    assert office.directory.parsed(party, _length) == len("<md/>")
    with office.work("operator") as work:
        renew(work, party, "<longer/>")
    seen = office.directory.party("saml", "urn:sp")
    assert seen is not None
    assert office.directory.parsed(seen, _length) == len("<longer/>")


def test_a_source_is_a_party_with_a_service_of_its_own(office: Office) -> None:
    """By SourceID only SAML parties are found whose metadata name a resolution service, as soon as they are there."""
    hosting = replace(_SAML, identity="urn:host", document="<md:ArtifactResolutionService/>")

    def known(identity: str) -> str | None:
        return office.directory.source(source_of, source_of(identity))

    with office.work("operator") as work:
        add(work, _SAML)
    assert (known("urn:sp"), known("urn:host")) == (None, None)
    with office.work("operator") as work:
        add(work, hosting)
    assert (known("urn:sp"), known("urn:host")) == (None, "urn:host")


def _length(party: object) -> int:
    return len(getattr(party, "document", ""))


def test_every_change_is_recorded(office: Office) -> None:
    """Adding, changing and removing each leave an event in a whole chain, without names or secrets."""
    with office.work("operator") as work:
        add(work, _SAML)
    with office.work("operator") as work:
        configure(work, "urn:sp", {"sso": "false"})
    with office.work("operator") as work:
        remove(work, "urn:sp")
    with office.reading() as connection:
        assert verify(connection) is None
        rows = connection.exec_driver_sql("SELECT event, facts FROM audit_event ORDER BY sequence").all()
    assert [row[0] for row in rows][-3:] == ["party.added", "party.changed", "party.removed"]
    assert not any("Mijn loket" in row[1] for row in rows)
