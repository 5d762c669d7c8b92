"""A browser without scripts that reads pages by their stable names."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pyotp
from bs4 import BeautifulSoup, Tag
from werkzeug.test import Client, TestResponse

from idp.lab.world import read
from idp.services.work import Office

REDIRECT = "https://portal.example.test/callback"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
PERSONAS = {persona.id: persona for persona in read().personas}


@dataclass
class Page:
    """A page as a person meets it."""

    response: TestResponse

    @property
    def soup(self) -> BeautifulSoup:
        """The parsed page."""
        return BeautifulSoup(self.response.get_data(as_text=True), "html.parser")

    @property
    def name(self) -> str:
        """The fixed name of the page."""
        return self._of(self.soup.body, "data-page")

    @property
    def error(self) -> str:
        """The code of an error page."""
        return self._of(self.soup.body, "data-error")

    @property
    def reasons(self) -> list[str]:
        """The reasons of a refusal."""
        return self._of(self.soup.main, "data-reason").split()

    def control(self, name: str) -> Tag:
        """The control with this stable name."""
        found = self.soup.find(attrs={"data-testid": name})
        assert isinstance(found, Tag), f"no {name} on {self.name}"
        return found

    def form_of(self, name: str) -> dict[str, str]:
        """The fields of the form that a control belongs to (or is), as they stand."""
        control = self.control(name)
        form = control if control.name == "form" else control.find_parent("form")
        assert isinstance(form, Tag)
        inputs = [one for one in form.find_all("input") if one.get("type") not in ("radio", "checkbox")]
        fields = {str(one["name"]): str(one.get("value", "")) for one in inputs}
        if control.name == "button" and control.get("name"):
            fields[str(control["name"])] = str(control.get("value", ""))
        return fields

    @staticmethod
    def _of(tag: Tag | None, attribute: str) -> str:
        return str(tag.get(attribute, "")) if tag is not None else ""


@dataclass
class Site:
    """The application and who is registered at it."""

    app: Any
    office: Office
    clients: dict[str, str]
    browser: Client = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.new_browser()

    def new_browser(self) -> Client:
        """A browser without cookies."""
        return Client(self.app)

    def get(self, path: str, **given: Any) -> Page:
        """A page by its address, redirects followed."""
        return Page(self.browser.get(path, base_url="http://localhost:8000", follow_redirects=True, **given))

    def post(self, path: str, data: dict[str, str], **given: Any) -> TestResponse:
        """Send a form."""
        return self.browser.post(path, base_url="http://localhost:8000", data=data, **given)

    def begin(self, service: str, **changes: str) -> Page:
        """Come with a request for a service; answers its first page."""
        return self.get(f"/oidc/authorize?{self.query(service, **changes)}")

    def query(self, service: str, **changes: str) -> str:
        """An authorization request."""
        asked = {
            "response_type": "code",
            "client_id": self.clients[service],
            "redirect_uri": REDIRECT,
            "scope": "openid eherkenning",
            "state": "state-0123456789abcdef",
            "nonce": "nonce-0123456789abcdef",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return urlencode(asked | changes)

    def fill(self, page: Page, fields: dict[str, str], control: str = "step-form") -> Page | str:
        """Fill in the form of a control; answers the next page, or where the browser is sent away to."""
        path = urlsplit(page.response.request.url).path
        response = self.post(path, page.form_of(control) | fields)
        return self.follow(response)

    def follow(self, response: TestResponse) -> Page | str:
        """The page a response leads to; an address of someone else is answered as text."""
        if response.status_code not in (301, 302, 303):
            return Page(response)
        location = response.headers["Location"]
        if urlsplit(location).netloc not in ("", "localhost:8000"):
            return location
        return self.get(location)

    def identify(self, page: Page, username: str, password: str | None = None) -> Page | str:
        """Fill in username and password."""
        given = PERSONAS[username].password if password is None else password
        return self.fill(page, {"username": username, "password": given})

    def prove(self, page: Page, username: str) -> Page | str:
        """Fill in what the persona's responder shows."""
        responder = PERSONAS[username].responder
        assert responder is not None
        return self.fill(page, {"code": pyotp.TOTP(responder.secret).at(self.office.clock.now())})

    def log_in(self, username: str, service: str) -> Page | str:
        """Go as far as password and code lead."""
        page: Page | str = self.begin(service)
        if isinstance(page, Page) and page.name == "login-password":
            page = self.identify(page, username)
        if isinstance(page, Page) and page.name == "login-code":
            page = self.prove(page, username)
        return page


def told(location: Page | str) -> dict[str, str]:
    """What the relying party was told at the end of a login."""
    assert isinstance(location, str), location.name
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
