"""Who carries the mails of an installation: its mail server, the letter box of the laboratory, or nobody yet."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from idp.effects.smtp import SmtpPost
from idp.effects.stationery import stationery
from idp.ports import Mail, PostOffice
from idp.services.mail.addressing import ADDRESSING
from idp.services.mail.delivery import Nobody, Postman
from idp.services.work import Office


@dataclass(frozen=True, slots=True)
class LetterBox:
    """Takes every mail at once; the laboratory shows what it took."""

    def send(self, mail: Mail) -> None:
        """Nothing leaves this machine."""


def postman_of(office: Office) -> Postman | Nobody:
    """The postman that the settings name."""
    settings = office.settings
    post: PostOffice
    if settings.mail.host:
        domain = urlsplit(settings.server.base_url).hostname or ""
        post = SmtpPost(settings.mail, settings.brand.name, settings.brand.email, domain)
    elif settings.lab.enabled:
        post = LetterBox()
    else:
        return Nobody(office)
    return Postman(office, stationery(settings), post, ADDRESSING)
