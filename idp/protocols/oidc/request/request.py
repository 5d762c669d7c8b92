"""A request at the authorization endpoint whose client and return address are certain."""

from collections.abc import Mapping
from dataclasses import dataclass

from idp.domain.demand import Reading
from idp.domain.parties import Party
from idp.protocols.oidc.client.client import Client
from idp.protocols.oidc.client.profiles import Rules, rules_of
from idp.protocols.oidc.request.return_address import ReturnAddress


@dataclass(frozen=True, slots=True)
class Request:
    """Whose request it is, where the answer goes, and every parameter that stands once.

    ``pushed`` and ``signed`` tell how it came: by the back channel, as a request object, or both.
    """

    party: Party
    client: Client
    given: Mapping[str, str]
    faults: Mapping[str, str]
    where: ReturnAddress
    pushed: bool = False
    signed: bool = False

    def get(self, name: str) -> str:
        """A parameter, or an empty text."""
        return self.given.get(name, "")

    @property
    def rules(self) -> Rules:
        """The constraints of the client's profile."""
        return rules_of(self.party)

    @property
    def reading(self) -> Reading:
        """How levels above the catalogue are taken (RUL-13)."""
        return Reading.STRICT if self.rules.strict else self.party.settings.reading

    @property
    def prompts(self) -> frozenset[str]:
        """The values of ``prompt``."""
        return frozenset(self.get("prompt").split())

    @property
    def passive(self) -> bool:
        """Whether the person must not be asked anything."""
        return "none" in self.prompts

    @property
    def max_age(self) -> int | None:
        """Seconds since the last authentication, as asked or as registered."""
        text = self.get("max_age")
        return int(text) if text else self.client.default_max_age
