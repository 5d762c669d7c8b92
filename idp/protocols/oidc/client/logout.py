"""What a client registered about logging out: where a browser goes after it, and how the client hears of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

FRONT: Final = "frontchannel_logout_uri"
BACK: Final = "backchannel_logout_uri"
# The members that are read here, and what each must be.
LOGOUT_MEMBERS: Final[Mapping[str, str]] = {
    "post_logout_redirect_uris": "a list of texts",
    FRONT: "a text",
    "frontchannel_logout_session_required": "true or false",
    BACK: "a text",
    "backchannel_logout_session_required": "true or false",
}


@dataclass(frozen=True, slots=True)
class LogoutWishes:
    """The members of a registration that are about logging out; addresses are empty where there are none.

    Whether the client needs ``sid`` makes no difference: it is told always.
    """

    after: tuple[str, ...]
    front: str
    back: str


def read_logout_wishes(given: Mapping[str, Any]) -> LogoutWishes:
    """The wishes in metadata whose types were checked."""
    return LogoutWishes(tuple(given.get("post_logout_redirect_uris", ())), given.get(FRONT, ""), given.get(BACK, ""))
