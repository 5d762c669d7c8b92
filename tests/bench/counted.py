"""The product as it is, with every answer telling how many SQL statements it took; for counting, not for timing."""

import threading
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Pool, event

from idp.app import wsgi as product
from tests.bench.statements import HEADER

_NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "--")


def wsgi() -> Any:
    """The product's application, counting what SQLite itself is told to run."""
    here = threading.local()

    def count(statement: str) -> None:
        if not statement.startswith(_NOT_COUNTED):
            here.number = getattr(here, "number", 0) + 1

    event.listen(Pool, "connect", lambda connection, _record: connection.set_trace_callback(count))
    application = product()

    def counted(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        here.number = 0

        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start(status, [*headers, (HEADER, str(here.number))], *rest)

        return application(environ, begin)

    return counted
