"""A person's certificate in a browser: the bundle of the laboratory, taken apart for an HTTP client."""

from pathlib import Path

import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from idp.lab.authority import BUNDLE_PASSWORD
from tests.fixtures.sandbox import Demo
from tests.journeys.walker import Walker


def carry(walker: Walker, demo: Demo, name: str, folder: Path) -> None:
    """Let the walker's browser show this certificate at whatever address asks for one."""
    bundle = requests.get(demo.url(f"/lab/authority/{name}.p12"), timeout=60)
    bundle.raise_for_status()
    key, certificate, further = pkcs12.load_key_and_certificates(bundle.content, BUNDLE_PASSWORD.encode())
    assert key is not None
    assert certificate is not None
    key_file, chain_file = folder / f"{name}.key.pem", folder / f"{name}.chain.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    chain_file.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *further)))
    walker.session.cert = (str(chain_file), str(key_file))


def trust(walker: Walker, demo: Demo) -> None:
    """Let the walker's browser trust the laboratory's root, as the instructions tell a person to."""
    # A machine's own bundle of roots, named in its environment, would count instead.
    walker.session.trust_env = False
    walker.session.verify = str(demo.folder / "authority" / "root.crt.pem")
