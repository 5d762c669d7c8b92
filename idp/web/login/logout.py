"""The pages of a logout: our own way out, the visits to other services, and what became of it."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, g, render_template, request, url_for

from idp.domain.parties import Party
from idp.protocols.message import Answer, Document, HttpMessage, PostForm, Redirect
from idp.protocols.oidc.logout.front_channel import frames
from idp.protocols.oidc.logout.leaving import Leaving, read_leaving
from idp.protocols.saml.logout.chain import ADDRESS, Asker
from idp.protocols.saml.logout.single_logout import Logout, Onward, Over, Result
from idp.services.sessions.logout import Whose, log_out_by_hint, whose
from idp.services.tickets import Held, Purpose, issue, peek, redeem
from idp.services.work import Office
from idp.web.shell.cookies import Cookies
from idp.web.shell.errors import page as error_page
from idp.web.shell.headers import allow_form_to, allow_frame_of
from idp.web.shell.http import outgoing, see_other
from idp.web.shell.locale import spoken
from idp.web.shell.views import WayBack

_MOST_NAMED = 20
_ASKED_LASTS = timedelta(minutes=15)
_ANYBODY = "browser"


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
        pages.get("/uitloggen/verzoek/<asked>", endpoint="asked")(self.confirm)
        pages.post("/uitloggen/verzoek/<asked>", endpoint="confirmed")(self.confirmed)
        pages.get("/uitloggen/<visit>", endpoint="visit")(self.visit)
        pages.post("/uitloggen/<visit>", endpoint="skip")(self.skip)
        return pages

    def arrive(self, message: HttpMessage) -> Response:
        """A LogoutRequest, or the answer to one of ours."""
        browser = self._cookies.read(request)
        return self._respond(self._logout.take(self._office, message, browser.session, self._office.clock.now()))

    @property
    def state_cookie(self) -> str:
        """The name of the cookie that tells a browser's session from another."""
        return self._cookies.state_name

    def asked(self, message: HttpMessage) -> Response:
        """An OpenID client asks for a logout: done at once for the person of its ID token, else the person is asked.

        Cookies may stay away from a form of another site, so such a request is looked at again by GET (RUL-18).
        """
        leaving, browser = read_leaving(self._office, message), self._cookies.read(request)
        person = self._whose(leaving, browser.session)
        if leaving.called is None or person is Whose.OTHER or (message.method == "POST" and person is Whose.NOBODY):
            with self._office.work("protocol") as work:
                secret = self._office.entropy.bytes(20).hex()
                issue(work, Purpose.LEAVING, secret, Held(_ANYBODY, leaving.remember(), _ASKED_LASTS))
            return see_other(url_for("logout.asked", asked=secret))
        return self._end(leaving, browser.session)

    def confirm(self, asked: str) -> Response:
        """The page that asks whether the person wants to log out, because a client asked for it without any proof."""
        leaving, browser = self._kept(asked), self._cookies.read(request)
        if leaving is None:
            return error_page(self._office, 410, "EXPIRED_PAGE")
        if leaving.called is not None and self._whose(leaving, browser.session) is not Whose.OTHER:
            return self._consume(asked, browser.session)
        g.wished_locales = tuple(leaving.locales.split())
        party = self._party(leaving.party)
        if leaving.location:
            allow_form_to(leaving.location)
        page = render_template("logout.html", asked_by=_name(party) if party is not None else None)
        return Response(page, content_type="text/html; charset=utf-8")

    def confirmed(self, asked: str) -> Response:
        """Log out because the person says so, and go where the client registered that it goes on."""
        return self._consume(asked, self._cookies.read(request).session)

    def _kept(self, asked: str) -> Leaving | None:
        with self._office.work("protocol") as work:
            found = peek(work, Purpose.LEAVING, asked[:64])
        return None if found is None else Leaving.recall(found[1])

    def _consume(self, asked: str, session: str) -> Response:
        with self._office.work("protocol") as work:
            found = redeem(work, Purpose.LEAVING, asked[:64], _ANYBODY)
        if found is None:
            return error_page(self._office, 410, "EXPIRED_PAGE")
        return self._end(Leaving.recall(found), session)

    def _whose(self, leaving: Leaving, session: str) -> Whose:
        with self._office.reading() as connection:
            return whose(self._office, connection, leaving.called, session)

    def _end(self, leaving: Leaving, session: str) -> Response:
        with self._office.work("person") as work:
            found = log_out_by_hint(work, leaving.called, session)
        asker = Asker(leaving.party, binding=ADDRESS, location=leaving.location)
        return self._respond(self._logout.tell(self._office, asker, found, self._office.clock.now()))

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
                response = see_other(url_for("logout.visit", visit=visit))
            case Over():
                response = self._over(result)
        # A cookie of a session that ended is of no use; one that lives on keeps its session.
        if isinstance(result, Onward) or result.chain.ended:
            self._cookies.forget_session(response)
        return response

    def _over(self, over: Over) -> Response:
        framed = frames(self._office, over.chain.clients)
        if isinstance(over.answer, Redirect) and not over.read_first and not framed:
            return outgoing(over.answer)
        for one in framed:
            allow_frame_of(one)
        asker = self._party(over.chain.asker.party)
        carried = None if over.answer is None else _carried(over.answer)
        if carried is not None:
            allow_form_to(carried.url)
        page = render_template(
            "logged-out.html",
            ended=over.chain.ended,
            services=self._names(over.chain.told),
            missed=self._names(over.chain.missed),
            noticed=self._names(tuple(one.party for one in over.chain.clients if one.party != over.chain.asker.party)),
            frames=framed,
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
