"""The pages of a login: one dispatcher, one template per step."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from flask import Blueprint, Response, g, request, url_for
from werkzeug.datastructures import MultiDict

from idp.domain.assertion import Assertion, Outcome
from idp.domain.login import Progress, Step
from idp.protocols.message import Answer, Codec, Incoming, PostForm
from idp.services.authentication import certificates, credentials
from idp.services.authentication import login as logins
from idp.services.authentication.certificates import Errand
from idp.services.authentication.credentials import Attempt, Fault, Faulty
from idp.services.authentication.login import Browser, Concluded, Gone, Missing, Result, Visit, Waiting
from idp.services.decision.conclusion import PERSONAL_ATTRIBUTES
from idp.services.second_factor import passkeys
from idp.services.work import Office, Work
from idp.web.login.answer_page import AnswerPages
from idp.web.login.certificates import PATH as LISTENER
from idp.web.login.steps import render_step
from idp.web.shell.cookies import Cookies
from idp.web.shell.errors import Trouble
from idp.web.shell.errors import page as error_page
from idp.web.shell.headers import allow_form_to
from idp.web.shell.http import outgoing, posting, see_other, source, wait_until
from idp.web.shell.views import acting_for, asked_view, outcome_name

_LONGEST_KEY = 200
Codecs = Mapping[str, Codec]
Form = MultiDict[str, str]


class LoginViews:
    """What the browser of a person asks of a login."""

    def __init__(self, office: Office, codecs: Codecs, cookies: Cookies) -> None:
        self._office, self._codecs, self._cookies = office, codecs, cookies
        self._answers = AnswerPages()

    def blueprint(self) -> Blueprint:
        """The addresses of a login."""
        pages = Blueprint("login", __name__)
        pages.get("/login/<login_id>", endpoint="show")(self.show)
        pages.post("/login/<login_id>", endpoint="step")(self.step)
        return pages

    def arrive(self, incoming: Incoming) -> Response:
        """A request of a relying party: answered at once, or led to its first page (RUL-18)."""
        browser = self._cookies.read(request)
        known = bool(browser.id or browser.session)
        bounce = request.method == "POST" and not known
        if not browser.id and not bounce:
            browser = self._cookies.new_browser(browser.session)
        result = logins.begin(self._office, incoming, self._visit(browser), bounce)
        response = self._respond(result, browser)
        if not bounce:
            self._cookies.bind(response, browser)
        return response

    def show(self, login_id: str) -> Response:
        """The page of the step that a login is at."""
        browser = self._cookies.read(request)
        had_cookie = bool(browser.id)
        if not had_cookie:
            browser = self._cookies.new_browser(browser.session)
        shown = request.args.get("bewijs", "")
        if shown:
            return self._after_listener(Attempt(login_id, self._visit(browser), source()), shown, had_cookie)
        result = logins.look(self._office, login_id, self._visit(browser))
        if isinstance(result, Missing):
            return self._missing(result, had_cookie)
        response = self._page(result) if isinstance(result, Waiting) else self._respond(result, browser)
        if not had_cookie:
            self._cookies.bind(response, browser)
        return response

    def step(self, login_id: str) -> Response:
        """What the person filled in at a step."""
        browser = self._cookies.read(request)
        act = self._acts().get(request.form.get("step", ""))
        if act is None:
            return see_other(url_for("login.show", login_id=login_id))
        result = act(Attempt(login_id, self._visit(browser), source()), request.form)
        if isinstance(result, Errand):
            where = self._office.settings.server.certificate_url
            return see_other(f"{where}{LISTENER}/{result.secret}")
        if isinstance(result, Faulty):
            return self._faulty(result)
        if isinstance(result, Missing):
            return self._missing(result, bool(browser.id))
        if isinstance(result, Waiting) and result.standing.step == request.form.get("step"):
            # Still at the same step: something was left out.
            response = self._page(result, missed=True)
            response.status_code = 422
            return response
        return self._respond(result, browser)

    def _acts(self) -> dict[str, Callable[[Attempt, Form], Result | Faulty | Errand]]:
        return {
            Step.PASSWORD: self._password,
            Step.CODE: self._code,
            "passkey": lambda tried, form: passkeys.prove(self._office, tried, form.get("answer", "")),
            Step.CERTIFICATE: lambda tried, _form: certificates.send(self._office, tried),
            Step.CHOOSE: lambda tried, form: self._change(tried, partial(_choose, form.get("organisation", ""))),
            Step.CONSENT: lambda tried, form: self._change(tried, partial(_consent, form.getlist("attribute"))),
            "cancel": lambda tried, _form: self._change(tried, lambda progress: replace(progress, cancelled=True)),
            "restart": lambda tried, _form: self._change(tried, lambda _progress: Progress()),
            "return": lambda tried, _form: logins.leave(self._office, tried.login_id, tried.visit),
        }

    def _password(self, tried: Attempt, form: Form) -> Result | Faulty:
        keep = form.get("keep") == "yes"
        given = form.get("username", ""), form.get("password", "")
        return credentials.identify(self._office, tried, *given, keep)

    def _code(self, tried: Attempt, form: Form) -> Result | Faulty:
        # People read codes in groups; the spaces are theirs, not the code's.
        code = form.get("code", "").replace(" ", "")
        return credentials.prove(self._office, tried, code)

    def _change(self, tried: Attempt, change: Callable[[Progress], Progress]) -> Result:
        return logins.step(self._office, tried.login_id, tried.visit, change)

    def _after_listener(self, tried: Attempt, shown: str, had_cookie: bool) -> Response:
        """What came of showing a certificate; the address is left behind, as its ticket is used."""
        result = certificates.prove(self._office, tried, shown[:64])
        if isinstance(result, Faulty):
            return self._faulty(result)
        if isinstance(result, Missing):
            return self._missing(result, had_cookie)
        return self._respond(result, tried.visit.browser)

    def _visit(self, browser: Browser) -> Visit:
        return Visit(browser, self._record)

    def _record(self, work: Work, incoming: Incoming, outcome: Outcome) -> str:
        return self._codecs[incoming.asked.protocol].record(work, incoming, outcome)

    def _respond(self, result: Result, browser: Browser) -> Response:
        match result:
            case Waiting(login):
                return see_other(url_for("login.show", login_id=login.id))
            case Missing():
                return self._missing(result, bool(browser.id))
            case Concluded(incoming, outcome, recorded, secret):
                g.wished_locales = incoming.asked.locales
                now = self._office.clock.now()
                codec = self._codecs[incoming.asked.protocol]
                answer = codec.answer(self._office, incoming, outcome, recorded, now)
                response = self._carry(answer, incoming, outcome)
                if secret is not None:
                    self._cookies.keep_session(response, secret)
                if isinstance(outcome, Assertion):
                    self._cookies.tell_state(response, outcome.session)
                    self._cookies.know(response, request, outcome.basis.account)
                return response

    def _carry(self, answer: Answer, incoming: Incoming, outcome: Outcome) -> Response:
        if not isinstance(answer, PostForm):
            return outgoing(answer)
        asked = asked_view(incoming.party, incoming.asked)
        return posting(answer.action, self._answers.page(answer, asked, outcome_name(outcome), acting_for(outcome)))

    def _faulty(self, faulty: Faulty) -> Response:
        statuses = {Fault.DELAYED: 429, Fault.LOCKED: 403}
        waiting = self._at(faulty)
        if waiting.standing.step is Step.ANSWER:
            # What was missing has come in meanwhile: the next look ends the login.
            return see_other(url_for("login.show", login_id=faulty.login.id))
        response = self._page(waiting, faulty)
        response.status_code = statuses.get(faulty.fault, 422)
        if faulty.until is not None:
            wait_until(response, faulty.until, self._office.clock.now())
        return response

    def _page(self, waiting: Waiting, faulty: Faulty | None = None, missed: bool = False) -> Response:
        asked = waiting.login.asked
        allow_form_to(self._codecs[asked.protocol].destination(asked))
        if waiting.standing.step is Step.CERTIFICATE:
            allow_form_to(self._office.settings.server.certificate_url)
        typed = request.form.get("username", "") if faulty else ""
        return render_step(self._office, waiting, faulty, typed, missed)

    def _at(self, faulty: Faulty) -> Waiting:
        standing = logins.standing_of(self._office, faulty.login)
        return Waiting(faulty.login, standing, faulty.fault is Fault.LOCKED)

    def _missing(self, missing: Missing, had_cookie: bool) -> Response:
        if missing.why is Gone.REPLAYED:
            return error_page(self._office, 400, "P05")
        if missing.why is Gone.UNKNOWN:
            return error_page(self._office, 404, "EXPIRED_PAGE")
        if missing.why is Gone.ELSEWHERE and not had_cookie:
            return error_page(self._office, 400, "NO_COOKIES")
        return error_page(self._office, 410, "EXPIRED_PAGE", Trouble(login=missing.login))


def _choose(key: str, progress: Progress) -> Progress:
    return replace(progress, chosen=key[:_LONGEST_KEY] or None)


def _consent(names: list[str], progress: Progress) -> Progress:
    return replace(progress, consented=frozenset(names) & PERSONAL_ATTRIBUTES.keys())
