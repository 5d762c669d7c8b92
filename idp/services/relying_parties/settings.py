"""The one door for a party's settings: which exist, what they may say (contract: ``idp providers set``)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from idp.domain.demand import Reading
from idp.domain.parties import DenyMode, PartySettings, Profile

PROFILES = {
    "saml": (Profile.GENERIC, Profile.EHERKENNING_113, Profile.EHERKENNING_111),
    "oidc": (Profile.OIDC_STANDARD, Profile.OIDC_NL_GOV, Profile.OIDC_FAPI_2),
}
_STRICT = frozenset({Profile.OIDC_NL_GOV, Profile.OIDC_FAPI_2})


class BadParty(Exception):
    """A relying party cannot be registered or set like this; the text is one sentence with the remedy."""


def changed(protocol: str, settings: PartySettings, wishes: Mapping[str, str]) -> tuple[PartySettings, str | None]:
    """The settings with wishes laid over them, and the new name if one is wished; raises ``BadParty``.

    A profile that is always strict brings its reading along, unless the reading is wished too (RUL-13).
    """
    values: dict[str, Any] = {}
    for key, text in wishes.items():
        if key == "name":
            continue
        if key not in _READERS:
            raise BadParty(f"There is no setting {key}; there are name, {', '.join(sorted(_READERS))}.")
        values[key] = _READERS[key](key, text)
    profile = values.get("profile", settings.profile)
    if profile not in PROFILES[protocol]:
        known = ", ".join(PROFILES[protocol])
        raise BadParty(f"The profile {profile} is not one for this party; there are {known}.")
    if profile in _STRICT and "profile" in values:
        values.setdefault("reading", Reading.STRICT)
    return replace(settings, **values), wishes.get("name")


def _choice(kind: type[StrEnum]) -> Callable[[str, str], StrEnum]:
    def read(key: str, text: str) -> StrEnum:
        if text not in {one.value for one in kind}:
            raise BadParty(f"The value of {key} must be one of {', '.join(kind)}.")
        return kind(text)

    return read


def _flag(key: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise BadParty(f"The value of {key} must be true or false.")
    return text == "true"


def _answer_level(key: str, text: str) -> str:
    if text not in ("reached", "requested"):
        raise BadParty(f"The value of {key} must be reached or requested.")
    return text


_READERS: dict[str, Callable[[str, str], Any]] = {
    "profile": _choice(Profile),
    "reading": _choice(Reading),
    "deny_mode": _choice(DenyMode),
    "answer_level": _answer_level,
    "sso": _flag,
    "advice": _flag,
    "require_signed_requests": _flag,
    "require_pkce": _flag,
    "allow_lower_request": _flag,
    "artifact_client_certificate": _flag,
}
