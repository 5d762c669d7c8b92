"""What we publish about ourselves follows our keys."""

import json
import shutil
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import xmlsec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from lxml import etree
from sqlalchemy.exc import OperationalError
from werkzeug.test import Client

from idp.app import create_app
from idp.domain.keys import KeyUse, KeyVersion, short_name
from idp.effects.keys import KeyFolder
from idp.lab.seed import seed
from idp.protocols.saml.request.redirect import read_redirect, verify_redirect
from idp.protocols.saml.xmlsec.encryption import DEPLOYED, Envelope, Recipient, Wrapper, encrypt
from idp.protocols.saml.xmlsec.xml import SAML, Schemas, parse
from idp.services.own_keys import lives as keys
from idp.services.work import Office
from idp.web.shell.documents import Documents, Source
from tests.office import StandingClock, open_test_office
from tests.protocol.saml_messages import POST
from tests.web.kit import Page, Site
from tests.web.saml_kit import SOAP_BINDING, Leaving, Relying, Replying, carried

SIGNING = KeyUse.SAML_SIGNING
PROFILES = ("/saml", "/saml/1.13", "/saml/1.11")
_NS = {
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "mdui": "urn:oasis:names:tc:SAML:metadata:ui",
}


@pytest.fixture
def house(sqlite_database: str, web_keys: Path, clock: StandingClock, tmp_path: Path) -> Iterator[Office]:
    """An office with the world and a folder of keys that is its own."""
    folder = Path(shutil.copytree(web_keys, tmp_path / "own-keys"))
    made = open_test_office(sqlite_database, folder, clock, lab__enabled=False)
    seed(made, 7)
    yield made
    made.engine.dispose()


@pytest.fixture
def browser(house: Office) -> Client:
    """A browser at the application."""
    return Client(create_app(house))


def planned(office: Office, use: KeyUse = SIGNING) -> KeyVersion:
    """A key that waits, published."""
    with office.work("test") as work:
        return keys.plan(work, KeyFolder(Path(office.settings.keys.folder)), keys.Plan(use))


def activated(office: Office, name: str) -> None:
    """The same, active."""
    with office.work("test") as work:
        keys.activate(work, name, force=True)


def found(browser: Client, path: str, query: str) -> list[str]:
    """What an XPath finds in a document of ours."""
    answer = browser.get(path, base_url="http://localhost:8000")
    assert answer.status_code == 200
    return [str(one) for one in etree.fromstring(answer.get_data()).xpath(query, namespaces=_NS)]


def named(browser: Client, path: str, use: str = "signing") -> list[str]:
    """The names of the keys in metadata."""
    return found(browser, path, f"//md:KeyDescriptor[@use='{use}']//ds:KeyName/text()")


@pytest.mark.parametrize("binding", ["redirect", "post", "soap"])
def test_a_logout_speaks_by_the_key_that_a_party_knows(house: Office, binding: str) -> None:
    """Who still logs in at the address of a former key hears of a logout by that one, as of a login (SEC-42)."""
    site = Site(create_app(house), house, {})
    asking = Relying(site, "one.example.test", "UWV").register()
    bindings = (SOAP_BINDING,) if binding == "soap" else (POST,)
    other = Relying(site, "two.example.test", "GEM", bindings=bindings).register()
    old = house.keys.active(SIGNING).public
    activated(house, planned(house).name)
    site.get("/")
    at_old = f"http://localhost:8000/saml/sso/{short_name(old.kid)}"

    known = asking.log_in("anna", Destination=at_old)
    other.log_in("anna")
    response = Leaving(asking, known).send(binding)
    if binding == "soap":
        assert signer_of(response.data) == old.kid
        return
    page = site.get(response.headers["Location"])
    request = b64decode(page.form_of("continue")["SAMLRequest"])
    assert signer_of(request) == house.keys.active(SIGNING).public.kid != old.kid
    ended = Replying(other, etree.fromstring(request).get("ID")).send()
    answer = Page(ended).form_of("step-form")["SAMLResponse"] if binding == "post" else ""
    if binding == "post":
        assert signer_of(b64decode(answer)) == old.kid
    else:
        query = read_redirect(urlsplit(ended.headers["Location"]).query.encode())
        verify_redirect(query, [load_pem_public_key(old.public_pem.encode())])  # type: ignore[list-item]


def signer_of(octets: bytes) -> str:
    """The name of the key that a message says it is signed by."""
    return str(etree.fromstring(octets).findtext(".//{*}KeyInfo/{*}KeyName"))


def test_a_name_for_a_former_key_is_still_read(house: Office) -> None:
    """Who encrypts a NameID by earlier metadata is understood until that key is retired, and not afterwards."""
    site = Site(create_app(house), house, {})
    party = Relying(site, "one.example.test", "UWV").register()
    old = house.keys.active(KeyUse.SAML_ENCRYPTION).public

    def status() -> str:
        known = party.log_in("anna")
        plain = f'<saml:NameID xmlns:saml="{SAML}" Format="{known.format}">{known.name}</saml:NameID>'.encode()
        recipient = Recipient("us", old.kid, load_pem_public_key(old.public_pem.encode()))  # type: ignore[arg-type]
        sealed = encrypt(plain, [recipient], Envelope(Wrapper.ENCRYPTED_ID, DEPLOYED), house.entropy.bytes)
        response = Leaving(party, known, name_id=sealed.decode()).send("redirect")
        return Page(response).error or carried(house, response, party).status

    assert status() == "Success"
    activated(house, planned(house, KeyUse.SAML_ENCRYPTION).name)
    site.get("/")
    assert house.keys.active(KeyUse.SAML_ENCRYPTION).public.kid != old.kid
    assert status() == "Success"
    with house.work("test") as work:
        keys.retire(work, old.kid, force=True)
    site.get("/")
    assert status() == "P10"


