"""A browser without JavaScript: it follows links and forms by their ``data-testid``, as a person would."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag

_SECONDS = 60


@dataclass(slots=True)
class Page:
    """A page as it came."""

    url: str
    status: int
    soup: BeautifulSoup

    @property
    def name(self) -> str:
        """The fixed name in ``data-page``."""
        return _attribute(self.soup.body, "data-page")

    @property
    def error(self) -> str:
        """The code in ``data-error``."""
        return _attribute(self.soup.body, "data-error")

    @property
    def reasons(self) -> list[str]:
        """The reasons of a refusal, in their order."""
        return _attribute(self.soup.main, "data-reason").split()

    @property
    def outcome(self) -> str:
        """What a portal made of an answer."""
        return _attribute(self.soup.main, "data-outcome")

    @property
    def problem(self) -> str:
        """The code of what was wrong with a form."""
        return _attribute(self.find("problem"), "data-problem")

    @property
    def values(self) -> dict[str, list[str]]:
        """What a portal received, by name."""
        found: dict[str, list[str]] = {}
        for one in self.soup.select("dl.received > div"):
            strong = one.find("strong")
            found.setdefault(_attribute(one, "data-name"), []).append(strong.get_text() if strong else "")
        return found

    @property
    def failed_checks(self) -> list[str]:
        """What a portal found wrong."""
        marks = self.soup.select("ul.checks li")
        return [one.get_text(" ", strip=True) for one in marks if not one.select(".outcome--ok")]

    def find(self, testid: str) -> Tag | None:
        """The element with this ``data-testid``."""
        found = self.soup.find(attrs={"data-testid": testid})
        return found if isinstance(found, Tag) else None

    def text(self, testid: str) -> str:
        """The text of the element with this ``data-testid``."""
        found = self.find(testid)
        return found.get_text(strip=True) if found else ""


@dataclass(slots=True)
class Walker:
    """One browser with its own cookies."""

    base_url: str
    session: requests.Session = field(default_factory=requests.Session)
    page: Page = field(init=False)

    def visit(self, path: str) -> Self:
        """Go to an address."""
        return self._arrive(self.session.get(urljoin(self.base_url, path), timeout=_SECONDS))

    def follow(self, testid: str) -> Self:
        """Follow a link."""
        return self.visit(urljoin(self.page.url, _attribute(self._need(testid), "href")))

    def submit(self, testid: str = "step-form", **values: str | list[str]) -> Self:
        """Fill in a form and send it; fields that are not named keep what they hold."""
        form = self._need(testid)
        fields: dict[str, str | list[str]] = {}
        for one in form.find_all("input"):
            kind, name = _attribute(one, "type"), _attribute(one, "name")
            if name and (kind not in ("checkbox", "radio") or one.has_attr("checked")):
                fields[name] = _attribute(one, "value")
        address = urljoin(self.page.url, _attribute(form, "action"))
        return self._arrive(self.session.post(address, data=fields | values, timeout=_SECONDS))

    def through(self) -> Self:
        """Press on through the pages that only carry a message between the portal and us."""
        while self.page.name in ("lab-send", "login-answer"):
            self.submit()
        return self

    def _need(self, testid: str) -> Tag:
        found = self.page.find(testid)
        assert found is not None, f"no {testid} on {self.page.name} ({self.page.error}) at {self.page.url}"
        return found

    def _arrive(self, answer: requests.Response) -> Self:
        soup = BeautifulSoup(answer.text, "lxml")
        self.page = Page(answer.url, answer.status_code, soup)
        return self


def _attribute(tag: Tag | None, name: str) -> str:
    value = tag.get(name, "") if tag is not None else ""
    return value if isinstance(value, str) else " ".join(value or ())
