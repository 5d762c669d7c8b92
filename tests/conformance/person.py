"""A person with a browser that runs no scripts, at a running sandbox."""

from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import requests
from bs4 import BeautifulSoup, Tag

from tests.fixtures.sandbox import Demo


@dataclass(frozen=True)
class Posted:
    """The form that ends a SAML login: where it goes and what it carries."""

    action: str
    fields: dict[str, str]


@dataclass
class Person:
    """A persona of the sandbox with cookies of its own; a code is never used twice."""

    demo: Demo
    username: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def facts(self) -> dict[str, object]:
        """What the laboratory tells of this persona."""
        people = requests.get(self.demo.facts["personas_url"], timeout=30).json()
        found: dict[str, object] = next(one for one in people if one["id"] == self.username)
        return found

    def post(self, url: str, fields: dict[str, str]) -> Posted | str:
        """Bring a form from a portal; answers how the login ended."""
        return self.walk(self.session.post(url, data=fields, allow_redirects=False, timeout=30))

    def visit(self, url: str) -> Posted | str:
        """Follow a link from a portal; answers how the login ended."""
        return self.walk(self.session.get(url, allow_redirects=False, timeout=30))

    def walk(self, response: requests.Response) -> Posted | str:
        """Answer every page until the browser is sent back: a form to post, or an address of the portal."""
        own = urlsplit(self.demo.base_url).netloc
        for _ in range(12):
            if response.is_redirect or response.status_code == 303:
                target = urljoin(response.url, response.headers["Location"])
                if urlsplit(target).netloc != own:
                    return target
                response = self.session.get(target, allow_redirects=False, timeout=30)
                continue
            page = BeautifulSoup(response.text, "html.parser")
            name = str(page.body["data-page"]) if page.body else ""
            if name == "login-answer":
                form = self._form(page, "step-form")
                return Posted(str(form["action"]), _fields(form))
            response = self._answer(page, name, response.url)
        raise AssertionError("the login goes round in circles")

    def _answer(self, page: BeautifulSoup, name: str, url: str) -> requests.Response:
        control = "return" if name == "login-refused" else "step-form"
        form = self._form(page, control)
        fields = _fields(form) | self._given(page, name)
        return self.session.post(url, data=fields, allow_redirects=False, timeout=30)

    def _given(self, page: BeautifulSoup, name: str) -> dict[str, str]:
        if name == "login-password":
            return {"username": self.username, "password": str(self.facts["password"])}
        if name == "login-code":
            answer = requests.get(self.demo.url(f"/lab/api/otp/{self.username}"), timeout=30)
            return {"code": str(answer.json()["code"])}
        if name == "login-choose":
            first = page.find("input", attrs={"name": "organisation"})
            assert isinstance(first, Tag)
            return {"organisation": str(first["value"])}
        assert name in ("login-consent", "login-refused"), page.get_text(" ", strip=True)[:500]
        return {}

    def _form(self, page: BeautifulSoup, control: str) -> Tag:
        found = page.find(attrs={"data-testid": control})
        assert isinstance(found, Tag), page.get_text(" ", strip=True)[:500]
        form = found if found.name == "form" else found.find_parent("form")
        assert isinstance(form, Tag)
        return form


def _fields(form: Tag) -> dict[str, str]:
    shown = [one for one in form.find_all("input") if one.get("type") not in ("radio", "checkbox")]
    fields = {str(one["name"]): str(one.get("value", "")) for one in shown}
    button = form.find("button", attrs={"name": True})
    return fields | ({str(button["name"]): str(button["value"])} if isinstance(button, Tag) else {})


def next_code(demo: Demo) -> None:
    """Move the laboratory's clock past the code just used, then let real time stand again at the next test's ask."""
    requests.post(demo.url("/lab/api/reset"), timeout=60).raise_for_status()
