"""Levels of assurance, the factors that prove them, and their names on the wire."""

from enum import IntEnum, StrEnum


class Factor(StrEnum):
    """Something a person proved in this session."""

    PASSWORD = "password"
    OTP = "otp"
    CERTIFICATE = "certificate"


class Level(IntEnum):
    """The five levels, light to strong; gaps leave room for a new one (F01, LOA-1)."""

    EH1 = 10
    EH2 = 20
    EH2PLUS = 25
    EH3 = 30
    EH4 = 40

    @property
    def label(self) -> str:
        """The name people know: ``EH2+``."""
        return self.name.replace("PLUS", "+")

    @property
    def urn(self) -> str:
        """The AuthnContextClassRef of the scheme."""
        return LEVEL_URNS[self]

    @property
    def eidas(self) -> str | None:
        """The eIDAS level, or None below the lowest (EH1)."""
        return EIDAS_OF_LEVEL.get(self)


_URN = "urn:etoegang:core:assurance-class:"
LEVEL_URNS = {
    Level.EH1: _URN + "loa1",
    Level.EH2: _URN + "loa2",
    Level.EH2PLUS: _URN + "loa2plus",
    Level.EH3: _URN + "loa3",
    Level.EH4: _URN + "loa4",
}
_EIDAS = "http://eidas.europa.eu/LoA/"
EIDAS_OF_LEVEL = {
    Level.EH2: _EIDAS + "low",
    Level.EH2PLUS: _EIDAS + "low",
    Level.EH3: _EIDAS + "substantial",
    Level.EH4: _EIDAS + "high",
}
LEVEL_OF_URI = {urn: level for level, urn in LEVEL_URNS.items()} | {
    _EIDAS + "low": Level.EH2,
    _EIDAS + "substantial": Level.EH3,
    _EIDAS + "high": Level.EH4,
}

# The second factor each level needs beside the password; what is absent needs the password alone.
SECOND_FACTOR = {Level.EH2PLUS: Factor.OTP, Level.EH3: Factor.OTP, Level.EH4: Factor.CERTIFICATE}


def level_of_uri(uri: str) -> Level | None:
    """The level a URI names, in the scheme's or the eIDAS vocabulary; None when it names none (domain 2.1)."""
    return LEVEL_OF_URI.get(uri)


def proven_level(factors: frozenset[Factor]) -> Level | None:
    """The highest level these factors can prove, or None without a password (LOA-9, RUL-11, RUL-14)."""
    if Factor.PASSWORD not in factors:
        return None
    if Factor.CERTIFICATE in factors:
        return Level.EH4
    return Level.EH3 if Factor.OTP in factors else Level.EH2


def missing_factor(level: Level, factors: frozenset[Factor]) -> Factor | None:
    """The factor still to be proven for ``level``, the password first; None when the level is proven."""
    if Factor.PASSWORD not in factors:
        return Factor.PASSWORD
    proven = proven_level(factors)
    return None if proven is not None and proven >= level else SECOND_FACTOR[level]
