"""The texts of everything that can go wrong outside the decision, in Dutch (features D.3, docs/texts.md)."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What happened and what to do; ``detail`` replaces ``text`` when all facts it names are known."""

    title: LazyString
    text: LazyString
    detail: LazyString | None = None


_AT_THE_SERVICE = _("Dit ligt niet aan u. Begin opnieuw bij de dienst. Blijft het misgaan? Meld het dan bij de dienst.")
_BEGIN_AGAIN = _("Ga terug naar de dienst waar u vandaan kwam en begin opnieuw met inloggen.")
_BACK = _("Ga terug en probeer het opnieuw.")

OTHER = ErrorText(_("Dit kunnen wij niet verwerken"), _BACK)

_STEPS: dict[str, ErrorText] = {
    "L01": ErrorText(
        _("Inloggen is niet gelukt"),
        _("De gebruikersnaam en het wachtwoord horen niet bij elkaar."),
    ),
    # One answer for every wrong code; whose responder it may have been is never told (RUL-19).
    "L02": ErrorText(
        _("Deze code klopt niet"),
        _("Deze code past niet bij uw account. Gebruik de code die uw eigen responder nu toont."),
        _("Deze code past niet bij uw account. U kunt het nog %(left)s keer proberen."),
    ),
    "L03": ErrorText(_("Deze code is al gebruikt"), _("Wacht tot uw responder een nieuwe code toont en vul die in.")),
    "L05": ErrorText(
        _("Te vaak geprobeerd"),
        _("Probeer het later opnieuw."),
        _("U kunt vanaf %(time)s opnieuw inloggen."),
    ),
    "L06": ErrorText(_("De klok van uw responder loopt niet gelijk"), _("Vul ook de volgende code in.")),
    "L07": ErrorText(
        _("Wij beginnen opnieuw"),
        _("Het inloggen duurde te lang. Uw aanvraag is bewaard."),
        _("Het inloggen duurde te lang. Uw aanvraag bij %(service)s is bewaard."),
    ),
    "L08": ErrorText(_("Uw browser bewaart geen cookies"), _("Zet cookies aan voor deze site en begin opnieuw.")),
    "L09": ErrorText(_("Deze stap is al gedaan"), _("Ga verder waar u was.")),
    "L10": ErrorText(_("U hebt het inloggen geannuleerd"), _("U bent niet ingelogd.")),
    "L11": ErrorText(_("Open deze pagina in een eigen venster"), _BEGIN_AGAIN),
    "L12": ErrorText(
        _("Deze beveiligingssleutel werkt hier niet"),
        _("Gebruik een sleutel die u zelf aan uw account hebt toegevoegd, of de code van uw responder."),
    ),
    "D15": ErrorText(
        _("Wij kunnen dit certificaat niet gebruiken"),
        _("Kies een persoonlijk PKIoverheid-certificaat dat geldig is en bij uw account hoort."),
        # The reason is a sentence of its own (``certificates``).
        _("%(reason)s"),
    ),
    "MISSING": ErrorText(_("U hebt iets niet ingevuld"), _("Vul dit veld in.")),
    "MALFORMED": ErrorText(_("Er klopt iets niet"), _("Controleer wat u hier hebt ingevuld.")),
    "V03": ErrorText(_("Dit is geen e-mailadres"), _("Vul een e-mailadres in, zoals naam@voorbeeld.nl.")),
    "R04": ErrorText(
        _("Dit wachtwoord kan niet"),
        _("Uw wachtwoord voldoet nog niet aan alle regels."),
        _("Uw wachtwoord voldoet nog niet: %(rules)s."),
    ),
    "R05": ErrorText(
        _("Te vaak gevraagd"),
        _("U hebt dit kort geleden al gevraagd. Probeer het later opnieuw."),
        _("U hebt dit kort geleden al gevraagd. Het kan weer vanaf %(time)s."),
    ),
    # One answer for a number that is unknown or taken and for a wrong code (SEC-27).
    "R10": ErrorText(
        _("Dit past niet bij elkaar"),
        _("Vul de code in die de app of het apparaatje nu toont. Controleer bij een apparaatje ook het nummer."),
    ),
    "R11": ErrorText(_("Dit kan nu niet"), _("De toestemming is gebruikt of verlopen. Kies opnieuw een manier.")),
    "R12": ErrorText(
        _("Deze herstelcode klopt niet"),
        _("Controleer de tekens. Elke code werkt één keer."),
    ),
    "R13": ErrorText(_("Dit is al gevraagd"), _("U vroeg dit vaak. Probeer het later opnieuw, of bel ons.")),
    "R16": ErrorText(_("Uw huidige wachtwoord klopt niet"), _("Vul het wachtwoord in waarmee u nu inlogt.")),
    "R17": ErrorText(_("Dit adres hebben wij al"), _("Vul een ander adres in dan u nu hebt.")),
    "R18": ErrorText(_("De QR-code is verlopen"), _("Verwijder hem uit uw app en scan de nieuwe code hieronder.")),
    "R14": ErrorText(_("Dit is geen code"), _("Vul de 6 of 8 cijfers in die uw responder toont.")),
    "R15": ErrorText(
        _("De klok van uw responder loopt niet gelijk"),
        _("Vul de code in die u nu ziet, en daaronder de code die daarna komt."),
    ),
    "CHOOSE_ONE": ErrorText(_("U hebt nog niets gekozen"), _("Kies voor welke organisatie u inlogt.")),
    "DEVICE_CODE": ErrorText(
        _("Deze code kennen wij niet"),
        _("Vul de code in die uw apparaat nu toont. Een code werkt 10 minuten en één keer."),
    ),
    "CONSENT_NEEDED": ErrorText(
        _("Er ontbreekt nog een gegeven"),
        _("De dienst kan niet zonder de gegevens waar dat bij staat. Geef toestemming of annuleer."),
    ),
}

