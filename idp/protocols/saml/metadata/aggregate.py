"""Metadata of one entity out of a document that may hold many, and signed by whom an operator pinned."""

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from idp.protocols.saml.times import read_instant
from idp.protocols.saml.xmlsec.algorithms import VerificationKey
from idp.protocols.saml.xmlsec.refusal import Fault, Refused
from idp.protocols.saml.xmlsec.signature import verify
from idp.protocols.saml.xmlsec.xml import MD, Limits, Schemas, parse, parse_canonical, serialise

# A federation's file holds thousands; only an operator or the worker ever reads one.
AGGREGATE: Final = Limits(octets=16 * 1024 * 1024, nodes=1_000_000, comments=True)
_ENTITY: Final = f"{{{MD}}}EntityDescriptor"
_ENTITIES: Final = f"{{{MD}}}EntitiesDescriptor"
# Where a further signature may stand inside what the pinned one covers.
_NESTED: Final = (_ENTITY, _ENTITIES, f"{{{MD}}}SPSSODescriptor", f"{{{MD}}}IDPSSODescriptor")


def pinned_keys(pem: bytes) -> list[VerificationKey]:
    """The keys of the certificates (PEM) whose signature is to be trusted; raises ``Refused(MALFORMED)``.

    More than one, when who signs changes keys as well.
    """
    try:
        keys = [one.public_key() for one in x509.load_pem_x509_certificates(pem)]
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise Refused(Fault.MALFORMED, f"the pinned certificate cannot be read: {error}") from error
    fitting = [key for key in keys if isinstance(key, RSAPublicKey | EllipticCurvePublicKey)]
    if len(fitting) != len(keys):
        raise Refused(Fault.MALFORMED, "a pinned certificate is neither of RSA nor of an elliptic curve")
    return fitting


def only(octets: bytes, entity_id: str | None, signers: Sequence[VerificationKey], schemas: Schemas) -> bytes:
    """The document of one entity; without an entity ID the whole, which then must be one already.

    With signers the document must carry the signature of one, and only what that covers is read (SEC-9, SEC-18). Raises
    ``Refused``: SIGNATURE, or MALFORMED when the entity is not in it exactly once.
    """
    root = parse(octets, AGGREGATE)
    schemas.validate(root)
    if signers:
        root = parse_canonical(verify(root, str(root.tag), signers, nested=_NESTED))
    if entity_id is None:
        return serialise(root) if signers else octets
    found = [one for one in root.iter(_ENTITY) if one.get("entityID") == entity_id]
    if len(found) != 1:
        raise Refused(Fault.MALFORMED, f"the entity {entity_id[:200]} stands in it {len(found)} times")
    (entity,) = found
    # It is over when anything around it is, whatever it claims of itself; and it is to be read alone.
    ends = [until for one in (entity, *entity.iterancestors()) if (until := one.get("validUntil"))]
    if ends:
        entity.set("validUntil", min(ends, key=read_instant))
    return serialise(entity)
