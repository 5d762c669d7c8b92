"""Where to answer: an AssertionConsumerService of the metadata, never an address of the message alone (SEC-14)."""

from idp.protocols.message import BadRequest
from idp.protocols.saml.metadata.sp_metadata import ANSWERABLE, Consumer
from idp.protocols.saml.request.read import Verified


def asked_consumer(verified: Verified) -> Consumer:
    """The place a request names by index, or by address and binding, or leaves open; ``BadRequest`` P03 otherwise."""
    request, consumers = verified.request, verified.metadata.consumers
    named = request.consumer_index is not None
    if named and verified.strict and (request.consumer_url is not None or request.binding is not None):
        raise _unknown(verified, "an index without address and binding")
    fitting = [
        one
        for one in consumers
        if (request.consumer_index is None or one.index == request.consumer_index)
        and (request.consumer_url is None or one.location == request.consumer_url)
        and (request.binding is None or one.binding == request.binding)
    ]
    if not named and request.consumer_url is None and request.binding is None:
        fitting = [verified.metadata.default_consumer] if verified.metadata.default_consumer else []
    if not fitting:
        raise _unknown(verified, ", ".join(f"{one.index}: {one.location}" for one in consumers[:5]))
    preferred = [one for one in fitting if one.binding in ANSWERABLE] or fitting
    return next((one for one in preferred if one.default), preferred[0])


def reply_consumer(verified: Verified, asked: Consumer) -> Consumer:
    """The asked place, or the default one when its binding is none we answer by; ``BadRequest`` P06 without any."""
    if asked.binding in ANSWERABLE:
        return asked
    if verified.metadata.default_consumer is None:
        raise BadRequest("P06", {"field": "binding", "expected": ", ".join(ANSWERABLE), "received": asked.binding})
    return verified.metadata.default_consumer


def _unknown(verified: Verified, expected: str) -> BadRequest:
    request = verified.request
    asked = {
        "AssertionConsumerServiceIndex": request.consumer_index,
        "AssertionConsumerServiceURL": request.consumer_url,
        "ProtocolBinding": request.binding,
    }
    received = ", ".join(f"{name} {value}" for name, value in asked.items() if value is not None)
    field = "AssertionConsumerService"
    return BadRequest("P03", {"field": field, "expected": expected[:500], "received": received[:500] or "none"})
