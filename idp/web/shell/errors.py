"""The only place where something that went wrong becomes a page: one reference, one template (SEC-2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from flask import Flask, Response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from idp.domain.audit import Event
from idp.ports import Overloaded
from idp.protocols.message import Answered, BadRequest
from idp.services.decision.logins import Login, new_reference
from idp.services.work import Office
from idp.web.shell.http import outgoing
from idp.web.shell.views import WayBack, asked_view, way_back
from idp.web.texts.told import problem

log = structlog.get_logger("idp.error")


def install(app: Flask, office: Office) -> None:
    """Turn every exception into a page that tells nothing of our inside."""
    handlers: dict[type[Exception], Callable[[Office, Any], Response]] = {
        BadRequest: _bad_request,
        Answered: _answered,
        CSRFError: _forged_or_stale,
        Overloaded: lambda office, error: _busy(office, error.retry_after),
        PoolTimeout: lambda office, _error: _busy(office, 2),
        OperationalError: _database,
        HTTPException: _http,
        Exception: _fault,
    }
    for kind, handler in handlers.items():
        app.register_error_handler(kind, partial(handler, office))


# Messages in the name of a party we know are on record; garbage of anyone is in the log alone, which may be cut.
_ON_RECORD = frozenset({"P02", "P03", "P05"})


def note_refusal(office: Office, error: BadRequest) -> str:
    """Log a message that is not answered, and record it where its sender is known; answers the reference."""
    reference = new_reference(office)
    log.warning("message refused", code=error.code, reference=reference, facts=error.facts, private=error.private)
    if error.code in _ON_RECORD:
        with office.work("protocol") as work:
            work.record(Event.MESSAGE_REFUSED, reference=reference, code=error.code)
    return reference


def _bad_request(office: Office, error: BadRequest) -> Response:
    try:
        reference = note_refusal(office, error)
    except (OperationalError, PoolTimeout) as away:
        return _database(office, away)
    return page(office, 400, error.code, Trouble(reference, error.facts))


def _answered(office: Office, error: Answered) -> Response:
    log.warning("message answered with a fault", code=error.code, reference=new_reference(office), facts=error.facts)
    return outgoing(error.answer)


def _forged_or_stale(office: Office, _error: CSRFError) -> Response:
    # A stale form leads back to its page, or to the login that is still under way.
    readable = request.url_rule is not None and "GET" in (request.url_rule.methods or ())
    leads = readable or request.endpoint == "login.step"
    here = WayBack(office.settings.brand.name, request.full_path.rstrip("?")) if leads else None
    return page(office, 400, "EXPIRED_PAGE" if request.cookies else "NO_COOKIES", Trouble(back=here))


def _database(office: Office, error: OperationalError | PoolTimeout) -> Response:
    return _busy(office, 5, f"database unavailable: {type(error).__name__}")


def _http(office: Office, error: HTTPException) -> Response:
    response = page(office, error.code or 500, f"HTTP_{error.code}")
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def _fault(office: Office, error: Exception) -> Response:
    reference = new_reference(office)
    log.exception("internal fault", reference=reference, error=type(error).__name__)
    return page(office, 500, "INTERNAL", Trouble(reference))


def _busy(office: Office, seconds: int, why: str = "overloaded") -> Response:
    reference = new_reference(office)
    log.error(why, reference=reference)
    response = page(office, 503, "OVERLOADED", Trouble(reference))
    response.headers["Retry-After"] = str(seconds)
    return response


@dataclass(frozen=True, slots=True)
class Trouble:
    """What more is known of an error: its reference, facts for a developer, and the login it struck."""

    reference: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    login: Login | None = None
    back: WayBack | None = None


def page(office: Office, status: int, code: str, trouble: Trouble | None = None) -> Response:
    """The error page: what happened, what to do, the way back to the service, and the reference."""
    trouble = trouble or Trouble()
    login = trouble.login
    reference = trouble.reference or (login.reference if login else new_reference(office))
    log.info("error page", code=code, status=status, reference=reference)
    body = render_template(
        "error.html",
        error=problem(code),
        error_code=code,
        reference=reference,
        asked=asked_view(login.party, login.asked) if login else None,
        back=way_back(login) if login else trouble.back,
        details=_details(trouble.facts) if office.settings.lab.enabled else [],
    )
    return Response(body, status, content_type="text/html; charset=utf-8")


def _details(facts: Mapping[str, str]) -> list[dict[str, str]]:
    """What was expected and received, for a developer; these two are a pair, every other fact stands alone."""
    rest = {name: value for name, value in facts.items() if name not in ("expected", "received")}
    pair = {"label": "", "expected": facts.get("expected", ""), "received": facts.get("received", "")}
    alone = [{"label": name, "expected": "", "received": value} for name, value in rest.items()]
    return ([pair] if pair["expected"] or pair["received"] else []) + alone
