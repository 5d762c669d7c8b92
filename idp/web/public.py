"""Pages for anyone: the front page, the services, and what to do today where a page of its own comes later."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from idp.domain.assurance import Level
from idp.domain.parties import Service, behind
from idp.services.catalogue.loading import as_data
from idp.services.catalogue.portals import shown
from idp.services.decision.conclusion import dutch_day
from idp.services.work import Office
from idp.web.shell.locale import spoken

# The addresses of old letters and bookmarks, kept for ever (F40).
ALIASES = {
    "/LoginHandler/nl/ForgotUsername/ForgotUsername": "/gebruikersnaam-vergeten",
    "/LoginHandler/nl/ForgotPassword/ForgotPassword": "/wachtwoord-vergeten",
    "/eh-aanmelden": "/activeren",
    "/kantoor": "/beheer",
}


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service as the public list shows it (F03)."""

    slug: str
    name: str
    provider_name: str
    level_label: str
    description: str | None
    branches: bool
    chains: bool
    enforced_from: date | None
    announced: bool
    portal_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter of the public list: words to find, and the level of the means one has."""

    words: str
    level: str


def blueprint(office: Office, information: Path) -> Blueprint:
    """The public pages; ``information`` is the folder whose templates are named after their addresses (RUL-43)."""
    pages = Blueprint("public", __name__)
    pages.add_url_rule("/", endpoint="home", view_func=_template("public/home.html"))
    pages.add_url_rule("/diensten", endpoint="services", view_func=_list(office))
    pages.add_url_rule("/diensten.json", endpoint="services_json", view_func=_list_json(office))
    for file in sorted(information.glob("*.html")):
        view = _template(f"public/info/{file.name}")
        pages.add_url_rule(f"/{file.stem}", endpoint=f"info-{file.stem}", view_func=view)
    for old, new in ALIASES.items():
        pages.add_url_rule(old, endpoint=f"alias-{old.rsplit('/', 1)[1]}", view_func=_moved(new))
    return pages


def _template(name: str) -> Callable[[], str]:
    def show() -> str:
        return render_template(name)

    return show


def _moved(new: str) -> Callable[[], Answer]:
    def lead() -> Answer:
        return redirect(new, 301)

    return lead


def _list(office: Office) -> Callable[[], str]:
    def show() -> str:
        return _services(office)

    return show


def _list_json(office: Office) -> Callable[[], Response]:
    def show() -> Response:
        return jsonify(services=[as_data(one) for one in _listed(office)])

    return show


def _services(office: Office) -> str:
    today, listed = dutch_day(office.clock.now()), _listed(office)
    views = [_view(one, behind(one, listed), today) for one in listed]
    # Instances of a definition that read alike are one service to people; programs are told each.
    known = list({replace(one, slug=""): one for one in views}.values())
    wanted = Wanted(request.args.get("zoek", "")[:100].strip(), request.args.get("niveau", ""))
    labels = [level.label for level in Level]
    return render_template(
        "public/services.html",
        services=[one for one in known if _fits(one, wanted, labels)],
        total=len(known),
        levels=labels,
        wanted=wanted,
        json_url="/diensten.json",
    )


def _listed(office: Office) -> list[Service]:
    """The services that stand in lists for everyone (domain 5.2: IsPublic)."""
    return shown(office.directory.services())


def _fits(service: ServiceView, wanted: Wanted, labels: list[str]) -> bool:
    """Whether all words occur and the level one has is enough."""
    text = f"{service.name} {service.provider_name} {service.description or ''}".casefold()
    enough = wanted.level not in labels or labels.index(service.level_label) <= labels.index(wanted.level)
    return enough and all(word in text for word in wanted.words.casefold().split())


def _view(service: Service, led_to: Sequence[Service], today: date) -> ServiceView:
    return ServiceView(
        slug=service.slug,
        name=spoken(service.name),
        provider_name=spoken(service.provider.name),
        level_label=service.level.label,
        description=spoken(service.description) or None,
        branches=service.takes_restriction,
        chains=service.chains,
        enforced_from=service.enforced_from,
        announced=service.announced(today) is not None,
        portal_for=tuple(dict.fromkeys(spoken(one.name) for one in led_to)),
    )
