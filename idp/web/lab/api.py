"""The laboratory's interface for tests: personas, codes, mail, clock, reset (contract); JSON on loopback alone."""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest

from idp.lab.clock import BadTime, change, clock_of, shown
from idp.lab.inbox import Message, messages
from idp.lab.pocket import shown_code
from idp.lab.seed import reset
from idp.lab.world import Persona, World
from idp.services.work import Office
from idp.settings import is_local
from idp.web.shell.http import host_name


def blueprint(office: Office, world: World) -> Blueprint:
    """Everything below /lab/api. It is for programs and carries no form token; a foreign Origin is refused before."""
    interface = Blueprint("lab_api", __name__, url_prefix="/lab/api")
    answers = _Answers(office, world)
    interface.before_request(_local)
    interface.add_url_rule("/personas", view_func=answers.personas)
    interface.add_url_rule("/otp/<username>", view_func=answers.otp)
    interface.add_url_rule("/inbox", view_func=answers.inbox)
    interface.add_url_rule("/clock", view_func=answers.clock)
    interface.add_url_rule("/clock", view_func=answers.set_clock, methods=["PUT"])
    interface.add_url_rule("/reset", view_func=answers.reset, methods=["POST"])
    return interface


def _local() -> Response | None:
    """Known secrets are told on loopback and below .test alone (SEC-44)."""
    local = is_local(host_name())
    return None if local else _fault(403, "The laboratory answers on loopback and below .test only.")


class _Answers:
    """What each address answers."""

    def __init__(self, office: Office, world: World) -> None:
        self._office, self._world = office, world

    def personas(self) -> Response:
        """Every persona with what it is told at every service."""
        return jsonify([_persona(one, self._world) for one in self._world.personas])

    def otp(self, username: str) -> Response:
        """What a device shows now."""
        found = shown_code(self._office, username, self._world.clocks())
        if found is None:
            return _fault(404, f"There is no account {username[:64]} with a responder.")
        return jsonify(code=found.code, expires_in=found.expires_in)

    def inbox(self) -> Response:
        """What would have been sent, newest first."""
        return jsonify([_message(one) for one in messages(self._office)])

    def clock(self) -> Response:
        """The clock."""
        return jsonify(shown(clock_of(self._office)))

    def set_clock(self) -> Response:
        """Set the clock; every worker obeys before this answers (RUL-21)."""
        try:
            change(clock_of(self._office), request.get_json(force=True))
        except BadTime as error:
            return _fault(400, str(error))
        except (BadRequest, RecursionError):
            return _fault(400, "The body must be JSON.")
        return self.clock()

    def reset(self) -> Response:
        """Back to the seeded world."""
        reset(self._office)
        return jsonify(reset=True)


def _fault(status: int, sentence: str) -> Response:
    response = jsonify(error=sentence)
    response.status_code = status
    return response


def _persona(one: Persona, world: World) -> dict[str, Any]:
    responder = one.responder if one.responder is not None and one.responder.status == "assigned" else None
    return {
        "id": one.id,
        "name": one.person.name,
        "username": one.id,
        "password": one.password,
        "email": one.email,
        "responder": None
        if responder is None
        else {
            "serial": responder.serial,
            "secret": responder.secret,
            "algorithm": responder.algorithm,
            "digits": responder.digits,
            "period": responder.period,
        },
        "organisations": [_organisation(means.organisation, means.branch, world) for means in one.means],
        "expected": one.expected,
        "story": one.story,
        "shown_at": one.shown_at,
    }


def _organisation(name: str, branch: str | None, world: World) -> dict[str, Any]:
    organisation = world.organisation(name)
    return {"kvk": organisation.kvk, "branch": branch, "name": organisation.name}


def _message(one: Message) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "to": one.to,
        "subject": one.subject,
        "text": one.text,
        "links": list(one.links),
        "codes": list(one.codes),
        "sent_at": one.sent_at.isoformat(),
    }
