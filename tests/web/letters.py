"""The postman of a test: carries the mails of an office to a list, as a mail server would take them."""

import re
from dataclasses import dataclass, field, replace

from idp.ports import Mail
from idp.services.mail.addressing import ADDRESSING
from idp.services.mail.delivery import Postman
from idp.services.mail.notices import GATHERED_FOR
from idp.services.work import Office
from tests.office import StandingClock, writer


@dataclass
class Letters:
    """Everything that was delivered, oldest first."""

    office: Office
    taken: list[Mail] = field(default_factory=list)

    def send(self, mail: Mail) -> None:
        """Take a mail."""
        self.taken.append(mail)

    def deliver(self) -> list[Mail]:
        """Deliver what is due; answers what was new."""
        before = len(self.taken)
        self.counts = Postman(self.office, writer(self.office.settings), self, ADDRESSING).deliver_due()
        return self.taken[before:]

    def notices(self) -> list[Mail]:
        """Deliver as the worker will once the notices of now have been gathered; answers what was new."""
        later = StandingClock(self.office.clock.now() + GATHERED_FOR)
        return Letters(replace(self.office, clock=later)).deliver()

    def link(self) -> str:
        """Deliver, and the path of the one link for a password in what was new."""
        texts = "\n".join(mail.text for mail in self.deliver())
        (found,) = re.findall(r"^http://localhost:8000(/wachtwoord-nieuw\?t=[0-9a-f]{64})$", texts, re.MULTILINE)
        return str(found)
