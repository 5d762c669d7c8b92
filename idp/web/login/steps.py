"""One page per step of a login, and what each is told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response, g, render_template

from idp.domain.certificates import CertificateFault
from idp.domain.decision import Granted, Option, Refused
from idp.domain.login import Step
from idp.services.authentication.credentials import Fault, Faulty, responder_of, username_of
from idp.services.authentication.login import Waiting, offers_to_keep
from idp.services.decision.conclusion import PERSONAL_ATTRIBUTES, dutch_day, service_of
from idp.services.second_factor.passkeys import question
from idp.services.work import Office
from idp.store.facts import Way
from idp.web.shell.errors import Trouble
from idp.web.shell.errors import page as error_page
from idp.web.shell.locale import spoken
from idp.web.shell.views import asked_view, organisation_view
from idp.web.texts import told as texts
from idp.web.texts.certificates import CERTIFICATE_TEXTS
from idp.web.texts.told import Problem

LOST = "/responder-kwijt"
_FIELDS = {
    Fault.WRONG_PASSWORD: "username",
    Fault.WRONG_CODE: "code",
    Fault.CODE_USED: "code",
    Fault.OUT_OF_STEP: "code",
}
# What was left out when a step comes back to itself.
_LEFT_OUT = {Step.CHOOSE: ("CHOOSE_ONE", "organisation-1"), Step.CONSENT: ("CONSENT_NEEDED", "attribute-1")}


def render_step(
    office: Office, waiting: Waiting, faulty: Faulty | None = None, typed: str = "", missed: bool = False
) -> Response:
    """The page of the step a login waits at; after something wrong with what was wrong, keeping what was typed.

    ``missed`` tells that a choice or a needed consent was left out.
    """
    login = waiting.login
    g.wished_locales = login.asked.locales
    if waiting.locked:
        return error_page(office, 403, "LOCKED", Trouble(login=login))
    context = _CONTEXTS[waiting.standing.step](office, waiting)
    page = render_template(
        f"login/{waiting.standing.step}.html",
        asked=asked_view(login.party, login.asked),
        minutes=_minutes_left(office, waiting),
        announced=service_of(login.party, login.asked).announced(dutch_day(office.clock.now())),
        problem=_problem(faulty, waiting, missed),
        **context | ({"username": typed} if typed else {}),
    )
    return Response(page, content_type="text/html; charset=utf-8")


def _password(office: Office, waiting: Waiting) -> dict[str, Any]:
    return {
        "login_id": waiting.login.id,
        "username": waiting.login.asked.login_hint,
        "offer_sso": offers_to_keep(office, waiting.login),
        "keep": waiting.login.progress.keep,
    }


def _code(office: Office, waiting: Waiting) -> dict[str, Any]:
    account = waiting.login.progress.account or ""
    responder = responder_of(office, account)
    return {
        "responder_label": responder.label if responder else None,
        "passkey": question(office, account, waiting.login.id),
        "has_responder": responder is not None,
        "digits": responder.digits if responder else 6,
        "lost": f"{LOST}?login={waiting.login.id}",
        "username": username_of(office, account),
    }


def _certificate(office: Office, waiting: Waiting) -> dict[str, Any]:
    return {"username": username_of(office, waiting.login.progress.account or "")}


def _choose(_office: Office, waiting: Waiting) -> dict[str, Any]:
    standing = waiting.standing
    granted = [one for one in standing.options if isinstance(one.decision, Granted)]
    refused = [one for one in standing.options if isinstance(one.decision, Refused)]
    return {
        "options": [_option(one, standing.ways[one.held.key]) for one in granted],
        "impossible": [_option(one, standing.ways[one.held.key]) for one in refused],
        "chosen": None,
    }


def _option(option: Option, way: Way) -> dict[str, Any]:
    branches = option.decision.branches if isinstance(option.decision, Granted) else option.held.registration.branches
    shown = organisation_view(way.principal, tuple(sorted(branches)), way.intermediaries)
    return {
        "key": option.held.key,
        "organisation": shown.organisation,
        "kvk": shown.kvk,
        "branches": shown.branches,
        "via": shown.via,
        "reasons": _reasons(option.decision) if isinstance(option.decision, Refused) else [],
    }


def _reasons(refused: Refused) -> list[Any]:
    return [texts.reason_view(one.reason, one.facts) for one in refused.objections]


def _consent(_office: Office, waiting: Waiting) -> dict[str, Any]:
    login, standing = waiting.login, waiting.standing
    declared = {one.name: one for one in service_of(login.party, login.asked).attributes}
    chosen = next(one for one in standing.options if isinstance(one.decision, Granted))
    key = login.progress.chosen or chosen.held.key
    return {
        "acting_for": standing.ways[key].principal.name,
        "foreign": login.progress.foreign,
        "attributes": [
            {
                "name": one.name,
                "label": texts.attribute_label(one.name),
                "value": None,
                "purpose": spoken(declared[one.name].purpose) if one.name in declared else "",
                "required": one.required,
                "checked": one.required,
            }
            for one in login.asked.attributes
            if one.name in PERSONAL_ATTRIBUTES
        ],
    }


def _refused(_office: Office, waiting: Waiting) -> dict[str, Any]:
    refused = waiting.standing.refused or Refused(())
    shown = refused.visible()
    view = texts.refusal_view(shown, waiting.login.asked.level.label)
    # The way to another responder comes back to this login.
    here = f"{LOST}?login={waiting.login.id}"
    remedies = tuple(replace(one, href=here) if one.href == LOST else one for one in view.remedies)
    return {
        "refusal": replace(view, remedies=remedies),
        "reference": waiting.login.reference,
        # What is told before anyone is known is true of every account.
        "can_restart": waiting.login.progress.account is not None,
    }


_CONTEXTS: dict[Step, Callable[[Office, Waiting], dict[str, Any]]] = {
    Step.PASSWORD: _password,
    Step.CODE: _code,
    Step.CERTIFICATE: _certificate,
    Step.CHOOSE: _choose,
    Step.CONSENT: _consent,
    Step.REFUSED: _refused,
}


def _problem(faulty: Faulty | None, waiting: Waiting, missed: bool) -> Problem | None:
    if missed and waiting.standing.step in _LEFT_OUT:
        code, field = _LEFT_OUT[waiting.standing.step]
        return texts.problem(code, field=field)
    if waiting.login.restarted:
        return texts.problem("L07", service=asked_view(waiting.login.party, waiting.login.asked).service_name)
    if faulty is None:
        return None
    time = texts.hour(faulty.until) if faulty.until else ""
    left = "" if faulty.left is None else str(faulty.left)
    reason = str(CERTIFICATE_TEXTS[CertificateFault(faulty.why)]) if faulty.why else ""
    return texts.problem(faulty.fault, field=_FIELDS.get(faulty.fault), time=time, left=left, reason=reason)


def _minutes_left(office: Office, waiting: Waiting) -> int:
    return max(int((waiting.login.expires_at - office.clock.now()).total_seconds() // 60), 1)
