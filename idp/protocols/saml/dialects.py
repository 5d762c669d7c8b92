"""The three profiles we speak, as data: where they live, who we are in them, and what a request may ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from idp.domain.parties import Profile
from idp.protocols.saml.names import NameId
from idp.settings import Settings


@dataclass(frozen=True, slots=True)
class Dialect:
    """One profile.

    ``version`` is the interface version of the scheme, empty for ``generic``. ``name_ids`` maps a Format that a
    request may ask to the one it gets; ``None`` stands for no request. ``lenient_name_ids`` are added in that reading.
    ``artifact_index`` tells apart the resolution services of one name, in our metadata and in every artifact.
    """

    profile: Profile
    prefix: str
    version: str
    name_ids: Mapping[NameId | None, NameId]
    lenient_name_ids: Mapping[NameId | None, NameId]
    artifact_index: int = 0

    @property
    def scheme(self) -> bool:
        """Whether this is a profile of eHerkenning."""
        return bool(self.version)

    @property
    def sso_path(self) -> str:
        """The path of SingleSignOnService: one for POST and Redirect, since clients read either and use the other."""
        return f"{self.prefix}/sso"

    def sso_path_for(self, key: str) -> str:
        """The same for those who read it beside a key of ours (its short name), or without one when it is empty."""
        return f"{self.sso_path}/{key}" if key else self.sso_path

    def key_in(self, path: str) -> str:
        """The short name of a key in a path of SingleSignOnService; empty when it has none."""
        before, _, key = path.rpartition("/")
        return key if before == self.sso_path else ""

    @property
    def artifact_path(self) -> str:
        """The path of ArtifactResolutionService."""
        return f"{self.prefix}/artifact"

    @property
    def logout_path(self) -> str:
        """The path of SingleLogoutService, for every binding."""
        return f"{self.prefix}/slo"

    @property
    def metadata_path(self) -> str:
        """The path of our metadata."""
        return f"{self.prefix}/metadata"

    @property
    def next_path(self) -> str:
        """The path of our metadata as they will be, there while keys wait."""
        return f"{self.prefix}/metadata/next"


_P, _T, _U = NameId.PERSISTENT, NameId.TRANSIENT, NameId.UNSPECIFIED
DIALECTS: Final = {
    one.profile: one
    for one in (
        Dialect(Profile.GENERIC, "/saml", "", {None: _P, _U: _P, _P: _P, _T: _T}, {}),
        Dialect(Profile.EHERKENNING_113, "/saml/1.13", "1.13", {None: _T, _T: _T}, {_U: _T}),
        Dialect(Profile.EHERKENNING_111, "/saml/1.11", "1.11", {None: _P, _P: _P, _T: _T}, {_U: _P}, artifact_index=1),
    )
}


@dataclass(frozen=True, slots=True)
class Names:
    """Who we are in a profile: the issuer, and the parts that authenticate and keep mandates (domain 12)."""

    issuer: str
    authenticator: str
    registry: str


def names(settings: Settings, dialect: Dialect) -> Names:
    """Our entity IDs: the metadata address in ``generic``, URNs of HM, AD and MR in the scheme (contract)."""
    if not dialect.scheme:
        entity_id = settings.server.base_url + dialect.metadata_path
        return Names(entity_id, entity_id, entity_id)
    saml = settings.saml
    roles = (f"urn:etoegang:{role}:{saml.oin}:entities:{saml.index + place}" for place, role in enumerate(_ROLES))
    return Names(*roles)


def artifact_services(settings: Settings, dialect: Dialect) -> dict[int, str]:
    """Where artifacts of a profile are resolved, by index, as our metadata say (domain 3.7).

    The second one, where there is a certificate listener, is for parties that must show their certificate.
    """
    found = {dialect.artifact_index: settings.server.base_url + dialect.artifact_path}
    if settings.server.certificate_url:
        found[dialect.artifact_index + _MUTUAL] = settings.server.certificate_url + dialect.artifact_path
    return found


def artifact_index(settings: Settings, dialect: Dialect, *, mutual: bool) -> int:
    """The index of the service that a party is to ask, by whether it must show its certificate."""
    return max(artifact_services(settings, dialect)) if mutual else dialect.artifact_index


# Indexes of one name: plain for 1.13 and for 1.11, then the same two with mutual TLS.
_MUTUAL: Final = 2
_ROLES: Final = ("HM", "AD", "MR")
