"""The commands for relying parties, as an operator types them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from idp.cli import idp
from idp.lab.seed import seed
from idp.protocols.saml.xmlsec.xml import MD
from tests.protocol.saml_messages import SP, Published
from tests.services.conftest import OpenOffice
from tests.services.test_command_line import config_at


@pytest.fixture
def config(tmp_path: Path, sqlite_database: str, open_office: OpenOffice, test_keys: Path) -> Path:
    """The settings of an installation with the catalogue."""
    seed(open_office(sqlite_database), 7)
    return config_at(tmp_path, f'[keys]\nfolder = "{test_keys}"\n[lab]\nenabled = true\n')


def providers(config: Path, *arguments: str) -> Result:
    """Run ``idp providers ...``."""
    return CliRunner().invoke(idp, ["providers", *arguments, "--config", str(config), "--json"])


def added(config: Path, published: Published) -> Result:
    """Register a party for UWV."""
    file = config.parent / "metadata.xml"
    file.write_bytes(published.xml())
    return providers(config, "add", "--metadata", str(file), "--services", "UWV")


def profile(config: Path) -> str:
    """The profile that the party has now."""
    return str(json.loads(providers(config, "show", SP).stdout)["profile"])


def test_a_profile_is_held_against_the_metadata(config: Path) -> None:
    """Without a certificate to encrypt for nobody is put into 1.13, where each login would end in a fault (ENC-5)."""
    assert added(config, Published()).exit_code == 0
    refused = providers(config, "set", SP, "profile=eherkenning-1.13")
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert 'add a KeyDescriptor with use="encryption"' in refused.stderr
    assert profile(config) == "generic"
    assert providers(config, "set", SP, "profile=eherkenning-1.11").exit_code == 0
    assert profile(config) == "eherkenning-1.11"


def test_a_profile_that_fits_is_taken(config: Path) -> None:
    """What the registration would take in that profile can be set later as well."""
    added(config, Published(encryption=("sp-encryption",)))
    assert providers(config, "set", SP, "profile=eherkenning-1.13").exit_code == 0
    assert profile(config) == "eherkenning-1.13"


def test_a_certificate_is_demanded_only_where_it_can_be_shown(config: Path) -> None:
    """Without a certificate listener no artifact could be fetched by a party that has to show one (domain 3.7)."""
    added(config, Published())
    refused = providers(config, "set", SP, "artifact_client_certificate=true")
    assert (refused.exit_code, "server.certificate_url" in refused.stderr) == (1, True)
    config.write_text(f'{config.read_text()}\n[server]\ncertificate_url = "https://localhost:9443"\n')
    assert providers(config, "set", SP, "artifact_client_certificate=true").exit_code == 0


def test_a_key_is_ended_by_its_name(config: Path) -> None:
    """The metadata list it until newer ones are taken over; then a command ends it, and the list tells so (SEC-12)."""
    added(config, Published())
    listed = json.loads(providers(config, "keys", SP).stdout)["certificates"][0]["fingerprint"]
    refused = providers(config, "end-key", SP, listed)
    assert (refused.exit_code, "idp providers refresh" in refused.stderr) == (1, True)
    file = config.parent / "newer.xml"
    file.write_bytes(Published(signing=("own-signing",)).xml())
    assert providers(config, "refresh", SP, "--metadata", str(file)).exit_code == 0
    assert json.loads(providers(config, "end-key", SP, listed[:16]).stdout)["ended"] == listed
    former = json.loads(providers(config, "keys", SP).stdout)["certificates"][1]
    assert (former["fingerprint"], former["listed"]) == (listed, False)
    assert datetime.fromisoformat(former["counts_until"]) <= datetime.now(UTC)


def test_newer_metadata_come_out_of_a_file_with_many(config: Path) -> None:
    """Who was registered out of an aggregate gets newer metadata out of one as well (domain 6.1)."""
    other = Published(entity_id="https://other.example.test/metadata")
    inside = "".join(
        one.xml().decode().replace('ID="_metadata"', "") for one in (other, Published(signing=("own-signing",)))
    )
    file = config.parent / "many.xml"
    file.write_text(f'<md:EntitiesDescriptor xmlns:md="{MD}">{inside}</md:EntitiesDescriptor>')
    added(config, Published())
    assert providers(config, "refresh", SP, "--metadata", str(file)).exit_code == 1
    taken = providers(config, "refresh", SP, "--metadata", str(file), "--entity", SP)
    assert [one["subject"] for one in json.loads(taken.stdout)["changes"]] == ["signing certificate"] * 2
