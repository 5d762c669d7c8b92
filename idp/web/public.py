"""Pages for anyone: the front page, the services, and what to do today for everything whose own page comes later."""

from flask import Blueprint, Response, jsonify, redirect, render_template

from idp.services.work import Office

# The addresses of old letters and bookmarks, kept for ever (F40).
ALIASES = {
    "/LoginHandler/nl/ForgotUsername/ForgotUsername": "/gebruikersnaam-vergeten",
    "/LoginHandler/nl/ForgotPassword/ForgotPassword": "/wachtwoord-vergeten",
    "/eh-aanmelden": "/activeren",
}


def blueprint(office: Office, topics: tuple[str, ...]) -> Blueprint:
    """The public pages; ``topics`` are the information pages by their path."""
    pages = Blueprint("public", __name__)

    @pages.get("/")
    def home() -> str:
        return render_template("public/home.html")

    @pages.get("/diensten")
    def services() -> str:
        return render_template("public/services.html", services=[_row(one) for one in office.directory.services()])

    @pages.get("/diensten.json")
    def services_json() -> Response:
        return jsonify(services=[_facts(one) for one in office.directory.services()])

    for old, new in ALIASES.items():
        pages.add_url_rule(old, endpoint=f"alias{new}", view_func=lambda new=new: redirect(new, 301))
    for topic in topics:
        view = _information(topic)
        pages.add_url_rule(topic, endpoint=f"info{topic}", view_func=view)
    return pages
