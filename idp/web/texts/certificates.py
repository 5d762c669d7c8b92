"""What can be wrong with a personal certificate, in the words of D15."""

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from idp.domain.certificates import CertificateFault

CERTIFICATE_TEXTS: dict[CertificateFault, LazyString] = {
    CertificateFault.MISSING: _(
        "Uw browser heeft geen certificaat laten zien. Sluit uw kaart aan en kies het certificaat."
    ),
    CertificateFault.UNREADABLE: _(
        "Wij kunnen het certificaat niet lezen. Vraag de uitgever om een nieuw certificaat."
    ),
    CertificateFault.NOT_YET_VALID: _("Het certificaat is nog niet geldig. Controleer de begindatum bij de uitgever."),
    CertificateFault.EXPIRED: _("Het certificaat is verlopen. Vraag de uitgever om een nieuw certificaat."),
    CertificateFault.UNTRUSTED: _("Het certificaat is niet van PKIoverheid. Kies uw PKIoverheid-certificaat."),
    CertificateFault.PURPOSE: _(
        "Met dit certificaat kunt u niet inloggen. Kies uw persoonlijke certificaat voor inloggen."
    ),
    CertificateFault.REVOKED: _("Het certificaat is ingetrokken. Vraag de uitgever om een nieuw certificaat."),
    CertificateFault.REVOCATION_UNKNOWN: _(
        "Wij kunnen nu niet nagaan of het certificaat is ingetrokken. Probeer het over een paar minuten opnieuw."
    ),
    CertificateFault.OTHER_PERSON: _("Het certificaat hoort niet bij uw account. Kies uw eigen certificaat."),
}
