"""Messages of logout do not change unnoticed, follow the schema, and read what they should (domain 3.8, 12.8)."""

from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest
from lxml import etree

from idp.domain.parties import Profile
from idp.protocols.message import Document, HttpMessage, PostForm, Redirect
from idp.protocols.saml.logout.chain import Asker, Chain, Messenger
from idp.protocols.saml.logout.delivery import answer_place
from idp.protocols.saml.logout.single_logout import Over
from idp.protocols.saml.metadata.sp_metadata import of_party
from idp.protocols.saml.names import Binding
from idp.protocols.saml.request.redirect import (
    Parameter,
    RedirectMessage,
    read_redirect,
    verify_redirect,
    write_redirect,
)
from idp.protocols.saml.voice import Voices
from idp.protocols.saml.xmlsec.signing import Signatory, sign
from idp.protocols.saml.xmlsec.xml import SAML, SAMLP, SOAP, parse, serialise
from idp.services.sessions.logout import Participant
from tests.protocol.saml_artifacts import enveloped
from tests.protocol.saml_golden import compare, lines
from tests.protocol.saml_kit import Bench, check_signature, schemas
from tests.protocol.saml_messages import (
    BASE,
    DV,
    POST,
    PSEUDONYM,
    REDIRECT,
    SAML_PROFILES,
    SCHEME_METADATA,
    SP,
    SSO,
    Published,
    fixed_key,
    form,
)

SOAP_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
EXIT, RETURN = "https://dv.example.test/saml/slo", "https://dv.example.test/saml/slo/return"
FOLDER = {Profile.GENERIC: "generic", Profile.EHERKENNING_113: "1.13", Profile.EHERKENNING_111: "1.11"}
AD = "urn:etoegang:AD:00000001888888888001:entities:9102"
MR = "urn:etoegang:MR:00000001888888888001:entities:9103"
FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
NAMES = {
    Profile.GENERIC: (
        f'Format="{FORMAT}persistent" NameQualifier="{BASE}/saml/metadata" SPNameQualifier="{SP}"',
        PSEUDONYM,
    ),
    Profile.EHERKENNING_113: (f'Format="{FORMAT}transient" NameQualifier="{AD}"', "_7a4e0c5e2f0f4c1b8d8f7a9e0b1c2d3e"),
    Profile.EHERKENNING_111: (f'Format="{FORMAT}persistent" NameQualifier="{MR}"', PSEUDONYM),
}


def exits(*bindings: str) -> str:
    """SingleLogoutServices, with a place of its own for answers."""
    return "".join(
        f'<md:SingleLogoutService Binding="{one}" Location="{EXIT}" ResponseLocation="{RETURN}"/>' for one in bindings
    )


@dataclass(frozen=True)
class Leaving:
    """A LogoutRequest as domain 12.8 has it."""

    profile: Profile
    attributes: dict[str, str] = field(default_factory=dict)

    def text(self) -> bytes:
        """The element before it is signed."""
        usual = {
            "ID": "_lr1",
            "Version": "2.0",
            "IssueInstant": "2026-01-15T10:00:30Z",
            "Destination": SSO[self.profile].replace("/sso", "/slo"),
        }
        written = " ".join(f'{name}="{value}"' for name, value in (usual | self.attributes).items())
        qualified, name = NAMES[self.profile]
        issuer = SP if self.profile is Profile.GENERIC else DV
        return (
            f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" {written}><saml:Issuer>{issuer}'
            f"</saml:Issuer><saml:NameID {qualified}>{name}</saml:NameID>"
            "<samlp:SessionIndex>_index</samlp:SessionIndex></samlp:LogoutRequest>"
        ).encode()

    def signed(self) -> bytes:
        """The element, signed in itself."""
        root = parse(self.text())
        sign(root, Signatory(fixed_key("sp")))
        return serialise(root)

    def sent(self, binding: str) -> HttpMessage:
        """The request on its way."""
        path = SSO[self.profile].replace("/sso", "/slo").removeprefix(BASE)
        if binding == REDIRECT:
            carried = RedirectMessage(Parameter.REQUEST, self.text(), "rs-1")
            return HttpMessage("GET", path, query=write_redirect(carried, Signatory(fixed_key("sp"))).encode())
        if binding == SOAP_BINDING:
            return HttpMessage("POST", path, body=enveloped(self.signed()), content_type="text/xml")
        return form({"SAMLRequest": b64encode(self.signed()).decode()}, "rs-1", path)


def register(bench: Bench, profile: Profile, *bindings: str) -> None:
    """A party that takes messages about logout."""
    base = Published() if profile is Profile.GENERIC else replace(SCHEME_METADATA, signed=False)
    bench.register(replace(base, logouts=exits(*bindings)), profile)
    bench.shelf.party_by_id = lambda _id: next(iter(bench.shelf.parties.values()))  # type: ignore[attr-defined]


