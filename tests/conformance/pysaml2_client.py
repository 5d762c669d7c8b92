"""pysaml2's ``Saml2Client`` with libxmlsec1 from a wheel in place of the binary it would start (RUL-35)."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xmlsec
from lxml import etree

from tests.conformance.keys import Pair

with warnings.catch_warnings():
    # The library uses what its own dependencies announce to remove; that is its affair.
    warnings.simplefilter("ignore")
    from saml2.client import Saml2Client
    from saml2.config import SPConfig
    from saml2.cryptography.asymmetric import load_pem_private_key
    from saml2.response import StatusError, UnsolicitedResponse
    from saml2.sigver import CryptoBackend, RSACrypto, SignatureError, XmlsecError

_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
# In how many ways the client says no.
SamlRefusal = (SignatureError, StatusError, UnsolicitedResponse)


class XmlsecWheel(CryptoBackend):  # type: ignore[misc]  # the library has no types
    """Signs, verifies and decrypts whole documents, as the library's own backends do."""

    @property
    def version(self) -> str:
        """The version of libxmlsec1."""
        return ".".join(map(str, xmlsec.get_libxmlsec_version()))

    def sign_statement(self, statement: Any, node_name: str, key_file: str, node_id: str) -> str:
        """Fill in the signature template of one element."""
        root = _parsed(statement)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(key_file, xmlsec.constants.KeyDataFormatPem)
        context.sign(_signature(root, node_name, node_id))
        return etree.tostring(root).decode()

    def validate_signature(self, signedtext: Any, cert_file: str, cert_type: str, node_name: str, node_id: str) -> bool:
        """Verify the signature of one element with one certificate."""
        root = _parsed(signedtext)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(cert_file, xmlsec.constants.KeyDataFormatCertPem)
        try:
            context.verify(_signature(root, node_name, node_id))
        except xmlsec.Error as error:
            raise SignatureError(str(error)) from error
        return True

    def decrypt(self, enctext: Any, key_file: str) -> str:
        """Decrypt the first encrypted part of a document."""
        root = _parsed(enctext)
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_file(key_file, xmlsec.constants.KeyDataFormatPem))
        data = xmlsec.tree.find_node(root, xmlsec.constants.NodeEncryptedData, xmlsec.constants.EncNs)
        try:
            xmlsec.EncryptionContext(manager).decrypt(data)
        except xmlsec.Error as error:
            raise XmlsecError(str(error)) from error
        return etree.tostring(root).decode()


def _parsed(document: Any) -> Any:
    """The tree of a document, which comes as octets, text or one of the library's objects."""
    return etree.fromstring(document if isinstance(document, bytes) else str(document).encode())


def _signature(root: Any, node_name: str, node_id: str) -> Any:
    """The Signature of the element with this name and ID, which must be one and have its own."""
    xmlsec.tree.add_ids(root, ["ID"])
    namespace, _, name = node_name.rpartition(":")
    found = [one for one in root.iter(f"{{{namespace}}}{name}") if not node_id or one.get("ID") == node_id]
    if len(found) != 1:
        raise SignatureError(f"{len(found)} elements {node_name} with ID {node_id}")
    signature = found[0].find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    if signature is None:
        raise SignatureError("not signed")
    return signature


def make_client(folder: Path, key: Pair, provider: bytes, entity_id: str, consumer: str, **choices: Any) -> Saml2Client:
    """A client with every check on, that knows us by our metadata; ``choices`` are laid over its ``service.sp``."""
    files = {"key": folder / "sp.key", "certificate": folder / "sp.crt", "provider": folder / "idp.xml"}
    files["key"].write_text(key.key)
    files["certificate"].write_text(key.certificate)
    files["provider"].write_bytes(provider)
    encrypted = choices.pop("encrypted", False)
    pair = {"key_file": str(files["key"]), "cert_file": str(files["certificate"])}
    service = {
        "endpoints": {"assertion_consumer_service": [(consumer, _POST)]},
        "authn_requests_signed": True,
        "want_assertions_signed": True,
        "want_response_signed": True,
        "only_use_keys_in_metadata": True,
        "allow_unsolicited": False,
        "name_id_format": [_PERSISTENT],
        "signing_algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "digest_algorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
    }
    with quiet():
        config = SPConfig().load(
            {
                "entityid": entity_id,
                "service": {"sp": service | choices},
                "metadata": {"local": [str(files["provider"])]},
                "crypto_backend": "XMLSecurity",
                "allow_unknown_attributes": True,
                "accepted_time_diff": 5,
                **pair,
                **({"encryption_keypairs": [pair]} if encrypted else {}),
            }
        )
        client = Saml2Client(config)
        client.sec.crypto = XmlsecWheel()
        client.sec.sec_backend = RSACrypto(load_pem_private_key(key.key.encode()))
    return client


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of the library about its own dependencies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
