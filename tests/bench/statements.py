"""How many requests and SQL statements a flow takes, counted on the product under a counting wrapper."""

from urllib.parse import urlsplit

from tests.bench.http import Browser, Reply
from tests.bench.server import ONE_WORKER, start_wsgi
from tests.bench.site import Site

HEADER = "x-statements"
_WARM = 3


class Counting(Browser):
    """A browser that adds up what the wrapper tells."""

    requests: int = 0
    statements: int = 0

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        reply = super()._ask(method, path, body, headers)
        self.requests += 1
        self.statements += int(reply.headers.get(HEADER, "0"))
        return reply


def count(site: Site, names: list[str]) -> dict[str, tuple[int, int]]:
    """Requests and statements per flow, by name; the site's own server is stopped and its folder served counted."""
    folder, port = site.server.folder, urlsplit(site.server.base_url).port
    site.server.stop()
    config = {"IDP_CONFIG": str(folder / "config.toml")} | ONE_WORKER
    counted = start_wsgi("tests.bench.counted:wsgi", folder, config, port)
    try:
        flows = site.workloads()
        return {name: _one(site, flows[name]) for name in names}
    finally:
        counted.stop()


def _one(site: Site, flow) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    browser = Counting(site.server.base_url, dict(site.cookies))
    for _ in range(_WARM):
        browser.requests = browser.statements = 0
        flow.run(browser, flow.prepare())
    return browser.requests, browser.statements
