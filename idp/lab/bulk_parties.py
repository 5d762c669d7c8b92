"""Synthetic providers in bulk: each with one service and one relying party, in SAML and OIDC by turns."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from idp.domain.assurance import Level
from idp.domain.identifiers import InstanceUuid, Oin, ServiceUrn, ServiceUuid
from idp.domain.parties import PartySettings, Profile, Provider, Service
from idp.lab.keys import PartyKey, make_missing
from idp.lab.metadata import Description, document
from idp.services.catalogue.file import ENTITY_TYPES
from idp.services.catalogue.loading import service_values
from idp.services.relying_parties.parties import OIDC, SAML
from idp.services.work import Work
from idp.store.base import Base
from idp.store.catalogue import PartyRow, PartyService, ProviderRow, ServiceRow, settings_json

OIN_PREFIX = "0000000991"
Values = dict[str, Any]


def shared_key(folder: Path, now: datetime) -> PartyKey:
    """The one key of all synthetic parties, kept in the data folder (RUL-37)."""
    return make_missing(folder / "populate" / "party.pem", "synthetic relying party", now)


def rows(work: Work, numbers: range, key: PartyKey) -> Iterator[tuple[type[Base], list[Values]]]:
    """The rows of some providers, what is referred to first."""
    services = [_service(number) for number in numbers]
    yield ProviderRow, [{"oin": str(one.provider.oin), "name": json.dumps(one.provider.name)} for one in services]
    yield ServiceRow, [service_values(one) for one in services]
    yield PartyRow, [_party(work, number, one, key) for number, one in zip(numbers, services, strict=True)]
    yield (
        PartyService,
        [
            {"party_id": _party_id(number), "place": 0, "index": 1 - number % 2, "instance_uuid": _instance(number)}
            for number in numbers
        ],
    )


def _service(number: int) -> Service:
    oin = f"{OIN_PREFIX}{number:07d}000"
    name = f"Proefdienst {number}"
    return Service(
        uuid=ServiceUuid(f"9f000000-0000-4000-8000-{number:012x}"),
        instance_uuid=_instance(number),
        urn=ServiceUrn(f"urn:etoegang:DV:{oin}:services:1"),
        slug=f"PROEF-{number}",
        provider=Provider(Oin(oin), {"nl": f"Proefaanbieder {number}", "en": f"Trial provider {number}"}),
        name={"nl": name, "en": f"Trial service {number}"},
        description={"nl": name, "en": f"Trial service {number}"},
        level=Level.EH3,
        takes_restriction=True,
        chains=True,
        sso=True,
        allow_lower=False,
        entity_types=((ENTITY_TYPES["RSIN"], ENTITY_TYPES["KvKnr"]), (ENTITY_TYPES["KvKnr"],)),
        attributes=(),
        url=f"https://dienst{number}.populatie.test/",
        enforced_from=None,
    )


def _instance(number: int) -> InstanceUuid:
    return InstanceUuid(f"9f000000-0000-4000-9000-{number:012x}")


def _party(work: Work, number: int, service: Service, key: PartyKey) -> Values:
    saml = number % 2 == 0
    identity = f"https://dienst{number}.populatie.test/saml" if saml else f"populatie-{number}"
    profile = Profile.GENERIC if saml else Profile.OIDC_STANDARD
    return {
        "id": _party_id(number),
        "created_at": work.now,
        "protocol": SAML if saml else OIDC,
        "identity": identity,
        "name": service.name["nl"],
        "provider_oin": str(service.provider.oin),
        "settings": settings_json(PartySettings(profile)),
        "document": _metadata(identity, service, key) if saml else _registration(identity, number, key),
        "version": 1,
        "secret_digest": "",
    }


def _party_id(number: int) -> str:
    return f"9f{number:030x}"


def _metadata(identity: str, service: Service, key: PartyKey) -> str:
    acs = f"{service.url}acs"
    return document(Description(identity, service.name["nl"], acs, key.certificate, key.kid, False, (service,)))


def _registration(identity: str, number: int, key: PartyKey) -> str:
    return json.dumps(
        {
            "client_id": identity,
            "client_name": f"Proefdienst {number}",
            "redirect_uris": [f"https://dienst{number}.populatie.test/callback"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [key.jwk]},
        }
    )
