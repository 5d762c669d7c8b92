"""A browser as small as can be: one kept connection, one cookie jar, no magic."""

from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

FORM = "application/x-www-form-urlencoded"


class FlowFailed(Exception):
    """A flow did not end as it must; the text says what came instead."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response: ``location`` is empty without a redirect."""

    status: int
    location: str
    body: bytes
    headers: dict[str, str]

    def expect(self, status: int) -> "Reply":
        """Itself, when it has this status; raises ``FlowFailed``."""
        if self.status != status:
            raise FlowFailed(f"{self.status} instead of {status}: {self.body[:300]!r}")
        return self


@dataclass(slots=True)
class Browser:
    """Speaks with one server; ``cookies`` may be shared out to other browsers by copying."""

    base_url: str
    cookies: dict[str, str] = field(default_factory=dict)
    connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        # The server listens on 127.0.0.1 alone; asking the resolver for localhost would try ::1 first.
        self.connection = HTTPConnection("127.0.0.1", parts.port or 80, timeout=60)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Reply:
        """GET a path of the server, or an absolute address of it."""
        return self._ask("GET", path, None, headers or {})

    def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> Reply:
        """POST a form that is encoded already."""
        return self._ask("POST", path, body, {"Content-Type": FORM} | (headers or {}))

    def submit(self, path: str, fields: dict[str, str]) -> Reply:
        """POST fields as a form of the server's own page."""
        return self.post(path, urlencode(fields).encode(), {"Origin": self.base_url})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        headers = {"Host": urlsplit(self.base_url).netloc, "Accept-Language": "nl", **headers}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path.removeprefix(self.base_url), body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name.strip()] = value
        return Reply(answer.status, answer.headers.get("Location", ""), content, dict(answer.headers.items()))
