"""The texts of every reason and remedy, in Dutch; the catalogue has their English (docs/texts.md)."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from idp.domain.reasons import Reason, Remedy


@dataclass(frozen=True, slots=True)
class ReasonText:
    """``detail`` replaces ``sentence`` when all facts it names are known; ``fact`` is label, asked, held."""

    title: LazyString
    sentence: LazyString
    detail: LazyString | None = None
    fact: tuple[LazyString | str, LazyString | str, LazyString | str] | None = None


@dataclass(frozen=True, slots=True)
class RemedyText:
    """``owner`` is a key of ``OWNERS``; ``href`` is the page that says what to do today, ``action`` its link."""

    title: LazyString
    text: LazyString
    owner: str
    href: str = ""
    action: LazyString | str = ""


REASON_TEXTS: dict[Reason, ReasonText] = {
    Reason.NO_MEANS: ReasonText(
        _("U hebt nog geen middel"),
        _("Bij uw account hoort geen middel. Daarom kunt u niet inloggen bij diensten."),
        fact=(_("Middel"), "%(asked)s", _("geen")),
    ),
    Reason.MEANS_NOT_ACTIVATED: ReasonText(
        _("Uw middel is nog niet geactiveerd"),
        _("Activeer eerst uw middel met de aanmeldcode uit de brief. Een aanmeldcode is 30 dagen geldig."),
        fact=(_("Middel"), _("actief"), _("nog niet geactiveerd")),
    ),
    Reason.MEANS_EXPIRED: ReasonText(
        _("Uw middel is verlopen"),
        _("U kunt met dit middel niet meer inloggen."),
        _("Uw middel is verlopen op %(until)s. U kunt er niet meer mee inloggen."),
        (_("Middel"), _("actief"), _("verlopen")),
    ),
    Reason.MEANS_REVOKED: ReasonText(
        _("Uw middel is ingetrokken of geblokkeerd"),
        _("U kunt met dit middel niet meer inloggen."),
        fact=(_("Middel"), _("actief"), _("ingetrokken of geblokkeerd")),
    ),
    Reason.UPGRADE_IN_PROGRESS: ReasonText(
        _("Wij waarderen uw middel op"),
        _("Zolang het opwaarderen duurt, kunt u niet inloggen."),
        _("Zolang het opwaarderen duurt, kunt u niet inloggen. Naar verwachting kunt u weer inloggen vanaf %(from)s."),
        (_("Middel"), _("actief"), _("wordt opgewaardeerd")),
    ),
    Reason.ORGANISATION_ENDED: ReasonText(
        _("Uw organisatie staat niet meer ingeschreven"),
        _("Uw organisatie staat niet meer ingeschreven onder dit KvK-nummer."),
        fact=(_("Organisatie"), _("ingeschreven bij KvK"), _("uitgeschreven")),
    ),
    Reason.ACCESS_PAUSED: ReasonText(
        _("Uw toegang is gepauzeerd"),
        _("De beheerder van uw organisatie heeft uw toegang gepauzeerd."),
        fact=(_("Toegang"), _("actief"), _("gepauzeerd")),
    ),
    Reason.LEVEL_TOO_LOW: ReasonText(
        _("Uw niveau is te laag"),
        _("Deze dienst vraagt een hoger niveau dan dat van uw middel."),
        _("Deze dienst vraagt niveau %(asked)s. Uw middel heeft niveau %(held)s."),
        (_("Niveau van uw middel"), "%(asked)s", "%(held)s"),
    ),
    Reason.NO_RESPONDER: ReasonText(
        _("U hebt een responder nodig"),
        _("Deze dienst vraagt een code van uw eigen responder. Bij uw account hoort nu geen responder."),
        fact=(_("Responder"), _("nodig"), _("geen")),
    ),
    Reason.CERTIFICATE_REFUSED: ReasonText(
        _("U hebt een certificaat nodig"),
        _("Deze dienst vraagt een persoonlijk PKIoverheid-certificaat. Wij kunnen uw certificaat nu niet gebruiken."),
        fact=(_("Certificaat"), _("nodig"), _("niet bruikbaar")),
    ),
    Reason.BRANCH_REGISTRATION: ReasonText(
        _("U logt in voor één vestiging"),
        _("Deze dienst vraagt het KvK-nummer van de hele organisatie. Uw middel of machtiging is voor een vestiging."),
        fact=(_("Registratie"), _("hele organisatie"), _("één vestiging")),
    ),
    Reason.OTHER_BRANCH: ReasonText(
        _("Uw machtiging geldt voor een andere vestiging"),
        _("Uw middel en uw machtiging staan niet op dezelfde vestiging. Daarom kunt u hier niet inloggen."),
        fact=(_("Vestiging"), _("dezelfde voor middel en machtiging"), _("twee verschillende")),
    ),
    Reason.NO_MANDATE: ReasonText(
        _("U hebt geen machtiging voor deze dienst"),
        _("Uw organisatie heeft u niet gemachtigd om bij deze dienst in te loggen."),
        _("Diensten achter dit portaal: %(behind)s. Voor geen daarvan hebt u een machtiging waarmee u kunt inloggen."),
        (_("Machtiging"), _("voor deze dienst"), _("geen")),
    ),
    Reason.MANDATE_EXPIRED: ReasonText(
        _("Uw machtiging is verlopen"),
        _("Uw machtiging voor deze dienst is niet meer geldig."),
        _("Uw machtiging voor deze dienst was geldig tot en met %(until)s."),
        (_("Machtiging"), _("geldig"), _("verlopen")),
    ),
    Reason.MANDATE_DORMANT: ReasonText(
        _("Uw machtiging is gestopt"),
        _("U hebt uw machtiging 24 maanden niet gebruikt. Daarom is de machtiging gestopt."),
        _("U hebt uw machtiging 24 maanden niet gebruikt, het laatst op %(last_used)s. Daarom is die gestopt."),
        (_("Machtiging"), _("geldig"), _("gestopt")),
    ),
    Reason.MANDATE_LEVEL_TOO_LOW: ReasonText(
        _("Het niveau van uw machtiging is te laag"),
        _("Deze dienst vraagt een hoger niveau dan dat van uw machtiging."),
        _("Deze dienst vraagt niveau %(asked)s. Uw machtiging geldt tot en met niveau %(mandate)s."),
        (_("Niveau van uw machtiging"), "%(asked)s", "%(mandate)s"),
    ),
    Reason.CHAIN_INCOMPLETE: ReasonText(
        _("De ketenmachtiging is nog niet compleet"),
        _("Een ketenmachtiging werkt pas als de klant en de intermediair allebei hebben bevestigd."),
        _("Een ketenmachtiging werkt pas als beide hebben bevestigd. Dit ontbreekt nog: %(missing)s."),
        (_("Ketenmachtiging"), _("twee keer bevestigd"), _("niet compleet")),
    ),
    Reason.CANCELLED: ReasonText(_("U hebt het inloggen geannuleerd"), _("U bent niet ingelogd.")),
}

REMEDY_TEXTS: dict[Remedy, RemedyText] = {
    Remedy.ACTIVATE: RemedyText(
        _("Activeer uw middel"),
        _("De aanmeldcode staat in de brief. Die ging naar de wettelijk vertegenwoordiger van uw organisatie."),
        "you",
        "/activeren",
        _("Activeren"),
    ),
    Remedy.APPLY: RemedyText(
        _("Vraag een middel aan"),
        _("Uw organisatie vraagt het middel voor u aan. De wettelijk vertegenwoordiger tekent."),
        "you",
        "/aanvragen",
        _("Zo vraagt u een middel aan"),
    ),
    Remedy.APPLY_FOR_MAIN: RemedyText(
        _("Vraag een middel aan op het KvK-nummer"),
        _("Uw organisatie heeft meer vestigingen. Vraag een tweede middel aan, zonder vestigingsnummer."),
        "you",
        "/aanvragen#kvk-nummer",
        _("Zo vraagt u het aan"),
    ),
    Remedy.APPLY_NEW_NUMBER: RemedyText(
        _("Vraag een middel aan voor het nieuwe KvK-nummer"),
        _("Een nieuw KvK-nummer vraagt een nieuwe aanvraag. Het oude middel zegt u zelf op; dat kan tegelijk."),
        "you",
        "/aanvragen#nieuw-kvk-nummer",
        _("Zo vraagt u het aan"),
    ),
    Remedy.ASK_MANAGER: RemedyText(
        _("Vraag uw beheerder"),
        _("De beheerder van uw organisatie regelt middelen en machtigingen. Noem de dienst en de code op deze pagina."),
        "manager",
        "/beheer",
        _("Wat de beheerder doet"),
    ),
    Remedy.CONTACT_SERVICE: RemedyText(
        _("Bel de klantenservice"),
        _("Wij zoeken uit wat er is. Houd de code en het kenmerk op deze pagina bij de hand."),
        "us",
        "/klantenservice",
        _("Klantenservice"),
    ),
    Remedy.CONVERT_TO_MAIN: RemedyText(
        _("Laat uw middel omzetten"),
        _("Uw organisatie heeft één vestiging. Dan zetten wij uw middel om naar het KvK-nummer. Dat kost € 10,00."),
        "you",
        "/mutaties#omzetten",
        _("Zo laat u omzetten"),
    ),
    Remedy.NEW_LETTER: RemedyText(
        _("Vraag een nieuwe brief aan"),
        _("Is de brief kwijt of ouder dan 30 dagen? Wij sturen een nieuwe naar het geregistreerde adres."),
        "you",
        "/mutaties#nieuwe-brief",
        _("Nieuwe brief"),
    ),
    Remedy.PAIR_RESPONDER: RemedyText(
        _("Koppel een andere responder"),
        _("Een responder is persoonlijk. Bewijs dat u het bent en koppel een app op uw telefoon of een apparaatje."),
        "you",
        "/responder-kwijt",
        _("Responder koppelen"),
    ),
    Remedy.REMIND_CHAIN: RemedyText(
        _("Vraag om de bevestiging"),
        _("De klant en uw organisatie bevestigen ieder bij de eigen beheerder. Herinner wie het nog niet deed."),
        "manager",
        "/beheer#ketenmachtiging",
        _("Zo werkt een ketenmachtiging"),
    ),
    Remedy.RENEW_MANDATE: RemedyText(
        _("Laat de machtiging verlengen"),
        _("De beheerder van uw organisatie verlengt de machtiging, voor ten hoogste 5 jaar."),
        "manager",
        "/beheer#verlengen",
        _("Machtiging verlengen"),
    ),
    Remedy.UPGRADE: RemedyText(
        _("Waardeer uw middel op"),
        _("Geef precies dezelfde gegevens op als nu. Dan houdt u toegang tot uw dossiers."),
        "you",
        "/opwaarderen",
        _("Zo waardeert u op"),
    ),
    Remedy.USE_OTHER_MEANS: RemedyText(
        _("Log in met een ander account"),
        _("Hebt u nog een middel met een hoger niveau? Begin dan opnieuw met dat account."),
        "you",
    ),
    Remedy.WAIT: RemedyText(
        _("Wacht tot wij klaar zijn"),
        _("Meestal duurt het 1 of 2 werkdagen. Daarna krijgt de wettelijk vertegenwoordiger een brief."),
        "us",
    ),
}

OWNERS = {"you": _("Dit doet u zelf"), "manager": _("Dit doet uw beheerder"), "us": _("Dit doen wij")}
MISSING = {"principal": _("de klant"), "intermediary": _("uw eigen organisatie")}
ATTRIBUTES = {
    "Initials": _("Voorletters"),
    "FirstName": _("Voornaam"),
    "FamilyNameInfix": _("Tussenvoegsel"),
    "FamilyName": _("Achternaam"),
    "DateOfBirth": _("Geboortedatum"),
    "Email": _("E-mailadres"),
}
