"""What the answer to a request has to remember of it."""

from dataclasses import asdict, dataclass, fields
from typing import Self

from idp.domain.login import LoginRequest
from idp.domain.parties import Profile
from idp.protocols.saml.dialects import DIALECTS, Dialect
from idp.protocols.saml.names import Binding, NameId


@dataclass(frozen=True, slots=True)
class Reply:
    """Where and how to answer: kept in ``LoginRequest.reply``.

    ``relay_state`` is None when there was none, which is not the same as empty (RC-8). ``eidas`` tells that the
    level was asked in the eIDAS vocabulary; ``company_name`` that the scheme's request asked the name.
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

    @property
    def dialect(self) -> Dialect:
        """The profile to answer in."""
        return DIALECTS[self.profile]

    def remember(self) -> dict[str, str]:
        """The same as texts, without what is left out."""
        values = {name: value for name, value in asdict(self).items() if value is not None and value is not False}
        return {name: "yes" if value is True else str(value) for name, value in values.items() if name != "reference"}

    @classmethod
    def recall(cls, asked: LoginRequest) -> Self:
        """What ``remember`` wrote into a request, with the support reference that was added since."""
        known = {field.name for field in fields(cls)}
        kept: dict[str, object] = {name: text for name, text in asked.reply.items() if name in known}
        kept |= {"profile": Profile(asked.reply["profile"]), "name_id": NameId(asked.reply["name_id"])}
        kept |= {"binding": Binding(asked.reply["binding"])}
        kept |= {name: name in asked.reply for name in ("eidas", "company_name")}
        return cls(**kept)  # type: ignore[arg-type]  # the fields were named one by one
