"""The bars, and what they come to on another machine than the one they were set on."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench import floors

# The same floors on the machine for which the bars were set (AMD EPYC with AVX-512 IFMA), in CPU milliseconds.
REFERENCE = {floors.RSA_2048: 0.255, floors.RSA_3072: 0.705, floors.ARGON2: 22.0, floors.FLASK: 0.208}


@dataclass(frozen=True, slots=True)
class Bar:
    """CPU milliseconds on the reference machine, and how much of it is signing that cannot be avoided."""

    stated: float
    signatures: int = 0
    strength: str = floors.RSA_2048


BARS = {
    "W1 POST": Bar(1.7, 2),
    "W1 Redirect": Bar(1.7, 2),
    "W1 POST, RSA-3072": Bar(3.0, 2, floors.RSA_3072),
    "W1 Redirect, RSA-3072": Bar(3.0, 2, floors.RSA_3072),
    "W2 RS256": Bar(3.0, 1),
    "W2 ES256": Bar(2.6),
    "W3 SAML, beyond Argon2": Bar(4.0, 2),
    "W3 OIDC, beyond Argon2": Bar(4.0, 1),
    "W5 metadata": Bar(0.15),
    "W5 JWKS": Bar(0.15),
    "W5 discovery": Bar(0.15),
}


def of_issue(name: str) -> float | None:
    """The bar as it was set, in CPU milliseconds of the reference machine."""
    return BARS[name].stated if name in BARS else None


def here(name: str, measured: Mapping[str, float]) -> float | None:
    """The same bar on this machine: signatures at their price here, the rest as much dearer as an empty request.

    A processor may be four times slower at RSA and half as slow at Python; one factor for both would hide either.
    """
    if name not in BARS:
        return None
    bar = BARS[name]
    slower = measured[floors.FLASK] / REFERENCE[floors.FLASK]
    rest = bar.stated - bar.signatures * REFERENCE[bar.strength]
    return bar.signatures * measured[bar.strength] + rest * slower
