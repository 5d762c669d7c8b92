"""The pages of the demo portals."""

from flask import Blueprint

from idp.lab.portals import Portal
from idp.services.work import Office


def blueprint(office: Office, portals: tuple[Portal, ...]) -> Blueprint:
    """Everything below /lab/portal; its ``acs`` endpoint receives cross-site posts."""
    raise NotImplementedError
