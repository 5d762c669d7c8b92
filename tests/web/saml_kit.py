"""SAML relying parties at the whole application: they send people in, and ask to log them out."""

from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit

import pyotp
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from lxml import etree
from werkzeug.test import TestResponse

from idp.domain.parties import Profile
from idp.ports import KeyUse
from idp.protocols.saml.metadata import description
from idp.protocols.saml.request.redirect import (
    Parameter,
    RedirectMessage,
    read_redirect,
    verify_redirect,
    write_redirect,
)
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.signing import Signatory, sign
from idp.protocols.saml.xmlsec.xml import SAML, SAMLP, SOAP, Element, parse, serialise
from idp.services.relying_parties import parties
from idp.services.work import Office
from tests.protocol.saml_artifacts import enveloped
from tests.protocol.saml_kit import schemas
from tests.protocol.saml_messages import POST, REDIRECT, SCHEME_METADATA, Consumer, Published, fixed_key
from tests.web.kit import PERSONAS, Page, Site

OURS = "http://localhost:8000"
SOAP_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
PREFIX = {
    Profile.GENERIC: "/saml",
    Profile.EHERKENNING_113: "/saml/1.13",
    Profile.EHERKENNING_111: "/saml/1.11",
}
BY_BROWSER = {"redirect": REDIRECT, "post": POST}


@dataclass
class Known:
    """What a party learned of one login."""

    name: str
    format: str
    qualifier: str
    sp_qualifier: str
    index: str


@dataclass
class Relying:
    """A SAML relying party with one address for everything, and a site it is registered at.

    ``service`` are its services by name, with commas between.
    """

    site: Site
    host: str
    service: str
    profile: Profile = Profile.GENERIC
    bindings: tuple[str, ...] = (REDIRECT, POST)
    settings: dict[str, str] = field(default_factory=dict)
    key: str = "sp"
    party: str = ""
    count: int = 0

    @property
    def entity(self) -> str:
        """Its entity ID."""
        if self.profile is Profile.GENERIC:
            return f"https://{self.host}/metadata"
        return f"urn:etoegang:DV:00000001999999999001:entities:{9000 + len(self.host)}"

    @property
    def exit(self) -> str:
        """Where it takes messages about logout."""
        return f"https://{self.host}/slo"

    def register(self) -> "Relying":
        """Register it."""
        logouts = "".join(f'<md:SingleLogoutService Binding="{one}" Location="{self.exit}"/>' for one in self.bindings)
        base = Published() if self.profile is Profile.GENERIC else replace(SCHEME_METADATA, services="", signed=False)
        consumers = (Consumer(1, POST, f"https://{self.host}/acs", default=True),)
        published = replace(base, entity_id=self.entity, consumers=consumers, logouts=logouts, signing=(self.key,))
        wishes = {"profile": self.profile.value} | self.settings
        office = self.site.office
        new = description.described(published.xml(), tuple(self.service.split(",")), wishes, None, office.clock.now())
        with office.work("test") as work:
            self.party = parties.add(work, new).party.id
        return self

    def ask(self, **attributes: str) -> str:
        """The address that asks us to log somebody in."""
        self.count += 1
        inside = attributes.pop("inside", "")
        now = self.site.office.clock.now()
        usual = {
            "ID": f"_{self.host.replace('.', '-')}-{self.count}",
            "Version": "2.0",
            "IssueInstant": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "Destination": f"{OURS}{PREFIX[self.profile]}/sso",
        }
        written = " ".join(f'{name}="{value}"' for name, value in (usual | attributes).items())
        text = (
            f'<samlp:AuthnRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" {written}><saml:Issuer>{self.entity}'
            f"</saml:Issuer>{inside}</samlp:AuthnRequest>"
        )
        message = RedirectMessage(Parameter.REQUEST, text.encode(), None)
        return f"{PREFIX[self.profile]}/sso?{write_redirect(message, Signatory(fixed_key(self.key)))}"

    def log_in(self, username: str, **attributes: str) -> Known:
        """Let a persona log in, whatever is asked on the way; answers what the party learned."""
        page = self.site.get(self.ask(**attributes))
        for _ in range(4):
            if page.name == "login-answer":
                break
            fields = {"username": username, "password": PERSONAS[username].password, "keep": "yes"}
            if page.name == "login-code":
                # Each code counts once.
                self.site.office.clock.move(timedelta(seconds=30))  # type: ignore[attr-defined]
                responder = PERSONAS[username].responder
                assert responder is not None
                fields = {"code": pyotp.TOTP(responder.secret).at(self.site.office.clock.now())}
            if page.name == "login-consent":
                fields = {}
            found = self.site.fill(page, fields)
            assert isinstance(found, Page)
            page = found
        return self.learned(page)

    def learned(self, page: Page) -> Known:
        """What a Response says of the person and the session."""
        assert page.name == "login-answer", page.name
        root = etree.fromstring(b64decode(page.form_of("step-form")["SAMLResponse"]))
        spaces = {"saml": SAML}
        assertion = root.find("saml:Assertion", spaces)
        assert assertion is not None, etree.tostring(root)
        node = assertion.find("saml:Subject/saml:NameID", spaces)
        statement = assertion.find("saml:AuthnStatement", spaces)
        qualifiers = (node.get(one, "") for one in ("Format", "NameQualifier", "SPNameQualifier"))
        return Known(str(node.text), *qualifiers, statement.get("SessionIndex", ""))

    def needs_password(self, **attributes: str) -> bool:
        """Whether a new request of this party would ask the password."""
        return self.site.get(self.ask(**attributes)).name == "login-password"


