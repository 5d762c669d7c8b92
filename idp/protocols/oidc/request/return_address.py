"""Where an answer of the authorization endpoint goes, and in which form it travels (RFC 9207, JARM)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from idp.domain.parties import Party
from idp.protocols.message import Answer, PostForm, Redirect
from idp.protocols.oidc.client.client import client_of
from idp.protocols.oidc.client.profiles import rules_of
from idp.protocols.oidc.endpoints import issuer
from idp.protocols.oidc.jose.jwe import encrypted_for
from idp.protocols.oidc.jose.jws import sign
from idp.services.work import Office

# A signed answer need not outlive the code in it by much (JARM 4.1 allows ten minutes).
_SIGNED_FOR: Final = timedelta(minutes=2)

Told = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where an answer goes, how, and what every answer there repeats; ``seal`` makes one token of it."""

    uri: str
    mode: str
    state: str
    issuer: str
    seal: Callable[[Told], str]

    def carry(self, told: Told) -> Answer:
        """The answer, with its state and our issuer."""
        state = {"state": self.state} if self.state else {}
        return RESPONSE_MODES[self.mode](self, {**told, **state, "iss": self.issuer})


def return_address(office: Office, party: Party, asked: Told, now: datetime) -> ReturnAddress:
    """The address in ``redirect_uri``, which is certain, with the ``mode`` and ``state`` asked."""
    mode = asked["mode"] if asked["mode"] in RESPONSE_MODES else "query"

    def seal(told: Told) -> str:
        client, ends = office.directory.parsed(party, client_of), int((now + _SIGNED_FOR).timestamp())
        # As registered, or the first that the profile has (JARM 3; RS256 in standard).
        algorithm = client.answer_algorithm or rules_of(party).algorithms[0]
        signed = sign(office.keys, algorithm, {**told, "aud": party.identity, "exp": ends})
        return encrypted_for(client.tokens.answer_encryption, signed)

    return ReturnAddress(asked["redirect_uri"], mode, asked["state"], issuer(office), seal)


def _in_query(uri: str, told: Told) -> Answer:
    joint = "&" if urlsplit(uri).query else "?"
    return Redirect(uri + joint + urlencode(told, quote_via=quote))


def _query_token(where: ReturnAddress, told: Told) -> Answer:
    return _in_query(where.uri, {"response": where.seal(told)})


def _form_token(where: ReturnAddress, told: Told) -> Answer:
    return PostForm(where.uri, {"response": where.seal(told)})


RESPONSE_MODES: Final[Mapping[str, Callable[[ReturnAddress, Told], Answer]]] = {
    "query": lambda where, told: _in_query(where.uri, told),
    "form_post": lambda where, told: PostForm(where.uri, told),
    # For the code flow, jwt means the query (JARM 2.3.4).
    "jwt": _query_token,
    "query.jwt": _query_token,
    "form_post.jwt": _form_token,
}
