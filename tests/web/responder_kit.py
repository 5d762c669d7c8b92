"""People with responders for tests of pages: what a device shows, and a browser that got as far as its password."""

from base64 import b32encode
from dataclasses import dataclass, field
from datetime import timedelta

import pyotp

from idp.domain.seeds import Seed
from idp.services.second_factor.responders import take_in
from idp.services.work import Office
from tests.web.kit import PERSONAS, Page, Site

SECRET = b"12345678901234567890"
SERIAL = "HW-0001"


def stock(office: Office, serial: str = SERIAL, secret: bytes = SECRET) -> Seed:
    """A new device in stock."""
    seed = Seed(1, serial, secret)
    with office.work("test") as work:
        take_in(work, (seed,))
    return seed


def shows(office: Office, secret: bytes = SECRET, ahead: int = 0) -> str:
    """What a device with this secret shows, whose clock runs ahead so many seconds."""
    moment = office.clock.now() + timedelta(seconds=ahead)
    return str(pyotp.TOTP(b32encode(secret).decode()).at(moment))


def persona_shows(office: Office, username: str, ahead: int = 0) -> str:
    """What the device of a persona shows."""
    responder = PERSONAS[username].responder
    assert responder is not None
    return str(pyotp.TOTP(responder.secret).at(office.clock.now() + timedelta(seconds=ahead)))


@dataclass
class Visitor:
    """Somebody at a browser of their own."""

    site: Site
    username: str
    service: str = "RVO-3"
    own: Site = field(init=False)
    page: Page | str = field(init=False)

    def __post_init__(self) -> None:
        """A browser without cookies."""
        self.own = Site(self.site.app, self.site.office, self.site.clients)

    def identify(self) -> Page:
        """Up to the second factor, or to what stands in its place."""
        page = self.own.identify(self.own.begin(self.service), self.username)
        assert isinstance(page, Page)
        self.page = page
        return page

    def log_in(self) -> str:
        """All the way with the persona's own device; answers where the browser is sent."""
        page = self.own.prove(self.identify(), self.username)
        assert isinstance(page, str), page.name
        return page

    @property
    def login(self) -> str:
        """The id of the login under way, out of the way to the page for a lost responder."""
        assert isinstance(self.page, Page)
        link = self.page.soup.select_one('a[href^="/responder-kwijt?login="]')
        assert link is not None
        return str(link["href"]).partition("login=")[2]

    def lost(self) -> Page:
        """The page for a lost responder, of this login."""
        return self.own.get(f"/responder-kwijt?login={self.login}")

    def press(self, page: Page, name: str, **fields: str) -> Page:
        """Send the form of a control, at the address of the page with its query."""
        request = page.response.request
        path = f"{request.path}?{request.query_string.decode()}" if request.query_string else request.path
        answer = self.own.follow(self.own.post(path, page.form_of(name) | fields))
        assert isinstance(answer, Page)
        return answer
