"""From a granted login to a signed assertion for one relying party."""

from datetime import timedelta

from idp.domain.assertion import Assertion, Outcome
from idp.domain.parties import Party, Profile
from idp.protocols.message import Incoming
from idp.protocols.saml.metadata.sp_metadata import SpMetadata, of_party
from idp.protocols.saml.names import NameId
from idp.protocols.saml.reply import Reply
from idp.protocols.saml.response.advice import Told, write_advice
from idp.protocols.saml.response.assertion import (
    Authentication,
    Confirmation,
    Content,
    Subject,
    write_assertion,
    write_attributes,
)
from idp.protocols.saml.response.facts import Telling, legal_identifiers, told
from idp.protocols.saml.response.seal import Seal, seal_for
from idp.protocols.saml.status import Problem, RequestFault
from idp.protocols.saml.voice import Voice
from idp.protocols.saml.xmlsec.encryption import Wrapper
from idp.services.decision.conclusion import service_of
from idp.services.sessions.kept import call_by_name, index_of, name_of
from idp.services.work import Office, Work


def grant(office: Office, incoming: Incoming, granted: Assertion, reply: Reply, voice: Voice) -> bytes:
    """The assertion, signed, and encrypted where a generic party asks for it.

    Raises ``RequestFault``: ENTITY_TYPE (EC-4), ATTRIBUTE for a required one that is not given (RA-3), TECHNICAL when
    identifiers must be encrypted and the party lost its certificate.
    """
    party, asked = incoming.party, incoming.asked
    service = service_of(party, asked)
    telling = Telling(granted, service, legal_identifiers(service, granted.principal), reply.company_name)
    if not telling.legal:
        raise RequestFault(Problem.ENTITY_TYPE)
    if any(one.required and one.name not in granted.attributes for one in asked.attributes):
        raise RequestFault(Problem.ATTRIBUTE)
    metadata = office.directory.parsed(party, of_party)
    seal = _seal(metadata, reply, voice)
    attributes = write_attributes(told(reply.profile, telling), seal, named=not reply.dialect.scheme)
    advice = ""
    if advised(incoming):
        advice = write_advice(office, voice, Told(asked, telling, reply, party.identity, seal))
    assertion = write_assertion(
        voice,
        _subject(office, reply, granted, party, voice),
        _confirmation(office, reply, party.identity),
        _authentication(office, party.id, granted, reply, voice),
        Content(attributes, advice),
    )
    if seal is not None and not reply.dialect.scheme:
        return seal.close(assertion, Wrapper.ENCRYPTED_ASSERTION)
    return assertion


def advised(incoming: Incoming) -> bool:
    """Whether the party of a login wants to see the statements behind the assertion (RUL-24)."""
    return incoming.party.settings.advice and Reply.recall(incoming.asked.reply).dialect.scheme


def _seal(metadata: SpMetadata, reply: Reply, voice: Voice) -> Seal | None:
    """1.13 encrypts identifiers, 1.11 nothing, ``generic`` the assertion when it is asked by a certificate for that."""
    scheme = reply.profile is Profile.EHERKENNING_113
    if not scheme and not (reply.profile is Profile.GENERIC and metadata.wants_encryption):
        return None
    seal = seal_for(metadata, voice.now, voice.entropy, scheme=scheme)
    if seal is None:
        raise RequestFault(Problem.TECHNICAL)
    return seal


def note_name(work: Work, party: Party, outcome: Outcome, reply: Reply) -> None:
    """Note that a party was told a transient name, by which we have to call the person when it is to log out."""
    if not isinstance(outcome, Assertion) or outcome.session is None or reply.dialect.scheme:
        return
    if reply.name_id is NameId.TRANSIENT:
        call_by_name(work, outcome.session, party.id)


def _subject(office: Office, reply: Reply, granted: Assertion, party: Party, voice: Voice) -> Subject:
    if reply.name_id is NameId.TRANSIENT:
        value = voice.new_id() if granted.session is None else name_of(office, granted.session, party.id)
        return Subject(NameId.TRANSIENT, value, voice.names.authenticator, "")
    sp_qualifier = "" if reply.dialect.scheme else party.identity
    return Subject(NameId.PERSISTENT, granted.subject, voice.names.registry, sp_qualifier)


def _confirmation(office: Office, reply: Reply, identity: str) -> Confirmation:
    window = office.settings.saml
    return Confirmation(
        request=reply.request,
        location=reply.location,
        audience=identity,
        not_before=timedelta(seconds=window.not_before_seconds),
        valid_for=timedelta(seconds=window.valid_seconds),
    )


def _authentication(office: Office, party: str, granted: Assertion, reply: Reply, voice: Voice) -> Authentication:
    level = granted.level
    session = ""
    if granted.session is not None:
        session = index_of(office, granted.session, party)
    return Authentication(
        at=granted.authenticated_at,
        context=(level.eidas if reply.eidas else None) or level.urn,
        session=session,
        authority=voice.names.authenticator if reply.dialect.scheme else "",
    )
