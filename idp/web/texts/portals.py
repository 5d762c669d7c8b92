"""What the demo portals say about what they received, in Dutch; the catalogue has the English (docs/texts.md)."""

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from idp.lab.received import Check, Ending, Received

CHECK_TEXTS: dict[Check, LazyString] = {
    Check.FORM: _("Het is een bericht van de afgesproken vorm."),
    Check.STATE: _("Het hoort bij een aanvraag die in deze browser begon (state)."),
    Check.SIGNATURE: _("De handtekening klopt met het certificaat uit de metadata."),
    Check.ASSERTION_SIGNATURE: _("De handtekening van de verklaring zelf klopt ook."),
    Check.ISSUER: _("De afzender is wie het moet zijn."),
    Check.DESTINATION: _("Het is aan dit adres gericht."),
    Check.REQUEST: _("Het antwoordt op de aanvraag die dit portaal stuurde (InResponseTo)."),
    Check.AUDIENCE: _("Het is voor dit portaal bedoeld en voor geen ander (audience)."),
    Check.TIME: _("Het is nu geldig: niet te vroeg en niet te laat."),
    Check.NONCE: _("Het draagt het eenmalige getal dat dit portaal koos (nonce)."),
    Check.EXCHANGE: _("Het uitwisselen aan de achterkant lukte."),
    Check.SUBJECT: _("Beide antwoorden gaan over dezelfde persoon (sub)."),
}
RAW_TEXTS: dict[str, LazyString] = {
    "response": _("SAMLResponse"),
    "opened": _("Ontsleuteld met de sleutel van dit portaal"),
    "callback": _("Terug in de browser"),
    "token": _("Antwoord van het token-adres"),
    "id-token": _("ID-token"),
    "userinfo": _("Antwoord van het userinfo-adres"),
}
_COMPANY = _("De naam van de organisatie voor wie iemand handelt.")
_LEVEL = _("Het betrouwbaarheidsniveau waarop is ingelogd.")
_KVK = _("Het KvK-nummer van de organisatie voor wie iemand handelt.")
_RSIN = _("Het RSIN van de organisatie; een eenmanszaak heeft er geen.")
_PERSON = _("Wie er inlogde: een pseudoniem dat alleen deze dienstverlener krijgt, steeds hetzelfde.")
_LEGAL = _("De organisatie voor wie iemand handelt, met het soort nummer erachter.")
_BRANCH = _("Alleen voor deze vestiging mag de persoon handelen; elke vestiging staat apart.")
_BETWEEN = _("De intermediair: de organisatie waarvoor de persoon werkt, gemachtigd door de vertegenwoordigde.")
_MOMENT = _("Wanneer de persoon zijn factoren bewees.")
_SESSION = _("Naam van de sessie, om later mee uit te loggen.")
_FOR_WHOM = _("Wie de persoon vertegenwoordigt, met soort nummer, naam en vestigingen.")
_PERSONAL = _("Een persoonlijk gegeven, gegeven met toestemming.")
_MEANINGS: dict[str, LazyString] = {
    "AuthnContextClassRef": _LEVEL,
    "acr": _LEVEL,
    "loa": _LEVEL,
    "NameID": _("Het onderwerp van de verklaring; in eHerkenning 1.13 een nietszeggend eenmalig getal."),
    "AuthnInstant": _MOMENT,
    "auth_time": _MOMENT,
    "SessionIndex": _SESSION,
    "sid": _SESSION,
    "sub": _PERSON,
    "sub_id_type": _("Het soort van sub."),
    "represents": _FOR_WHOM,
    "iss": _("Wie de verklaring aflegt."),
    "aud": _("Voor wie de verklaring is."),
    "azp": _("Welke toepassing de verklaring vroeg."),
    "exp": _("Tot wanneer de verklaring telt."),
    "iat": _("Wanneer de verklaring is gemaakt."),
    "nbf": _("Vanaf wanneer de verklaring telt."),
    "jti": _("Het nummer van deze verklaring, nooit twee keer gebruikt."),
    "nonce": _("Het eenmalige getal dat dit portaal meestuurde."),
    "at_hash": _("Bindt het ID-token aan het toegangstoken."),
    "namequalifier": _("Het soort nummer van LegalSubjectID."),
    "kvk": _KVK,
    "idp_id": _("Bij wie is ingelogd."),
    "organisation_name": _COMPANY,
    "given_name": _PERSONAL,
    "family_name": _PERSONAL,
    "email": _PERSONAL,
    "urn:etoegang:core:ServiceID": _("De dienst volgens de dienstencatalogus."),
    "urn:etoegang:core:ServiceUUID": _("De dienst waarop machtigingen zijn geregistreerd."),
    "urn:etoegang:core:LegalSubjectID": _LEGAL,
    "urn:etoegang:core:ActingSubjectID": _PERSON,
    "urn:etoegang:core:IntermediateSubjectID": _BETWEEN,
    "urn:etoegang:1.9:IntermediateEntityID:KvKnr": _BETWEEN,
    "urn:etoegang:1.13:attribute-intermediate:CompanyName": _("De naam van de intermediair."),
    "urn:etoegang:1.11:attribute-represented:CompanyName": _COMPANY,
    "urn:etoegang:1.9:ServiceRestriction:Vestigingsnr": _BRANCH,
    "urn:etoegang:1.9:EntityConcernedID:KvKnr": _KVK,
    "urn:etoegang:1.9:EntityConcernedID:RSIN": _RSIN,
}
_PERSONAL_PREFIX = "urn:etoegang:1.9:attribute:"
_ENDINGS = {
    Ending.CANCELLED: _("De persoon annuleerde. Meer dan dit krijgt een portaal niet te horen."),
    Ending.REFUSED: _(
        "Een portaal hoort alleen dat het niet lukte, met een kenmerk. De reden is voor de persoon zelf."
    ),
}
_NOT_BELIEVED = _("Het bericht is niet geloofd: een van de controles klopt niet.")
_UNKNOWN = _("Een gegeven dat dit portaal niet gebruikt.")


def meaning(name: str) -> str:
    """What a value says, by its name on the wire."""
    fallback = _PERSONAL if name.startswith(_PERSONAL_PREFIX) else _UNKNOWN
    return str(_MEANINGS.get(name, fallback))


def status_meaning(received: Received) -> str:
    """What it means that there are no values."""
    believed = all(ok for _, ok in received.checks)
    return str(_ENDINGS[received.ending] if believed else _NOT_BELIEVED)
