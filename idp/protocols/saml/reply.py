"""What the answer to a request has to remember of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from idp.domain.parties import Profile
from idp.protocols.saml.dialects import DIALECTS, Dialect
from idp.protocols.saml.names import Binding, NameId


@dataclass(frozen=True, slots=True)
class Reply:
    """Where and how to answer: kept in ``LoginRequest.reply``.

    ``relay_state`` is None when there was none, which is not the same as empty (RC-8). ``eidas`` tells that the
    level was asked in the eIDAS vocabulary; ``company_name`` that the scheme's request asked the name. ``key`` is the
    short name of our key in the address of the request: who asks there knows that one.
    """

    request: str
    location: str
    profile: Profile
    binding: Binding = Binding.POST
    name_id: NameId = NameId.PERSISTENT
    relay_state: str | None = None
    eidas: bool = False
    company_name: bool = False
    reference: str = ""
    key: str = ""

    @property
    def dialect(self) -> Dialect:
        """The profile to answer in."""
        return DIALECTS[self.profile]

    def remember(self) -> dict[str, str]:
        """The same as texts, without what is left out."""
        kept = {
            "request": self.request,
            "location": self.location,
            "profile": self.profile.value,
            "binding": self.binding.value,
            "name_id": self.name_id.value,
        }
        if self.relay_state is not None:
            kept["relay_state"] = self.relay_state
        if self.eidas:
            kept["eidas"] = "yes"
        if self.company_name:
            kept["company_name"] = "yes"
        if self.key:
            kept["key"] = self.key
        return kept

    @classmethod
    def recall(cls, kept: Mapping[str, str]) -> Self:
        """What ``remember`` wrote, with the support reference that was added since."""
        return cls(
            request=kept["request"],
            location=kept["location"],
            profile=Profile(kept["profile"]),
            binding=Binding(kept["binding"]),
            name_id=NameId(kept["name_id"]),
            relay_state=kept.get("relay_state"),
            eidas="eidas" in kept,
            company_name="company_name" in kept,
            reference=kept.get("reference", ""),
            key=kept.get("key", ""),
        )
