"""The pages of a logout: our own way out, the visits to other services, and what became of it."""

from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request, url_for

from idp.domain.parties import Party
from idp.protocols.message import Answer, Document, HttpMessage, PostForm, Redirect
from idp.protocols.saml.logout import Logout, Onward, Over, Result
from idp.services.work import Office
from idp.web.cookies import Cookies
from idp.web.errors import page as error_page
from idp.web.headers import allow_form_to
from idp.web.http import outgoing
from idp.web.locale import spoken
from idp.web.views import WayBack

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Carried:
    """How a page leads on: a form with fields, or a plain address without any."""

    url: str
    fields: tuple[tuple[str, str], ...] | None


class LogoutViews:
    """What a browser asks of a logout."""

    def __init__(self, office: Office, logout: Logout, cookies: Cookies) -> None:
        self._office, self._logout, self._cookies = office, logout, cookies

    def blueprint(self) -> Blueprint:
        """The addresses of a logout that are ours alone; their forms carry a token (SEC-33)."""
        pages = Blueprint("logout", __name__)
        pages.get("/uitloggen", endpoint="ask")(self.ask)
        pages.post("/uitloggen", endpoint="leave")(self.leave)
        pages.get("/uitloggen/<visit>", endpoint="visit")(self.visit)
        pages.post("/uitloggen/<visit>", endpoint="skip")(self.skip)
        return pages

    def arrive(self, message: HttpMessage) -> Response:
        """A LogoutRequest, or the answer to one of ours."""
        browser = self._cookies.read(request)
        return self._respond(self._logout.take(self._office, message, browser.session, self._office.clock.now()))

    def ask(self) -> str:
        """The page that asks whether the person wants to log out."""
        return render_template("logout.html")

    def leave(self) -> Response:
        """Log out because the person says so."""
        browser = self._cookies.read(request)
        return self._respond(self._logout.leave(self._office, browser.session, self._office.clock.now()))

    def visit(self, visit: str) -> Response:
        """The page that leads past one more service; its form goes by itself, and there is a way around it."""
        found = self._logout.visit(self._office, visit[:64], self._office.clock.now())
        if found is None:
            return error_page(self._office, 410, "EXPIRED_PAGE")
        carried = _carried(found.answer)
        # A chain of redirects begins at the form, and may end at whoever asked for the logout.
        for address in (carried.url, found.chain.asker.location):
            allow_form_to(address)
        page = render_template(
            "logout-visit.html", service=_name(found.party), carried=carried, more=len(found.chain.left) - 1
        )
        return Response(page, content_type="text/html; charset=utf-8")

    def skip(self, visit: str) -> Response:
        """Go on without this service."""
        result = self._logout.skip(self._office, visit[:64], self._office.clock.now())
        return error_page(self._office, 410, "EXPIRED_PAGE") if result is None else self._respond(result)

    def _respond(self, result: Result) -> Response:
        match result:
            case Document():
                return outgoing(result)
            case Onward(visit):
                response = redirect(url_for("logout.visit", visit=visit), 303)
            case Over():
                response = self._over(result)
        # A cookie of a session that ended is of no use; one that lives on keeps its session.
        if isinstance(result, Onward) or result.chain.ended:
            self._cookies.forget_session(response)  # type: ignore[arg-type]  # werkzeug's redirect is Flask's here
        return response  # type: ignore[return-value]

    def _over(self, over: Over) -> Response:
        if isinstance(over.answer, Redirect) and not over.read_first:
            return outgoing(over.answer)
        asker = self._party(over.chain.asker.party)
        carried = None if over.answer is None else _carried(over.answer)
        if carried is not None:
            allow_form_to(carried.url)
        page = render_template(
            "logged-out.html",
            ended=over.chain.ended,
            services=self._names(over.chain.told),
            missed=self._names(over.chain.missed),
            back=_way_back(asker),
            asked_by=_name(asker) if asker is not None else None,
            carried=carried,
            at_once=not over.read_first,
        )
        return Response(page, content_type="text/html; charset=utf-8")

    def _party(self, party: str) -> Party | None:
        return self._office.directory.party_by_id(party) if party else None

    def _names(self, parties: tuple[str, ...]) -> list[str]:
        known = [found for one in parties[:_MOST_NAMED] if (found := self._party(one)) is not None]
        return list(dict.fromkeys(map(_name, known)))


def _name(party: Party) -> str:
    return spoken(party.provider.name)


def _way_back(party: Party | None) -> WayBack | None:
    """The service of whoever asked, when the catalogue knows its address."""
    if party is None or not party.default_service.url:
        return None
    return WayBack(_name(party), party.default_service.url)


def _carried(answer: Answer) -> Carried:
    match answer:
        case PostForm(action, fields):
            return Carried(action, tuple(fields.items()))
        case Redirect(location):
            return Carried(location, None)
        case Document():
            raise TypeError("a browser carries forms and addresses alone")
