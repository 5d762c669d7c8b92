"""Which language a page speaks: what the person chose, what the service asked, what the browser prefers, Dutch."""

from flask import Flask, Response, g, request
from flask_babel import Babel, get_locale

LANGUAGES = ("nl", "en")
_COOKIE = "idp-lang"
_A_YEAR = 365 * 24 * 3600


def install(app: Flask, translations: str, secure: bool) -> None:
    """Choose a language per request, and keep a choice made with ``?lang=`` (features D.1)."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = translations
    app.config["BABEL_DEFAULT_LOCALE"] = "nl"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Europe/Amsterdam"
    Babel(app, locale_selector=choose)

    @app.after_request
    def _keep(response: Response) -> Response:
        asked = request.args.get("lang", "")
        if asked in LANGUAGES:
            response.set_cookie(_COOKIE, asked, max_age=_A_YEAR, path="/", secure=secure, httponly=True, samesite="Lax")
        return response


def choose() -> str:
    """The language of this request."""
    for wish in (request.args.get("lang"), request.cookies.get(_COOKIE), *getattr(g, "wished_locales", ())):
        if wish and wish[:2].lower() in LANGUAGES:
            return wish[:2].lower()
    return request.accept_languages.best_match(LANGUAGES, "nl") or "nl"


def current() -> str:
    """``nl`` or ``en``, as the page in hand is rendered."""
    return str(get_locale() or "nl")[:2]


def spoken(texts: dict[str, str]) -> str:
    """The text of a name that exists per language."""
    return texts.get(current()) or texts.get("nl") or next(iter(texts.values()), "")
