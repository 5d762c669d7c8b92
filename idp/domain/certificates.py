"""Personal certificates: who is named in one, and what can be wrong with it (F17, D15, domain 8.12)."""

from dataclasses import dataclass
from enum import StrEnum


class CertificateFault(StrEnum):
    """Why a certificate proves nothing; each has its own sentence beside D15."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    UNTRUSTED = "untrusted"
    PURPOSE = "purpose"
    REVOKED = "revoked"
    REVOCATION_UNKNOWN = "revocation-unknown"
    OTHER_PERSON = "other-person"


@dataclass(frozen=True, slots=True)
class CertificateIdentity:
    """What a certificate is bound by: its issuer and serial number, and the serialNumber of its subject.

    ``issuer`` and ``subject`` are names as RFC 4514 writes them, ``serial`` is in hexadecimal digits.
    """

    issuer: str
    serial: str
    subject_serial: str
    subject: str

    def binds(self, other: "CertificateIdentity") -> bool:
        """Whether two are the same certificate of the same person."""
        return (self.issuer, self.serial, self.subject_serial) == (other.issuer, other.serial, other.subject_serial)
