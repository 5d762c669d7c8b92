"""The pages and the interface of the laboratory."""

from flask import Blueprint

from idp.services.work import Office


def blueprint(office: Office) -> Blueprint:
    """Everything below /lab but the portals; exempt its ``lab.api_*`` endpoints from CSRF, Origin is checked here."""
    raise NotImplementedError
