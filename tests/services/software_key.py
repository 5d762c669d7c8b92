"""A security key in software: answers a browser's questions as an authenticator does, with as much wrong as asked."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url as text

ORIGIN = "http://localhost:8000"


@dataclass
class SoftwareKey:
    """One credential on the curve P-256."""

    name: bytes = b"key-0123456789ab"
    count: int = 0
    domain: str = "localhost"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: str, origin: str = ORIGIN) -> str:
        """Answer a question for a new credential, without attestation."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        credential = bytes(16) + len(self.name).to_bytes(2, "big") + self.name + cbor2.dumps(cose)
        data = self._data(0x41) + credential
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(self._client("webauthn.create", options, origin), {"attestationObject": text(made)})

    def use(self, options: str, origin: str = ORIGIN) -> str:
        """Answer a question for proof; the counter grows by one."""
        self.count += 1
        data, client = self._data(0x01), self._client("webauthn.get", options, origin)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(client, {"authenticatorData": text(data), "signature": text(signature)})

    def _data(self, flags: int) -> bytes:
        return sha256(self.domain.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: str, origin: str) -> bytes:
        challenge = json.loads(options)["challenge"]
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()

    def _answer(self, client: bytes, response: dict[str, Any]) -> str:
        name = text(self.name)
        told = response | {"clientDataJSON": text(client)}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})
