"""How a Response reaches the relying party: in a form, or as an artifact for which it is kept (domain 3.7)."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from idp.domain.audit import Event
from idp.domain.parties import Party
from idp.protocols.message import Answer, PostForm, Redirect
from idp.protocols.saml.dialects import artifact_index, names
from idp.protocols.saml.reply import Reply
from idp.protocols.saml.response.artifact import HANDLE, Artifact, source_of
from idp.services.tickets import Held, Purpose, issue, redeem
from idp.services.work import Office, Work

# Browsers and the servers behind them take addresses of at least this length.
_LONGEST_ADDRESS: Final = 2000


def by_post(reply: Reply, response: bytes) -> Answer:
    """The Response itself, carried by the browser."""
    return PostForm(reply.location, _with_relay_state(reply, {"SAMLResponse": b64encode(response).decode()}))


def by_artifact(reply: Reply, artifact: str) -> Answer:
    """The artifact by GET, which every consumer takes; in a form when the address would grow too long."""
    fields = _with_relay_state(reply, {"SAMLart": artifact})
    parts = urlsplit(reply.location)
    query = "&".join(filter(None, (parts.query, urlencode(fields, quote_via=quote, safe=""))))
    address = parts._replace(query=query).geturl()
    return Redirect(address) if len(address) <= _LONGEST_ADDRESS else PostForm(reply.location, fields)


def keep(work: Work, party: Party, reply: Reply, response: bytes, account: str | None = None) -> str:
    """Keep a Response for the party it was made for alone, sealed; answers the artifact that fetches it (SEC-16).

    It ends with what else ``account``, whom it is about, has open (SEC-30).
    """
    office, dialect = work.office, reply.dialect
    source = source_of(names(office.settings, dialect).issuer)
    index = artifact_index(office.settings, dialect, mutual=party.settings.artifact_client_certificate)
    artifact = Artifact(index, source, office.entropy.bytes(HANDLE)).text
    sealed = b64encode(office.vault.seal(response, _context(party.id))).decode()
    lasts = timedelta(seconds=office.settings.saml.artifact_seconds)
    held = Held(party.id, {"response": sealed, "key": reply.key}, lasts, account)
    issue(work, Purpose.SAML_ARTIFACT, artifact, held)
    return artifact


@dataclass(frozen=True, slots=True)
class Kept:
    """A Response as it was kept, and the short name of the key of ours that its receiver knows."""

    response: bytes
    key: str


def fetch(office: Office, party: str, artifact: str) -> Kept | None:
    """The Response of an artifact, this once; None for every other party, a second time, too late, or a guess."""
    with office.work("protocol") as work:
        held = redeem(work, Purpose.SAML_ARTIFACT, artifact, party)
        if held is None:
            work.record(Event.ARTIFACT_REFUSED, party=party)
    if held is None:
        return None
    return Kept(office.vault.unseal(b64decode(held["response"]), _context(party)), held["key"])


def _with_relay_state(reply: Reply, fields: Mapping[str, str]) -> dict[str, str]:
    return dict(fields) | ({} if reply.relay_state is None else {"RelayState": reply.relay_state})


def _context(party: str) -> str:
    return f"saml-artifact {party}"
