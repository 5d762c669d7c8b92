"""In whose name and with which key we speak."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from idp.domain.parties import Party
from idp.ports import KeyUse, SigningKey
from idp.protocols.saml.dialects import DIALECTS, Dialect, Names, names
from idp.protocols.saml.xmlsec.algorithms import SignatureMethod
from idp.protocols.saml.xmlsec.signing import Signatory, key_name
from idp.services.own_keys.sightings import key_known_to
from idp.services.work import Office

# Types of values name the prefix xs in text, which a canonicaliser does not see, so signatures list both prefixes.
TYPED_PREFIXES: Final = ("xs", "xsi")
# The type of a statement inside Advice is named by one more.
ADVICE_PREFIXES: Final = (*TYPED_PREFIXES, "xacml-saml")


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: our names in the profile, the key, fresh octets, and the instant."""

    names: Names
    signatory: Signatory
    entropy: Callable[[int], bytes]
    now: datetime

    def new_id(self) -> str:
        """An ID that nobody can guess (G-7)."""
        return f"_{self.entropy(16).hex()}"


def signatory(key: SigningKey, key_info: str, prefixes: tuple[str, ...] = ()) -> Signatory:
    """How a key of ours signs: RSA-SHA256, or ECDSA-SHA256 when it is of a curve (SIG-3, RUL-27)."""
    curve = isinstance(load_pem_public_key(key.public.public_pem.encode()), EllipticCurvePublicKey)
    method = SignatureMethod.ECDSA_SHA256 if curve else SignatureMethod.RSA_SHA256
    return Signatory(key, method, key_info=key_info, prefixes=prefixes)


class Voices:
    """Our voices by key, each made once per process, not per message."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], Signatory] = {}

    def speak_to(self, office: Office, party: Party, now: datetime) -> Voice:
        """The voice for a message that answers no request at the address of a key: by the one that the party knows."""
        with office.reading() as connection:
            key = key_known_to(connection, party.id)
        return self.speak(office, DIALECTS[party.settings.profile], now, key)

    def speak(self, office: Office, dialect: Dialect, now: datetime, key: str = "", *, advice: bool = False) -> Voice:
        """The voice of a profile, with KeyName in its KeyInfo (SIG-6).

        ``key`` is the short name of the key that the receiver knows; else the one that signs now. ``advice`` is for
        what has an Advice in it.
        """
        # Who asked at the address of a key has metadata with that one, perhaps no other: it gets its answer by it.
        named = office.keys.named(KeyUse.SAML_SIGNING, key) if key else None
        signing = named or office.keys.active(KeyUse.SAML_SIGNING)
        known = self._known.get((signing.public.kid, advice))
        if known is None or known.key is not signing:
            known = signatory(signing, key_name(signing), ADVICE_PREFIXES if advice else TYPED_PREFIXES)
            self._known[signing.public.kid, advice] = known
        return Voice(names(office.settings, dialect), known, office.entropy.bytes, now)
