"""A municipality's software and our service catalogue: what it writes we load, and what we write it takes for valid."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from idp.settings import product_file
from tests.conformance.test_municipality import GEM, SOURCE, run, written
from tests.fixtures.network import free_port
from tests.fixtures.sandbox import Demo
from tests.protocol.test_catalogue_portals import of_rvo, xml_of

# The package's own check, with the schema that it holds what it writes against.
_CHECK = """
import sys
from io import BytesIO
import django
from django.conf import settings
settings.configure()
from digid_eherkenning.settings import EHERKENNING_DS_XSD
from lxml import etree
schema = etree.XMLSchema(etree.parse(EHERKENNING_DS_XSD))
schema.assertValid(etree.parse(BytesIO(sys.stdin.buffer.read())))
"""


@pytest.fixture(scope="module")
def python(environment: Callable[[Path], Path]) -> Path:
    """The Python of the package's environment."""
    return environment(SOURCE)


@pytest.fixture(scope="module")
def catalogue(python: Path, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue that the package writes for its operator."""
    folder = tmp_path_factory.mktemp("catalogue")
    file = folder / "catalogue.xml"
    file.write_bytes(run(python, written(folder, demo, free_port(), "text/xml"), "catalogue"))
    return file


def test_its_catalogue_loads_unchanged(demo: Demo, catalogue: Path) -> None:
    """domain 5.6: tried and loaded as it comes, as a draft; the service keeps its name, and all others stay."""
    before = json.loads(demo.run("catalogue", "show", "--json").stdout)["services"]
    dry = demo.run("catalogue", "load", str(catalogue), "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    tried = json.loads(dry.stdout)
    assert [one["service"] for one in tried["changes"]] == ["GEM"]
    assert tried["locked_out"] == []
    done = demo.run("catalogue", "load", str(catalogue), "--json")
    try:
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["services"] == ["GEM"]
        assert any("not signed" in note for note in told["notes"])
        after = {one["uuid"]: one for one in json.loads(demo.run("catalogue", "show", "--json").stdout)["services"]}
        assert (after[GEM]["id"], after[GEM]["level"], after[GEM]["sso"]) == ("GEM", "EH3", False)
        assert [one for one in before if one["uuid"] != GEM] == [one for uuid, one in after.items() if uuid != GEM]
    finally:
        demo.run("catalogue", "load", str(product_file("config", "catalogue.toml")))


def test_ours_is_valid_by_its_schema(demo: Demo, python: Path) -> None:
    """RUL-41: the schema that the package carries takes what we publish, and refuses the same without its providers."""
    exported = demo.run("catalogue", "export", "--xml").stdout
    checked = subprocess.run([str(python), "-c", _CHECK], input=exported.encode(), capture_output=True, timeout=60)
    assert checked.returncode == 0, checked.stderr.decode()[-2000:]
    empty = exported[: exported.index("<esc:ServiceProvider ")] + "</esc:ServiceCatalogue>"
    refused = subprocess.run([str(python), "-c", _CHECK], input=empty.encode(), capture_output=True, timeout=60)
    assert refused.returncode != 0
    assert b"DocumentInvalid" in refused.stderr


def test_our_portals_are_valid_by_its_schema(python: Path) -> None:
    """RUL-41: the package's schema takes a portal as we write it."""
    octets = xml_of(of_rvo())
    assert b"PortalForService" in octets
    checked = subprocess.run([str(python), "-c", _CHECK], input=octets, capture_output=True, timeout=60)
    assert checked.returncode == 0, checked.stderr.decode()[-2000:]


def test_its_catalogue_is_valid_by_ours(demo: Demo, catalogue: Path) -> None:
    """The two schemas agree on what the package writes as well."""
    assert demo.run("catalogue", "check", str(catalogue)).returncode == 0
