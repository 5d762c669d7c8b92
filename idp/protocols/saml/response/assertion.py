"""Writing an assertion in canonical form, signed (domain 3.3; performance rule 2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.protocols.saml.names import BEARER, NAME_FORMAT_URI, NameId
from idp.protocols.saml.response.facts import Identifier, Told
from idp.protocols.saml.response.seal import Seal
from idp.protocols.saml.times import write_instant
from idp.protocols.saml.voice import Voice
from idp.protocols.saml.xmlsec.encryption import Wrapper
from idp.protocols.saml.xmlsec.signing import sign_canonical
from idp.protocols.saml.xmlsec.xml import SAML, XS, XSI, escape_attribute, escape_text


@dataclass(frozen=True, slots=True)
class Subject:
    """About whom: a NameID; ``qualifier`` and ``sp_qualifier`` are left out when empty."""

    format: NameId
    value: str
    qualifier: str
    sp_qualifier: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """For whom and when it counts: the request, the place, the audience and the window."""

    request: str
    location: str
    audience: str
    not_before: timedelta
    valid_for: timedelta


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the person was authenticated; empty ``session`` or ``authority`` are left out."""

    at: datetime
    context: str
    session: str
    authority: str


@dataclass(frozen=True, slots=True)
class Content:
    """What an assertion says: what ``write_attributes`` gave, and the element Advice or nothing."""

    attributes: str
    advice: str = ""


def write_assertion(
    voice: Voice, subject: Subject, confirmation: Confirmation, authentication: Authentication, content: Content
) -> bytes:
    """The signed Assertion."""
    ends = write_instant(voice.now + confirmation.valid_for)
    begins = write_instant(voice.now - confirmation.not_before)
    head = open_assertion(voice.new_id(), voice.now, voice.names.issuer)
    tail = (
        f"<saml:Subject>{write_name_id(subject)}"
        f'<saml:SubjectConfirmation Method="{BEARER}"><saml:SubjectConfirmationData '
        f'InResponseTo="{escape_attribute(confirmation.request)}" NotOnOrAfter="{ends}" '
        f'Recipient="{escape_attribute(confirmation.location)}"></saml:SubjectConfirmationData>'
        "</saml:SubjectConfirmation></saml:Subject>"
        f'<saml:Conditions NotBefore="{begins}" NotOnOrAfter="{ends}"><saml:AudienceRestriction>'
        f"<saml:Audience>{escape_text(confirmation.audience)}</saml:Audience></saml:AudienceRestriction>"
        f"</saml:Conditions>{content.advice}"
        f"{write_authn_statement(authentication)}"
        f"<saml:AttributeStatement>{content.attributes}</saml:AttributeStatement></saml:Assertion>"
    )
    return sign_canonical(head.encode(), tail.encode(), voice.signatory)


def open_assertion(identifier: str, now: datetime, issuer: str) -> str:
    """An Assertion up to and including its Issuer, after which the Signature comes."""
    return (
        f'<saml:Assertion xmlns:saml="{SAML}" xmlns:xs="{XS}" xmlns:xsi="{XSI}" ID="{identifier}" '
        f'IssueInstant="{write_instant(now)}" Version="2.0"><saml:Issuer>{escape_text(issuer)}</saml:Issuer>'
    )


def write_attributes(told: Iterable[Told], seal: Seal | None, *, named: bool) -> str:
    """The attributes in canonical form, for the inside of an Assertion; ``named`` adds NameFormat ``uri`` (RC-10).

    ``ValueError`` when something must be encrypted and there is nobody to encrypt for.
    """
    return "".join(_attribute(one, seal, ' NameFormat="' + NAME_FORMAT_URI + '"' if named else "") for one in told)


def write_name_id(subject: Subject) -> str:
    """A NameID."""
    qualifier = f' NameQualifier="{escape_attribute(subject.qualifier)}"' if subject.qualifier else ""
    sp_qualifier = f' SPNameQualifier="{escape_attribute(subject.sp_qualifier)}"' if subject.sp_qualifier else ""
    return f'<saml:NameID Format="{subject.format}"{qualifier}{sp_qualifier}>{escape_text(subject.value)}</saml:NameID>'


def write_authn_statement(authentication: Authentication) -> str:
    """How the person was authenticated."""
    session = f' SessionIndex="{escape_attribute(authentication.session)}"' if authentication.session else ""
    authority = (
        f"<saml:AuthenticatingAuthority>{escape_text(authentication.authority)}</saml:AuthenticatingAuthority>"
        if authentication.authority
        else ""
    )
    return (
        f'<saml:AuthnStatement AuthnInstant="{write_instant(authentication.at)}"{session}><saml:AuthnContext>'
        f"<saml:AuthnContextClassRef>{escape_text(authentication.context)}</saml:AuthnContextClassRef>{authority}"
        "</saml:AuthnContext></saml:AuthnStatement>"
    )


def _attribute(told: Told, seal: Seal | None, name_format: str) -> str:
    start = f'Name="{escape_attribute(told.name)}"{name_format}>'
    if told.secret:
        values = "".join(f"<saml:AttributeValue>{escape_text(one)}</saml:AttributeValue>" for one in told.values)
        plain = f'<saml:Attribute xmlns:saml="{SAML}" {start}{values}</saml:Attribute>'
        return _closed(seal, plain, Wrapper.ENCRYPTED_ATTRIBUTE)
    values = "".join(
        f'<saml:AttributeValue xsi:type="xs:string">{escape_text(one)}</saml:AttributeValue>' for one in told.values
    )
    values += "".join(
        f"<saml:AttributeValue>{write_encrypted_id(one, seal)}</saml:AttributeValue>" for one in told.identifiers
    )
    return f"<saml:Attribute {start}{values}</saml:Attribute>"


def write_encrypted_id(identifier: Identifier, seal: Seal | None) -> str:
    """An identifier for those who can read it; ``ValueError`` when there is nobody to encrypt for."""
    plain = (
        f'<saml:NameID xmlns:saml="{SAML}" Format="{NameId.PERSISTENT}" '
        f'NameQualifier="{escape_attribute(identifier.qualifier)}">{escape_text(identifier.value)}</saml:NameID>'
    )
    return _closed(seal, plain, Wrapper.ENCRYPTED_ID)


def _closed(seal: Seal | None, plain: str, wrapper: Wrapper) -> str:
    if seal is None:
        raise ValueError("nobody to encrypt for")
    return seal.close(plain.encode(), wrapper, enclosed=True).decode()
