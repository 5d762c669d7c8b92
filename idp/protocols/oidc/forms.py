"""The form that a client posts to an endpoint of ours."""

from typing import Final

from idp.protocols.message import HttpMessage
from idp.protocols.oidc.faults import BackChannelFault
from idp.protocols.oidc.parameters import Malformed, Parameters, complaint_of, read_form

_LARGEST: Final = 64 * 1024


def client_form(message: HttpMessage) -> Parameters:
    """The parameters of a form, each once, none in the address; raises ``BackChannelFault`` (SEC-3, SEC-4)."""
    if message.method != "POST":
        raise BackChannelFault("P10", "invalid_request", "The method must be POST.", 405, {"Allow": "POST"})
    if message.query:
        raise BackChannelFault("P10", "invalid_request", "Parameters belong in the body, not in the address.")
    if len(message.body) > _LARGEST:
        raise BackChannelFault("P10", "invalid_request", "The body is too large.", 413)
    try:
        parameters = read_form(message.content_type, message.body)
    except Malformed as malformed:
        raise BackChannelFault("P10", "invalid_request", str(malformed)) from None
    if parameters.faults:
        raise BackChannelFault("P10", "invalid_request", complaint_of(parameters.faults))
    return parameters


def required(parameters: Parameters, name: str) -> str:
    """A parameter that must be there; raises ``BackChannelFault``."""
    value = parameters.get(name)
    if not value:
        raise BackChannelFault("P10", "invalid_request", f"The parameter {name} is missing.")
    return value