def octets_of(found: object, binding: str) -> bytes:
    """The LogoutResponse of a result, schema-valid and signed as its binding wants, at the place for answers."""
    if binding == SOAP_BINDING:
        assert isinstance(found, Document)
        inside = etree.fromstring(found.body).find(f"{{{SOAP}}}Body")[0]
        octets: bytes = etree.tostring(inside, method="c14n", exclusive=True)
    else:
        assert isinstance(found, Over)
        octets = _by_browser(found.answer, binding)
    root = etree.fromstring(octets)
    schemas().validate(root)
    if binding != REDIRECT:
        check_signature(root)
    assert root.get("Destination") == (None if binding == SOAP_BINDING else RETURN)
    return octets


def _by_browser(answer: object, binding: str) -> bytes:
    if binding == POST:
        assert isinstance(answer, PostForm)
        assert (answer.action, answer.fields["RelayState"]) == (RETURN, "rs-1")
        return b64decode(answer.fields["SAMLResponse"])
    assert isinstance(answer, Redirect)
    assert answer.location.startswith(f"{RETURN}?SAMLResponse=")
    query = read_redirect(urlsplit(answer.location).query.encode())
    message = verify_redirect(query, [fixed_key("own-signing").private.public_key()])  # type: ignore[list-item]
    assert message.relay_state == "rs-1"
    return message.octets


@pytest.mark.parametrize("profile", SAML_PROFILES)
@pytest.mark.parametrize(
    ("binding", "name"), [(POST, "logout"), (REDIRECT, "logout-redirect"), (SOAP_BINDING, "logout-soap")]
)
def test_a_logout_is_answered_as_ever(
    profile: Profile, binding: str, name: str, bench: Bench, pytestconfig: pytest.Config
) -> None:
    """A LogoutRequest and its LogoutResponse are the golden ones, by every binding and in every profile."""
    register(bench, profile, POST, REDIRECT)
    leaving = Leaving(profile)
    found = bench.codec.logout.take(bench.office, leaving.sent(binding), "", bench.clock.now())
    compare(f"{FOLDER[profile]}/logout.request.xml", lines(leaving.signed()), pytestconfig)
    compare(f"{FOLDER[profile]}/{name}.response.xml", lines(octets_of(found, binding)), pytestconfig)


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_a_faulty_logout_is_answered_as_ever(profile: Profile, bench: Bench, pytestconfig: pytest.Config) -> None:
    """The answer to an expired LogoutRequest is the golden one."""
    register(bench, profile, POST)
    leaving = Leaving(profile, {"IssueInstant": "2026-01-15T09:00:00Z"})
    found = bench.codec.logout.take(bench.office, leaving.sent(POST), "", bench.clock.now())
    compare(f"{FOLDER[profile]}/logout-expired.response.xml", lines(octets_of(found, POST)), pytestconfig)


@pytest.mark.parametrize(("binding", "name"), [(POST, "logout-ours"), (REDIRECT, "logout-ours-redirect")])
@pytest.mark.parametrize("transient", [False, True])
def test_what_we_ask_others_is_as_ever(
    binding: str, name: str, transient: bool, bench: Bench, pytestconfig: pytest.Config
) -> None:
    """Our own LogoutRequest to a party of the session is the golden one."""
    register(bench, Profile.GENERIC, binding)
    messenger = Messenger(schemas(), Voices(), None)
    one = Participant("party-1", "_transient" if transient else PSEUDONYM, transient, "_index")
    with bench.office.work("test") as work:
        secret, _ = messenger.onward(work, Chain(Asker(), ended=True, left=(one,)))
    visit = messenger.visit(bench.office, secret, bench.clock.now())
    assert visit is not None
    if binding == POST:
        assert isinstance(visit.answer, PostForm)
        octets = b64decode(visit.answer.fields["SAMLRequest"])
        check_signature(etree.fromstring(octets))
    else:
        assert isinstance(visit.answer, Redirect)
        octets = read_redirect(urlsplit(visit.answer.location).query.encode()).message.octets
    root = etree.fromstring(octets)
    schemas().validate(root)
    assert (root.get("ID"), root.get("Destination")) == (secret, EXIT)
    kind = f"{name}-transient" if transient else name
    compare(f"generic/{kind}.request.xml", lines(octets), pytestconfig)


@pytest.mark.parametrize(
    ("bindings", "came_by", "expected"),
    [
        ((POST, REDIRECT), Binding.POST, POST),
        ((POST, REDIRECT), Binding.REDIRECT, REDIRECT),
        ((POST,), Binding.REDIRECT, POST),
        ((REDIRECT,), Binding.POST, REDIRECT),
        ((SOAP_BINDING,), Binding.POST, None),
        ((SOAP_BINDING, POST), Binding.SOAP, POST),
        ((), Binding.POST, None),
    ],
)
def test_the_answer_goes_back_as_the_request_came(
    bindings: tuple[str, ...], came_by: Binding, expected: str | None, bench: Bench
) -> None:
    """By the same binding where it is offered, else by another that a browser takes, else not at all."""
    party = bench.register(replace(Published(), logouts=exits(*bindings)))
    place = answer_place(of_party(party), came_by)
    assert (place.binding if place is not None else None) == expected
