"""What stands in the profile about each deed and each state, in Dutch (docs/texts.md)."""

from flask_babel import lazy_gettext as _

from idp.domain.audit import Event
from idp.domain.means import MeansStatus

DEEDS = {
    Event.LOGIN_GRANTED: _("Ingelogd"),
    Event.LOGIN_REFUSED: _("Niet toegelaten bij een dienst"),
    Event.PASSWORD_REFUSED: _("Onjuist wachtwoord ingevuld"),
    Event.CODE_REFUSED: _("Onjuiste code ingevuld"),
    Event.ACCOUNT_BLOCKED: _("Geblokkeerd na te veel onjuiste codes"),
    Event.PASSWORD_CHANGED: _("Wachtwoord gewijzigd"),
    Event.EMAIL_CHANGE_ASKED: _("Ander e-mailadres gevraagd"),
    Event.EMAIL_CHANGED: _("E-mailadres gewijzigd"),
    Event.EMAIL_RESTORED: _("Wijziging van e-mailadres teruggedraaid"),
    Event.RESPONDER_PAIRED: _("Responder gekoppeld"),
    Event.RESPONDER_LOST: _("Responder kwijt gemeld"),
    Event.RECOVERY_CODES_MADE: _("Herstelcodes gemaakt"),
    Event.RECOVERY_CODE_USED: _("Herstelcode gebruikt"),
    Event.RESET_ASKED: _("Andere responder gevraagd, met wachttijd"),
    Event.RESET_CANCELLED: _("Andere responder tegengehouden"),
    Event.PASSKEY_ADDED: _("Beveiligingssleutel of passkey toegevoegd"),
    Event.PASSKEY_REMOVED: _("Beveiligingssleutel of passkey verwijderd"),
    Event.DATA_EXPORTED: _("Gegevens gedownload"),
    Event.ERASURE_ASKED: _("Verwijderen van gegevens gevraagd"),
}
MEANS_STATES = {
    MeansStatus.ORDERED: _("aangevraagd"),
    MeansStatus.AWAITING_ACTIVATION: _("nog niet geactiveerd"),
    MeansStatus.ACTIVE: _("actief"),
    MeansStatus.SUSPENDED: _("gepauzeerd"),
    MeansStatus.EXPIRED: _("verlopen"),
    MeansStatus.REVOKED: _("ingetrokken"),
    MeansStatus.SUPERSEDED: _("vervangen"),
}
