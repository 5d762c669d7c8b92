"""How relying parties see us: what our published documents say."""

import requests
from lxml import etree

from tests.fixtures.sandbox import Demo

_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"


def certificate_of(demo: Demo) -> str:
    """Our signing certificate as PEM, from our metadata."""
    root = etree.fromstring(requests.get(demo.facts["saml_metadata"], timeout=30).content)
    signing = next(one for one in root.iter(f"{_MD}KeyDescriptor") if one.get("use") in ("signing", None))
    body = "".join((signing.findtext(f".//{_DS}X509Certificate") or "").split())
    lines = [body[place : place + 64] for place in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