@pytest.mark.parametrize("prefix", PROFILES)
def test_metadata_follow_the_keys(house: Office, browser: Client, prefix: str) -> None:
    """Two signing keys while one waits, the active one first and in the address, and a next-only edition meanwhile."""
    path, old = f"{prefix}/metadata", house.keys.active(SIGNING).public.kid
    location = "//md:SingleSignOnService/@Location"
    assert named(browser, path) == [old]
    assert browser.get(f"{path}/next", base_url="http://localhost:8000").status_code == 404
    new = planned(house)
    assert named(browser, path) == [old, new.kid]
    assert named(browser, f"{path}/next") == [new.kid]
    assert {one.rpartition("/")[2] for one in found(browser, f"{path}/next", location)} == {new.name}
    assert {one.rpartition("/")[2] for one in found(browser, path, location)} == {old[:16]}
    activated(house, new.name)
    assert named(browser, path) == [new.kid, old]
    assert {one.rpartition("/")[2] for one in found(browser, path, location)} == {new.name}
    assert browser.get(f"{path}/next", base_url="http://localhost:8000").status_code == 404


@pytest.mark.parametrize("prefix", PROFILES)
def test_every_edition_is_signed_by_the_active_key(house: Office, browser: Client, prefix: str) -> None:
    """What waits is vouched for by what is trusted today, in canonical form, as libxmlsec1 finds (SIG-5)."""
    planned(house)
    for path in (f"{prefix}/metadata", f"{prefix}/metadata/next"):
        octets = browser.get(path, base_url="http://localhost:8000").get_data()
        root = etree.fromstring(octets)
        assert etree.tostring(root, method="c14n", exclusive=True, inclusive_ns_prefixes=["xs", "xsi"]) == octets
        xmlsec.tree.add_ids(root, ["ID"])
        context = xmlsec.SignatureContext()
        pem = house.keys.active(SIGNING).public.certificate
        context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem)
        context.verify(root.find("{*}Signature"))
        assert [one.tag.rpartition("}")[2] for one in root.find("{*}Signature/{*}KeyInfo")] == ["X509Data"]


def test_a_superseded_encryption_key_is_not_offered_any_more(house: Office, browser: Client) -> None:
    """Nobody begins to encrypt for a key that goes (domain 6.1)."""
    new = planned(house, KeyUse.SAML_ENCRYPTION)
    assert len(named(browser, "/saml/metadata", "encryption")) == 2
    activated(house, new.name)
    assert named(browser, "/saml/metadata", "encryption") == [new.kid]


@pytest.mark.parametrize(("use", "algorithms"), [(KeyUse.OIDC_RSA, 2), (KeyUse.OIDC_EC, 1)])
def test_the_jwks_follows_the_keys(house: Office, browser: Client, use: KeyUse, algorithms: int) -> None:
    """The next key stands in the JWKS before it signs, and the former one after it did (SEC-42)."""

    def kids() -> set[str]:
        answer = browser.get("/oidc/jwks", base_url="http://localhost:8000").get_data()
        return {one["kid"] for one in json.loads(answer)["keys"]}

    before = kids()
    new = planned(house, use)
    both = kids()
    assert len(both - before) == algorithms
    assert before < both
    activated(house, new.name)
    assert kids() == both


@pytest.mark.parametrize("prefix", PROFILES)
def test_metadata_tell_who_we_are_and_until_when(
    house: Office, browser: Client, clock: StandingClock, prefix: str
) -> None:
    """Every profile: valid by the schema, dated, with organisation, contact, errorURL and both languages of UIInfo."""
    path = f"{prefix}/metadata"
    octets = browser.get(path, base_url="http://localhost:8000").get_data()
    Schemas.load().validate(parse(octets))
    assert found(browser, path, "/md:EntityDescriptor/@validUntil") == ["2027-01-15T00:00:00Z"]
    assert found(browser, path, "//md:IDPSSODescriptor/@errorURL") == ["http://localhost:8000/klantenservice"]
    for element in ("mdui:DisplayName", "mdui:Description", "mdui:InformationURL", "md:OrganizationDisplayName"):
        assert found(browser, path, f"//{element}/@xml:lang") == ["nl", "en"]
    assert found(browser, path, "//md:ContactPerson/@contactType") == ["support"]
    assert {"HTTP-POST", "HTTP-Redirect"} <= {
        one.rpartition(":")[2] for one in found(browser, path, "//md:SingleSignOnService/@Binding")
    }
    etag = browser.get(path, base_url="http://localhost:8000").headers["ETag"]
    clock.move(timedelta(hours=13))
    assert browser.get(path, base_url="http://localhost:8000").headers["ETag"] == etag
    clock.move(timedelta(hours=1))
    assert found(browser, path, "/md:EntityDescriptor/@validUntil") == ["2027-01-16T00:00:00Z"]


def test_old_documents_stay_when_keys_cannot_be_looked_at() -> None:
    """A database that is away costs no reader its metadata, and before there are any they are told to come again."""
    made, broken = {"/saml/metadata": ("text/xml", b"<a/>")}, [True]

    def look() -> int:
        if broken[0]:
            raise OperationalError("SELECT", {}, Exception("away"))
        return 1

    day = StandingClock().now().date()
    browser = Client(Documents(lambda _environ, _start: (), Source(lambda: made, look, lambda: day), secure=True))
    assert browser.get("/saml/metadata").status_code == 503
    broken[0] = False
    assert browser.get("/saml/metadata").get_data() == b"<a/>"
    broken[0] = True
    assert browser.get("/saml/metadata").get_data() == b"<a/>"
