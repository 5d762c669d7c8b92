"""Which language a page speaks: what the person chose, what the service asked, what the browser prefers, Dutch."""

from babel.support import Translations
from flask import Flask, Response, current_app, g, has_app_context, has_request_context, request
from flask_babel import Babel
from markupsafe import Markup

LANGUAGES = ("nl", "en")
_COOKIE = "LANGUAGE_COOKIE_NAME"
_A_YEAR = 365 * 24 * 3600


def install(app: Flask, translations: str, secure: bool) -> None:
    """Choose a language per request, and keep a choice made with ``?lang=`` (features D.1, SEC-33)."""
    cookie = app.config[_COOKIE] = "__Host-idp-lang" if secure else "idp-lang"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = translations
    app.config["BABEL_DEFAULT_LOCALE"] = "nl"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Europe/Amsterdam"
    Babel(app, locale_selector=choose)
    _install_words(app, translations)

    @app.after_request
    def _keep(response: Response) -> Response:
        # The query is only taken apart where it may hold a choice: most requests come from relying parties.
        asked = request.args.get("lang", "") if b"lang=" in request.query_string else ""
        if asked in LANGUAGES:
            response.set_cookie(cookie, asked, max_age=_A_YEAR, path="/", secure=secure, httponly=True, samesite="Lax")
        return response


def _install_words(app: Flask, folder: str) -> None:
    """Templates find their words in catalogues that are read once; Flask-Babel asks for its context at every word.

    Texts of ours are trusted, the values put into them are escaped.
    """
    catalogues = {language: Translations.load(folder, [language]) for language in LANGUAGES}

    def say(text: str, **values: object) -> Markup:
        return Markup(catalogues[current()].gettext(text)) % values  # noqa: S704  # the text is of a template of ours

    app.jinja_env.globals["_"] = say


def choose() -> str:
    """The language of this request."""
    wished: tuple[str, ...] = g.get("wished_locales", ())
    for wish in (request.args.get("lang"), request.cookies.get(current_app.config[_COOKIE]), *wished):
        if wish and wish[:2].lower() in LANGUAGES:
            return wish[:2].lower()
    return request.accept_languages.best_match(LANGUAGES, "nl") or "nl"


def current() -> str:
    """``nl`` or ``en``, as the page in hand is rendered; found once per request, because every text asks."""
    if not has_app_context():
        return LANGUAGES[0]
    language: str | None = g.get("language")
    if language is None:
        language = g.language = choose() if has_request_context() else LANGUAGES[0]
    return language


def spoken(texts: dict[str, str]) -> str:
    """The text of a name that exists per language."""
    return texts.get(current()) or texts.get("nl") or next(iter(texts.values()), "")
