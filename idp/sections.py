"""Sections of the settings that stand on their own."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that takes our mails; without a host they wait in the outbox.

    ``security`` is ``starttls``, ``tls`` or ``none``; ``sender`` is the address of the brand when it is empty.
    """

    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    sender: str
    ca_file: str
    timeout_seconds: int
    give_up_hours: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """How people get back what they lost: the life of a link, and how many mails one account gets in a quarter of an
    hour before it is left in peace (SEC-31, F39).
    """

    link_minutes: int
    mails_at_once: int
    reset_hours: int


@dataclass(frozen=True, slots=True)
class Otp:
    """Windows of one-time codes, in steps (O-5)."""

    totp_window: int
    hotp_window: int
    resync_window: int


@dataclass(frozen=True, slots=True)
class Throttle:
    """Attempts before a delay; 0 turns a limit off (RUL-20)."""

    account_attempts: int
    source_attempts: int
    global_attempts: int
    window_minutes: int
    delay_seconds: int
    longest_minutes: int
    block_after: int


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where our keys are, how strong new ones are made, and how long they are told of before and after their time."""

    folder: str
    rsa_bits: int
    publish_days: int
    retire_days: int


@dataclass(frozen=True, slots=True)
class Saml:
    """Who we are in SAML, its times in seconds (RUL-26), and those of metadata in days (domain 6.1)."""

    oin: str
    index: int
    metadata_days: int
    overlap_days: int
    skew_seconds: int
    not_before_seconds: int
    valid_seconds: int
    artifact_seconds: int


@dataclass(frozen=True, slots=True)
class Oidc:
    """Lifetimes of what OIDC gives out, in seconds; ``client_authorities`` is a file (PEM), or empty.

    ``registration`` tells whether clients register themselves: ``closed``, ``token`` or ``open``; ``session_frame``
    whether pages may watch the session (Session Management).
    """

    code_seconds: int
    id_token_seconds: int
    access_seconds: int
    refresh_hours: int
    client_authorities: str
    registration: str
    session_frame: bool


@dataclass(frozen=True, slots=True)
class Certificates:
    """The roots of personal certificates, and who listens at ``server.certificate_url`` (RUL-29, F17).

    With ``tls_certificate`` and ``tls_key`` we listen there ourselves; with ``header`` a trusted proxy does, and hands
    over what it was shown.
    """

    roots: str
    between: str
    policies: tuple[str, ...]
    tls_certificate: str
    tls_key: str
    header: str
