"""Our own pages as one that asks for logins: the same login as for a service, without a means or a mandate."""

from idp.domain.assertion import Assertion, Basis, LegalSubject
from idp.domain.assurance import Factor, Level, missing_factor
from idp.domain.audit import Event
from idp.domain.identifiers import InstanceUuid, KvkNumber, Oin, ServiceUrn, ServiceUuid
from idp.domain.login import STEP_THAT_PROVES, LoginRequest, Progress, Step
from idp.domain.parties import Party, PartySettings, Profile, Provider, Service
from idp.services.work import Office, Work

OWN = "own"
_UUID = InstanceUuid("00000000-0000-4000-8000-000000000001")
# Nobody is told these: an assertion for our own pages never leaves.
_NOBODY = KvkNumber("00000000")
_OIN = Oin("00000000000000000000")


def own_party(office: Office) -> Party:
    """Our own pages as a party with one service, the profile."""
    name = office.settings.brand.name
    provider = Provider(_OIN, {"nl": name, "en": name})
    service = Service(
        uuid=ServiceUuid(_UUID),
        instance_uuid=_UUID,
        urn=ServiceUrn("urn:etoegang:DV:00000000000000000000:services:1"),
        slug="profiel",
        provider=provider,
        name={"nl": "Mijn profiel", "en": "My profile"},
        description={},
        level=Level.EH1,
        takes_restriction=False,
        chains=False,
        sso=True,
        allow_lower=True,
        entity_types=(),
        attributes=(),
        url=f"{office.settings.server.base_url}/profiel",
        enforced_from=None,
        public=False,
    )
    settings = PartySettings(Profile.OIDC_STANDARD)
    return Party(OWN, OWN, office.settings.server.base_url, name, provider, settings, ((0, service),), "", 0)


def own_request(office: Office, to: str, strong: bool) -> LoginRequest:
    """The wish to open one of our pages, with the second factor where something is changed there (F43)."""
    level = Level.EH3 if strong else Level.EH1
    return LoginRequest(OWN, office.settings.server.base_url, _UUID, level, reply={"to": to})


def own_step(asked: LoginRequest, progress: Progress) -> Step:
    """What is asked next: as at a service, but nothing is decided and nobody is represented."""
    if progress.cancelled:
        return Step.ANSWER
    missing = missing_factor(asked.level, progress.factors)
    if progress.account is None or missing is Factor.PASSWORD:
        return Step.PASSWORD
    return Step.ANSWER if missing is None else STEP_THAT_PROVES[missing]


def admit(work: Work, party: Party, asked: LoginRequest, progress: Progress) -> Assertion:
    """Let a person in at their own pages; raises ``ValueError`` when nobody was authenticated."""
    if progress.authenticated_at is None or progress.account is None:
        raise ValueError("granted without authentication")
    level = Level.EH3 if progress.factors - {Factor.PASSWORD} else Level.EH1
    work.record(
        Event.LOGIN_GRANTED,
        reference=asked.reply.get("reference", ""),
        party=party.id,
        service=asked.service,
        account=progress.account,
        level=level.label,
        resumed=str(progress.resumed).lower(),
    )
    return Assertion(
        subject="",
        level=level,
        principal=LegalSubject(_NOBODY, None, party.name),
        branches=(),
        intermediaries=(),
        authenticated_at=progress.authenticated_at,
        attributes={},
        session=None,
        basis=Basis(progress.account, "", progress.factors),
    )
