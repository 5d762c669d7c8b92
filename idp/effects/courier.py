"""Questions to the services of registered parties: few at a time and briefly, so that a slow one holds up nobody."""

from threading import BoundedSemaphore

from idp.effects.fetch import GuardedFetcher, Request
from idp.ports import Overloaded

_RETRY_AFTER = 2


class BackChannel:
    """Posts through the guarded fetcher; whoever comes while all places are taken is turned away (SEC-39)."""

    def __init__(self, fetcher: GuardedFetcher, at_once: int) -> None:
        self._fetcher = fetcher
        self._places = BoundedSemaphore(at_once)

    def post(self, url: str, content_type: str, body: bytes) -> bytes:
        """The answer with status 200; raises ``FetchFailed`` or ``Overloaded``."""
        if not self._places.acquire(blocking=False):
            raise Overloaded(_RETRY_AFTER)
        try:
            return self._fetcher.send(Request(url, {"Content-Type": content_type}, body)).octets
        finally:
            self._places.release()
