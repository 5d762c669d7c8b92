"""Advice: what our authenticator and our mandate registry state, each signed, behind the summary (domain 3.9, 3.10)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from idp.domain.assertion import Assertion, LegalSubject
from idp.domain.login import LoginRequest
from idp.ports import KeyUse
from idp.protocols.saml.names import BEARER, Declared, Fact, Identifying, NameId
from idp.protocols.saml.reply import Reply
from idp.protocols.saml.response.assertion import (
    Authentication,
    Subject,
    open_assertion,
    write_authn_statement,
    write_encrypted_id,
    write_name_id,
)
from idp.protocols.saml.response.facts import Identifier, Telling
from idp.protocols.saml.response.seal import Seal
from idp.protocols.saml.times import write_instant
from idp.protocols.saml.voice import Voice
from idp.protocols.saml.xmlsec.encryption import DEPLOYED, Recipient
from idp.protocols.saml.xmlsec.signing import enclose, sign_canonical
from idp.protocols.saml.xmlsec.xml import SAML, XACML, XACML_SAML, XS, escape_attribute, escape_text
from idp.services.work import Office

MARK: Final = f'xmlns:xacml-saml="{XACML_SAML}"'.encode()
"""What stands in every message with an Advice in it, and in no other."""
_ACTION: Final = "Authenticate"
_PERMIT: Final = (
    f'<xacml-context:Response xmlns:xacml-context="{XACML}"><xacml-context:Result>'
    "<xacml-context:Decision>Permit</xacml-context:Decision><xacml-context:Status>"
    '<xacml-context:StatusCode Value="urn:oasis:names:tc:xacml:1.0:status:ok"></xacml-context:StatusCode>'
    "</xacml-context:Status></xacml-context:Result></xacml-context:Response>"
)
_TEXT: Final = f"{XS}#string"
_SEALED: Final = f"{SAML}#EncryptedID"
_BASE64: Final = f"{XS}#base64Binary"
_SIGNATURE_VALUE: Final = re.compile(rb"<ds:SignatureValue>([^<]*)</ds:SignatureValue>")
_MR_LASTS: Final = timedelta(minutes=2)
# How long an authenticator's statement counts, before and after its instant: as seen in 2020 and in 2023.
_WINDOWS: Final = {
    "1.11": (timedelta(0), timedelta(minutes=2)),
    "1.13": (timedelta(minutes=10), timedelta(minutes=10)),
}


@dataclass(frozen=True, slots=True)
class Told:
    """All that Advice draws on; ``seal`` is None in 1.11, where nothing is encrypted for the relying party."""

    asked: LoginRequest
    telling: Telling
    reply: Reply
    audience: str
    seal: Seal | None

    @property
    def granted(self) -> Assertion:
        """The login."""
        return self.telling.granted


@dataclass(frozen=True, slots=True)
class _Link:
    """One link of a representation: whom it makes somebody act for, by which numbers, and through whom."""

    legal: tuple[Identifier, ...]
    kvk: str
    via: LegalSubject | None


def write_advice(office: Office, voice: Voice, told: Told) -> str:
    """The element Advice, for the inside of an Assertion that ``voice`` signs: AD, then MR for every link."""
    person = _person(office, voice, told)
    found = _SIGNATURE_VALUE.search(person)
    value = found[1].decode() if found is not None else ""
    statements, behind = [person], [_id_of(person)]
    for link in _links(told):
        registry = _registry(voice, told, link, (value, tuple(behind)))
        statements.append(registry)
        behind.append(_id_of(registry))
    inside = b"".join(enclose(one, "saml", "xs", "xsi") for one in statements).decode()
    return f"<saml:Advice>{inside}</saml:Advice>"


def _person(office: Office, voice: Voice, told: Told) -> bytes:
    """The statement of the authenticator: that a person logged in, by a name for the registry alone."""
    names, before_after = voice.names, _WINDOWS[told.reply.dialect.version]
    begins, ends = write_instant(voice.now - before_after[0]), write_instant(voice.now + before_after[1])
    audiences = "".join(
        f"<saml:Audience>{escape_text(one)}</saml:Audience>" for one in (names.issuer, names.registry, told.audience)
    )
    statement = write_authn_statement(
        Authentication(told.granted.authenticated_at, told.granted.level.urn, "", office.settings.saml.oin)
    )
    here = escape_attribute(office.settings.server.base_url + told.reply.dialect.sso_path)
    tail = (
        f'<saml:Subject>{_nobody(voice)}<saml:SubjectConfirmation Method="{BEARER}"><saml:SubjectConfirmationData '
        f'InResponseTo="{voice.new_id()}" NotOnOrAfter="{ends}" Recipient="{here}"></saml:SubjectConfirmationData>'
        f'</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{begins}" NotOnOrAfter="{ends}">'
        f"<saml:AudienceRestriction>{audiences}</saml:AudienceRestriction></saml:Conditions>{statement}"
        f"<saml:AttributeStatement>{_attribute(Declared.REPRESENTATION, _typed('boolean', 'true'))}"
        f"{_attribute(Declared.REGISTRY, _typed('string', names.registry))}"
        f"{_attribute(Fact.ACTING_SUBJECT, _for_registry(office, voice, told))}"
        f"{_attribute(Fact.SERVICE_UUID, _typed('string', told.telling.service.uuid))}"
        "</saml:AttributeStatement></saml:Assertion>"
    )
    return sign_canonical(
        open_assertion(voice.new_id(), voice.now, names.authenticator).encode(), tail.encode(), voice.signatory
    )


def _registry(voice: Voice, told: Told, link: _Link, linked: tuple[str, tuple[str, ...]]) -> bytes:
    """The statement of the mandate registry about a link; ``linked`` is the value of the authenticator's signature,
    and the IDs of the statements that it rests on."""
    value, behind = linked
    references = "".join(f"<saml:AssertionIDRef>{one}</saml:AssertionIDRef>" for one in behind)
    subject, resource = "".join(_subject(told, link, value)), "".join(_resource(told, link))
    begins, ends = write_instant(voice.now), write_instant(voice.now + _MR_LASTS)
    tail = (
        f"<saml:Subject>{_nobody(voice)}</saml:Subject>"
        f'<saml:Conditions NotBefore="{begins}" NotOnOrAfter="{ends}"></saml:Conditions>'
        f"<saml:Advice>{references}</saml:Advice>"
        f'<saml:Statement xmlns:xacml-saml="{XACML_SAML}" xsi:type="xacml-saml:XACMLAuthzDecisionStatementType">'
        f'{_PERMIT}<xacml-context:Request xmlns:xacml-context="{XACML}">'
        f"<xacml-context:Subject>{subject}</xacml-context:Subject>"
        f"<xacml-context:Resource>{resource}</xacml-context:Resource>"
        f"<xacml-context:Action>{_xacml(Declared.ACTION, _TEXT, _ACTION)}</xacml-context:Action>"
        "<xacml-context:Environment></xacml-context:Environment></xacml-context:Request></saml:Statement>"
        "</saml:Assertion>"
    )
    return sign_canonical(
        open_assertion(voice.new_id(), voice.now, voice.names.registry).encode(), tail.encode(), voice.signatory
    )


def _links(told: Told) -> Iterator[_Link]:
    """From the person to the own company, along the chain to the organisation; each names who stands before (K-6)."""
    via: LegalSubject | None = None
    for one in reversed(told.granted.intermediaries):
        yield _Link((Identifier(Identifying.KVK, str(one.kvk)),), str(one.kvk), via)
        via = one
    yield _Link(told.telling.legal, str(told.granted.principal.kvk), via)


def _subject(told: Told, link: _Link, value: str) -> Iterator[str]:
    yield _xacml(Declared.ACTING_ENTITY, _TEXT, escape_text(told.granted.subject))
    if told.seal is not None:
        pseudonym = Identifier(Identifying.PSEUDONYM, told.granted.subject)
        yield _xacml(Fact.ACTING_SUBJECT, _SEALED, write_encrypted_id(pseudonym, told.seal))
        yield _xacml(Fact.LEGAL_SUBJECT, _SEALED, *(write_encrypted_id(one, told.seal) for one in link.legal))
        if link.via is not None:
            via = Identifier(Identifying.KVK, str(link.via.kvk))
            yield _xacml(Fact.INTERMEDIATE_SUBJECT, _SEALED, write_encrypted_id(via, told.seal))
    yield _xacml(Declared.LINKED_SIGNATURE, _BASE64, value)


def _resource(told: Told, link: _Link) -> Iterator[str]:
    granted = told.granted
    yield _xacml(Fact.SERVICE_ID, _TEXT, *told.telling.service_ids)
    yield _xacml(Fact.SERVICE_UUID, _TEXT, *told.telling.service_uuids)
    yield _xacml(Declared.LEVEL_ASKED, _TEXT, told.asked.level.urn)
    yield _xacml(Declared.LEVEL_USED, _TEXT, granted.level.urn)
    yield _xacml(Identifying.KVK, _TEXT, link.kvk)
    if granted.branches and link.kvk == granted.principal.kvk:
        yield _xacml(Fact.BRANCH, _TEXT, *granted.branches)
        if granted.subdossiers:
            yield _xacml(Fact.SUBDOSSIER, _TEXT, *granted.subdossiers)


def _for_registry(office: Office, voice: Voice, told: Told) -> str:
    """The internal pseudonym, encrypted for the registry: us."""
    own = office.keys.active(KeyUse.SAML_ENCRYPTION).public
    key = load_pem_public_key(own.public_pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise TypeError("our encryption key is of RSA")
    seal = Seal((Recipient(voice.names.registry, own.kid, key),), DEPLOYED, inline=False, entropy=voice.entropy)
    name = office.vault.digest(told.granted.basis.account, "internal-pseudonym").upper()
    sealed = write_encrypted_id(Identifier(Identifying.PSEUDONYM, name), seal)
    return f"<saml:AttributeValue>{sealed}</saml:AttributeValue>"


def _nobody(voice: Voice) -> str:
    return write_name_id(Subject(NameId.TRANSIENT, voice.new_id(), "", ""))


def _attribute(name: str, value: str) -> str:
    return f'<saml:Attribute Name="{name}">{value}</saml:Attribute>'


def _typed(kind: str, value: str) -> str:
    return f'<saml:AttributeValue xsi:type="xs:{kind}">{escape_text(value)}</saml:AttributeValue>'


def _xacml(name: str, kind: str, *values: str) -> str:
    inside = "".join(f"<xacml-context:AttributeValue>{one}</xacml-context:AttributeValue>" for one in values)
    return f'<xacml-context:Attribute AttributeId="{name}" DataType="{kind}">{inside}</xacml-context:Attribute>'


def _id_of(assertion: bytes) -> str:
    return assertion.split(b' ID="', 1)[1].split(b'"', 1)[0].decode()
