"""Questions to the services of registered parties: few at a time and briefly, so that a slow one holds up nobody."""

from threading import BoundedSemaphore

from idp.effects.fetch import GuardedFetcher, Request
from idp.ports import Fetched, Overloaded

_RETRY_AFTER = 2


class BackChannel:
    """Asks through the guarded fetcher; whoever comes while all places are taken is turned away (SEC-39)."""

    def __init__(self, fetcher: GuardedFetcher, at_once: int) -> None:
        self._fetcher = fetcher
        self._places = BoundedSemaphore(at_once)

    def post(self, url: str, content_type: str, body: bytes) -> bytes:
        """The answer with status 200; raises ``FetchFailed`` or ``Overloaded``."""
        return self._send(Request(url, {"Content-Type": content_type}, body)).octets

    def get(self, url: str) -> Fetched:
        """The document at an address; raises ``FetchFailed`` or ``Overloaded``."""
        return self._send(Request(url))

    def _send(self, request: Request) -> Fetched:
        if not self._places.acquire(blocking=False):
            raise Overloaded(_RETRY_AFTER)
        try:
            return self._fetcher.send(request)
        finally:
            self._places.release()
