"""What the protocol itself has to remember of a request until it is answered and redeemed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Memory:
    """Kept with the login and with the grant, as texts.

    ``scope`` is what was granted, ``claims`` JSON of the claim names asked per place, ``vocabulary`` in which words
    the level is told, ``challenge`` empty where PKCE was waived. ``jkt`` is the thumbprint of the key that the code
    is bound to, ``resources`` whom the tokens are for (separated by spaces), ``claim_set`` what the client registered,
    ``device`` the device that waits for this login.
    """

    redirect_uri: str
    mode: str
    state: str
    nonce: str
    challenge: str
    scope: str
    claims: str
    vocabulary: str
    jkt: str = ""
    resources: str = ""
    claim_set: str = ""
    device: str = ""

    def as_reply(self) -> dict[str, str]:
        """In the form in which a login keeps it."""
        return asdict(self)


def memory_of(reply: Mapping[str, str]) -> Memory:
    """What ``as_reply`` gave; other members of the reply are somebody else's."""
    return Memory(**{name: reply[name] for name in Memory.__slots__ if name in reply})