@dataclass
class Leaving:
    """A LogoutRequest of a party; ``attributes`` are XML attributes of its root, None leaves one out."""

    party: Relying
    known: Known
    attributes: dict[str, str | None] = field(default_factory=dict)
    indexes: tuple[str, ...] | None = None
    name_id: str | None = None
    key: str | None = None

    def text(self) -> bytes:
        """The element before it is signed."""
        self.party.count += 1
        known, now = self.known, self.party.site.office.clock.now()
        usual: dict[str, str | None] = {
            "ID": f"_l-{self.party.host.replace('.', '-')}-{self.party.count}",
            "Version": "2.0",
            "IssueInstant": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "Destination": f"{OURS}{PREFIX[self.party.profile]}/slo",
        }
        written = " ".join(f'{one}="{value}"' for one, value in (usual | self.attributes).items() if value is not None)
        qualifiers = {"NameQualifier": known.qualifier, "SPNameQualifier": known.sp_qualifier, "Format": known.format}
        named = " ".join(f'{one}="{value}"' for one, value in qualifiers.items() if value)
        who = f"<saml:NameID {named}>{known.name}</saml:NameID>" if self.name_id is None else self.name_id
        indexes = (known.index,) if self.indexes is None else self.indexes
        sessions = "".join(f"<samlp:SessionIndex>{one}</samlp:SessionIndex>" for one in indexes)
        return (
            f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" {written}><saml:Issuer>'
            f"{self.party.entity}</saml:Issuer>{who}{sessions}</samlp:LogoutRequest>"
        ).encode()

    def signed(self) -> bytes:
        """The element, signed in itself."""
        root = parse(self.text())
        sign(root, Signatory(fixed_key(self.key or self.party.key)))
        return serialise(root)

    def send(self, binding: str, relay_state: str = "rs-1") -> TestResponse:
        """Bring it to us by a browser, or over SOAP."""
        path = f"{PREFIX[self.party.profile]}/slo"
        browser = self.party.site.browser
        if binding == "redirect":
            message = RedirectMessage(Parameter.REQUEST, self.text(), relay_state)
            query = write_redirect(message, Signatory(fixed_key(self.key or self.party.key)))
            return browser.get(f"{path}?{query}", base_url=OURS)
        if binding == "soap":
            return browser.post(path, data=enveloped(self.signed()), content_type="text/xml", base_url=OURS)
        fields = {"SAMLRequest": b64encode(self.signed()).decode(), "RelayState": relay_state}
        return browser.post(path, data=fields, base_url=OURS)


@dataclass
class Carried:
    """A message that we gave a browser for a party."""

    root: Element
    relay_state: str | None
    binding: str

    @property
    def status(self) -> str:
        """The codes of a status."""
        codes = self.root.iter(f"{{{SAMLP}}}StatusCode")
        return "/".join(one.get("Value").rpartition(":")[2] for one in codes)


def carried(office: Office, response: TestResponse, party: Relying, control: str = "return") -> Carried:
    """What a response (or its page) brings to a party: schema-valid, and signed by us with the registered key."""
    key = office.keys.active(KeyUse.SAML_SIGNING).public
    public = load_pem_public_key(key.public_pem.encode())
    page = Page(response)
    location = response.headers.get("Location", "")
    if response.status_code == 200:
        node = page.control(control)
        location = str(node.get("href", "")) if node.name == "a" else ""
    if location:
        assert location.startswith(party.exit), location
        query = read_redirect(urlsplit(location).query.encode())
        found = verify_redirect(query, [public])  # type: ignore[list-item]
        root, relay = etree.fromstring(found.octets), found.relay_state
        schemas().validate(root)
        return Carried(root, relay, "redirect")
    fields = page.form_of("step-form")
    assert page.control("step-form")["action"] == party.exit
    octets = b64decode(fields.get("SAMLResponse") or fields["SAMLRequest"])
    root = etree.fromstring(octets)
    schemas().validate(root)
    verify(parse(octets), root.tag, [public])  # type: ignore[list-item]
    return Carried(root, fields.get("RelayState"), "post")


def over_soap(response: TestResponse) -> Carried:
    """The message in an answer over SOAP."""
    assert (response.status_code, response.content_type) == (200, "text/xml; charset=utf-8")
    root = etree.fromstring(response.data)
    schemas().validate(root)
    return Carried(root.find(f"{{{SOAP}}}Body")[0], None, "soap")


@dataclass
class Replying:
    """The answer of a party to a LogoutRequest of ours."""

    party: Relying
    to: str
    status: str = "Success"
    key: str | None = ""

    def text(self) -> bytes:
        """The element before it is signed."""
        self.party.count += 1
        now = self.party.site.office.clock.now()
        return (
            f'<samlp:LogoutResponse xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_a{self.party.count}" Version="2.0" '
            f'IssueInstant="{now:%Y-%m-%dT%H:%M:%SZ}" Destination="{OURS}{PREFIX[self.party.profile]}/slo" '
            f'InResponseTo="{self.to}"><saml:Issuer>{self.party.entity}</saml:Issuer><samlp:Status>'
            f'<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{self.status}"/></samlp:Status>'
            "</samlp:LogoutResponse>"
        ).encode()

    def send(self, binding: str = "redirect") -> TestResponse:
        """Bring it to us by the browser."""
        path, signer = f"{PREFIX[self.party.profile]}/slo", self.party.key if self.key == "" else self.key
        if binding == "redirect":
            message = RedirectMessage(Parameter.RESPONSE, self.text(), None)
            query = write_redirect(message, Signatory(fixed_key(signer)) if signer else None)
            return self.party.site.browser.get(f"{path}?{query}", base_url=OURS)
        root = parse(self.text())
        if signer:
            sign(root, Signatory(fixed_key(signer)))
        fields = {"SAMLResponse": b64encode(serialise(root)).decode()}
        return self.party.site.browser.post(path, data=fields, base_url=OURS)
