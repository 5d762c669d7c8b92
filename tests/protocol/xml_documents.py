"""Random SAML-like documents in every manner of writing that XML allows, and what their signed part canonically is."""

from dataclasses import dataclass
from random import Random

from lxml import etree

from idp.protocols.saml.xmlsec.xml import DS, SAML, SAMLP, XENC, XS, Element
from tests.protocol.xml_kit import ASSERTION, RESPONSE

FOREIGN = ("urn:example:one", "urn:example:two", "http://example.test/three#", XENC, XS)
PREFIXES = ("a", "b", "ns1", "saml", "saml2", "samlp", "xs", "xenc", "p-q", "_u", "é")
SLOT = "SLOTsignatureSLOT"
TEXTS = (
    "plain",
    "  ",
    "\n\t",
    "&#13;",
    "&#9;&#10;",
    "&amp;&lt;&gt;",
    "]]&gt;",
    "é€𝄞",
    "&#x1F511;",
    "<![CDATA[<raw> & \n]]>",
    "<![CDATA[]]>",
    "<!-- note -->",
    "'\"",
    "\r\n",
    "\u00a0\u2028",
)
VALUES = (
    "",
    "v",
    "a&amp;b",
    "&lt;tag&gt;",
    "&quot;q&quot;",
    "&#10;&#9;&#13;",
    " x  y ",
    "é",
    "tab\there",
    "line\nbreak",
    ">",
)


@dataclass(frozen=True)
class Document:
    """A text with a slot for the Signature, the tag of the element to be signed, and a PrefixList."""

    text: str
    tag: str
    prefixes: tuple[str, ...]

    def fill(self, signature: str) -> bytes:
        """The document with something in its slot."""
        return self.text.replace(SLOT, signature).encode()

    def signed_element(self, root: Element) -> Element:
        """The element to be signed in a parsed copy."""
        found = root if root.tag == self.tag else root.find(f".//{self.tag}")
        if found is None:
            raise LookupError(self.tag)
        return found

    def expected(self, signature: str = "") -> bytes:
        """The canonical form that a verifier must hand back, made without taking anything out of a tree."""
        element = self.signed_element(etree.fromstring(self.fill(signature)))
        return etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=list(self.prefixes),
        )