_MESSAGES: dict[str, ErrorText] = {
    "P01": ErrorText(_("Wij kennen deze dienst niet"), _AT_THE_SERVICE),
    "P02": ErrorText(_("De handtekening van de dienst klopt niet"), _AT_THE_SERVICE),
    "P03": ErrorText(_("Het adres van de dienst is niet bij ons bekend"), _AT_THE_SERVICE),
    "P04": ErrorText(_("De aanvraag van de dienst is verlopen"), _BEGIN_AGAIN),
    "P05": ErrorText(_("Deze aanvraag is al gebruikt"), _BEGIN_AGAIN),
    "P06": ErrorText(_("Zo kan de dienst het niet vragen"), _AT_THE_SERVICE),
    "P07": ErrorText(_("De dienst vraagt een niveau dat niet kan"), _AT_THE_SERVICE),
    "P08": ErrorText(_("De aanvraag was niet voor ons bedoeld"), _AT_THE_SERVICE),
    "P09": ErrorText(_("De dienst vraagt een gegeven dat wij niet geven"), _AT_THE_SERVICE),
    "P10": ErrorText(_("Wij kunnen de aanvraag van de dienst niet lezen"), _AT_THE_SERVICE),
    "P11": ErrorText(_("De aanvraag van de dienst is niet goed beveiligd"), _AT_THE_SERVICE),
    "P12": ErrorText(_("De dienst kon zich niet bekendmaken"), _AT_THE_SERVICE),
    "P13": ErrorText(_("De aanvraag van de dienst is niet bruikbaar"), _AT_THE_SERVICE),
    "P14": ErrorText(_("De gegevens van de dienst zijn verlopen"), _AT_THE_SERVICE),
    "P15": ErrorText(_("De dienst vraagt iets dat wij niet kennen"), _AT_THE_SERVICE),
    "P16": ErrorText(_("Ongemerkt inloggen kan nu niet"), _BEGIN_AGAIN),
}

_PAGES: dict[str, ErrorText] = {
    "LOCKED": ErrorText(
        _("Uw middel is geblokkeerd"),
        _("Er zijn te veel onjuiste codes ingevuld. Bel de klantenservice om de blokkade op te heffen."),
    ),
    "EXPIRED_PAGE": ErrorText(_("Deze pagina is verlopen"), _BEGIN_AGAIN),
    "NO_COOKIES": ErrorText(
        _("Uw browser bewaart geen cookies"),
        _("Zonder cookies kunt u niet inloggen. Zet cookies aan voor deze site en begin opnieuw bij de dienst."),
    ),
    "OVERLOADED": ErrorText(_("Het is nu erg druk"), _("Probeer het over een minuut opnieuw.")),
    "INTERNAL": ErrorText(
        _("Er ging iets mis bij ons"),
        _("Dit ligt niet aan u. Probeer het over een paar minuten opnieuw."),
    ),
    "HTTP_403": ErrorText(_("U mag deze pagina niet openen"), _BACK),
    "HTTP_404": ErrorText(_("Deze pagina bestaat niet"), _("Controleer het adres boven in uw browser.")),
    "HTTP_405": ErrorText(_("Zo kan deze pagina niet worden gebruikt"), _BACK),
    "HTTP_410": ErrorText(_("Deze pagina is verlopen"), _BEGIN_AGAIN),
    "HTTP_413": ErrorText(_("Dit is te groot"), _("Wij kunnen niet zo veel tegelijk ontvangen.")),
    "HTTP_429": ErrorText(_("Te vaak geprobeerd"), _("Probeer het later opnieuw.")),
    "HTTP_503": ErrorText(_("Het is nu erg druk"), _("Probeer het over een minuut opnieuw.")),
}

ERRORS = _STEPS | _MESSAGES | _PAGES