class Writer:
    """Writes one random document; ``scope`` maps the prefixes in scope to namespace names."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._budget = random.randint(0, 25)

    def document(self) -> Document:
        """A Response with an Assertion in it, one of which is to be signed."""
        nested = self._random.random() < 0.6
        assertion = self._element(SAML, "Assertion", {"ID": "_assertion"}, slot=nested)
        text = self._element(SAMLP, "Response", {"ID": "_response"}, slot=not nested, inside=assertion)({})
        if self._chance(0.3):
            text = '<?xml version="1.0" encoding="UTF-8"?>' + text
        known = self._random.sample(PREFIXES, self._random.randint(0, 3)) if self._chance(0.4) else []
        prefixes = tuple(name for name in known if name.isascii()) + (("unknown",) if self._chance(0.1) else ())
        return Document(text, ASSERTION if nested else RESPONSE, prefixes)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _element(self, uri, name, attributes, *, slot=False, inside=None):  # type: ignore[no-untyped-def]
        def write(scope: dict[str, str]) -> str:
            scope, declarations = self._declare(scope, uri)
            prefix = self._random.choice([key for key, value in scope.items() if value == uri])
            tag = f"{prefix}:{name}" if prefix else name
            body = self._issuer(scope) + (SLOT + self._words() if slot else self._words()) if attributes else ""
            body += self._children(scope)
            if inside is not None:
                body += inside(scope) + self._words()
            pairs = [f'{key}="{value}"' for key, value in attributes.items()] + declarations + self._attributes(scope)
            self._random.shuffle(pairs)
            gap = self._random.choice((" ", "\n  ", "\t"))
            start = "".join(gap + pair for pair in pairs)
            if not body and self._chance(0.5):
                return f"<{tag}{start}/>"
            return f"<{tag}{start}{' ' if self._chance(0.1) else ''}>{body}</{tag}>"

        return write

    def _declare(self, scope: dict[str, str], uri: str) -> tuple[dict[str, str], list[str]]:
        """Bind the namespace if need be, and some others for no reason."""
        new: dict[str, str] = {}
        if uri not in scope.values() or self._chance(0.2):
            new["" if self._chance(0.25) else self._random.choice(PREFIXES)] = uri
        for _ in range(self._random.choice((0, 0, 0, 1, 2))):
            prefix = self._random.choice(PREFIXES)
            new.setdefault(prefix, self._random.choice((*FOREIGN, SAML, SAMLP, DS)))
        merged = scope | new
        if uri not in merged.values():
            new = {"z": uri} | new
            merged = scope | new
        quote = self._random.choice("\"'")
        return merged, [f"xmlns{':' if prefix else ''}{prefix}={quote}{name}{quote}" for prefix, name in new.items()]

    def _attributes(self, scope: dict[str, str]) -> list[str]:
        names = {f"a{self._random.randint(0, 9)}": "" for _ in range(self._random.choice((0, 0, 1, 3)))}
        bound = [prefix for prefix, uri in scope.items() if prefix and uri in FOREIGN]
        if bound and self._chance(0.4):
            names[f"{self._random.choice(bound)}:q"] = ""
        if self._chance(0.1):
            names["xml:lang"] = ""
        if self._chance(0.1):
            names["xml:space"] = ""
        return [f'{name}="{self._random.choice(VALUES)}"' for name in names]

    def _issuer(self, scope: dict[str, str]) -> str:
        if self._chance(0.15):
            return self._words()
        return self._words() + self._element(SAML, "Issuer", {})(scope) + self._words()

    def _words(self) -> str:
        return "".join(self._random.choice(TEXTS) for _ in range(self._random.choice((0, 1, 1, 2, 4))))

    def _children(self, scope: dict[str, str]) -> str:
        text = ""
        while self._budget > 0 and self._chance(0.6):
            self._budget -= 1
            if scope.get("") and self._chance(0.1):
                undeclared = {key: value for key, value in scope.items() if key}
                text += f'<plain xmlns="">{self._words()}{self._children(undeclared)}</plain>'
            elif not scope.get("") and self._chance(0.1):
                text += f"<plain>{self._words()}{self._children(scope)}</plain>"
            else:
                uri = self._random.choice((*FOREIGN, SAML, SAMLP))
                text += self._element(uri, f"E{self._random.randint(0, 9)}", {})(scope)
            text += self._words()
        return text


def signature_template(random: Random, method: str, document: Document) -> str:
    """A Signature to be filled in by libxmlsec1, in a random way of writing it."""
    prefix = random.choice(("ds", "dsig", "", "sig"))
    p = f"{prefix}:" if prefix else ""
    gap = random.choice(("", "", "\n", "\n    ", " \t", "&#13;\n"))
    digest = random.choice(("2001/04/xmlenc#sha256", "2001/04/xmldsig-more#sha384", "2001/04/xmlenc#sha512"))
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    ec = random.choice(("ec", "", "ex"))
    e = f"{ec}:" if ec else ""
    names = " ".join(document.prefixes)
    own = f'<{e}InclusiveNamespaces xmlns{":" if ec else ""}{ec}="{exclusive}" PrefixList="{names}"/>'
    info = "" if not document.prefixes or random.random() < 0.5 else own
    identifier = "_assertion" if document.tag == ASSERTION else "_response"
    parts = (
        f"<{p}SignedInfo>",
        f'<{p}CanonicalizationMethod Algorithm="{exclusive}">{info}</{p}CanonicalizationMethod>',
        f'<{p}SignatureMethod Algorithm="{method}"/>',
        f'<{p}Reference URI="#{identifier}">',
        f"<{p}Transforms>",
        f'<{p}Transform Algorithm="{DS}enveloped-signature"/>',
        f'<{p}Transform Algorithm="{exclusive}">{own if document.prefixes else ""}</{p}Transform>',
        f"</{p}Transforms>",
        f'<{p}DigestMethod Algorithm="http://www.w3.org/{digest}"/>',
        f"<{p}DigestValue/>",
        f"</{p}Reference>",
        f"</{p}SignedInfo>",
        f"<{p}SignatureValue/>",
        f"<{p}KeyInfo><{p}KeyName>some key</{p}KeyName></{p}KeyInfo>" if random.random() < 0.5 else "",
    )
    body = gap.join(parts)
    return f'<{p}Signature xmlns{":" if prefix else ""}{prefix}="{DS}">{gap}{body}{gap}</{p}Signature>'
