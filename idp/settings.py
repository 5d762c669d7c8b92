"""Settings: one TOML file laid over the defaults, checked before anything starts."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from idp.domain.assurance import Level
from idp.sections import Certificates, KeyFiles, Mail, Oidc, Otp, Recovery, Saml, Throttle


class BadSettings(Exception):
    """The settings are not usable; the text is one sentence that names the key and the remedy."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where we are and who may speak for others.

    ``certificate_url`` is the base URL where connections bring a client certificate, empty where there is none.
    """

    base_url: str
    certificate_url: str
    production: bool
    hosts: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    workers: int
    threads: int


@dataclass(frozen=True, slots=True)
class Database:
    """Where the state lives."""

    url: str
    pool: int
    statement_seconds: int


@dataclass(frozen=True, slots=True)
class Brand:
    """Who we are to people; invented unless configured (RUL-6)."""

    name: str
    phone: str
    email: str
    hours: str
    address: tuple[str, ...]

    @property
    def whole_phone(self) -> str:
        """The phone number as it stands in a sentence: never over two lines."""
        return self.phone.replace(" ", "\N{NO-BREAK SPACE}")


@dataclass(frozen=True, slots=True)
class Login:
    """How long a login and a kept session may last."""

    minutes: int
    idle_minutes: int
    session_minutes: int
    levels: tuple[str, ...]
    passwords: str


@dataclass(frozen=True, slots=True)
class Argon2:
    """The cost of a password check and how many may run and wait (RUL-22)."""

    memory_kib: int
    time: int
    lanes: int
    at_once: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Lab:
    """The laboratory; refused in production and on public addresses (SEC-44).

    ``frozen_at`` is the instant in ISO 8601 at which its clock stands from the start, empty when it runs; ``worker``
    lets ``idp demo`` do the jobs of ``idp worker`` as well.
    """

    enabled: bool
    frozen_at: str
    worker: bool


@dataclass(frozen=True, slots=True)
class Ui:
    """Stylesheets of a deployer's own theme, after ours."""

    stylesheets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the files of the product are found."""

    data: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set; config/default.toml explains each key."""

    server: Server
    database: Database
    brand: Brand
    login: Login
    argon2: Argon2
    otp: Otp
    throttle: Throttle
    keys: KeyFiles
    saml: Saml
    oidc: Oidc
    certificates: Certificates
    mail: Mail
    recovery: Recovery
    lab: Lab
    ui: Ui
    paths: Paths

    @property
    def secure(self) -> bool:
        """Whether people reach us over https, which decides about cookies (RUL-2)."""
        return self.server.base_url.startswith("https://")

    @property
    def lacking_for_certificates(self) -> str:
        """The setting without which nobody can show a certificate, so that nobody reaches EH4; empty when none is."""
        own = self.certificates
        if not self.server.certificate_url:
            return "server.certificate_url"
        if not own.roots:
            return "certificates.roots"
        listened = own.header or self.own_listener is not None
        return "" if listened else "certificates.tls_certificate with tls_key, or certificates.header"

    @property
    def highest(self) -> Level:
        """The highest level that may be asked here (AD-3)."""
        return max(Level[name] for name in self.login.levels)

    @property
    def offered(self) -> tuple[str, ...]:
        """The levels that somebody can reach here (AD-3)."""
        return tuple(one for one in self.login.levels if one != "EH4" or not self.lacking_for_certificates)

    @property
    def own_listener(self) -> int | None:
        """The port at which ``idp serve`` listens for certificates itself; None where it does not (RUL-29)."""
        own, address = self.certificates, urlsplit(self.server.certificate_url)
        return address.port or 443 if address.hostname and own.tls_certificate and own.tls_key else None


def load(
    file: Path | None, overrides: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Settings from the defaults, a file, ``IDP_<SECTION>_<KEY>`` variables and overrides, the last one winning.

    ``overrides`` maps ``section.key`` to a value. Raises ``BadSettings``.
    """
    tables: dict[str, dict[str, Any]] = tomllib.loads(product_file("config", "default.toml").read_text())
    if file is not None:
        _lay_over(tables, _read(file))
    for name, text in (os.environ if environ is None else environ).items():
        section, _, key = name.removeprefix("IDP_").lower().partition("_")
        if name.startswith("IDP_") and key in tables.get(section, {}):
            tables[section][key] = _from_text(text, tables[section][key], f"{section}.{key}")
    for path, value in (overrides or {}).items():
        section, key = path.split(".")
        tables[section][key] = value
    settings = Settings(**{section.name: _section(section.name, tables) for section in fields(Settings)})
    _refuse_unsafe(settings)
    return settings


def product_file(*parts: str) -> Path:
    """A file that ships with the product: beside the package in a wheel, one folder up in a checkout."""
    package = Path(__file__).parent
    installed = package / f"_{parts[0]}"
    return (installed if installed.exists() else package.parent / parts[0]).joinpath(*parts[1:])


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"The settings file {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadSettings(f"The settings file {file} is not text in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"The settings file {file} is not valid TOML: {error}.") from None


def _lay_over(tables: dict[str, dict[str, Any]], above: Mapping[str, Any]) -> None:
    for section, values in above.items():
        if section not in tables or not isinstance(values, dict):
            raise BadSettings(f"Unknown section [{section}]; config/default.toml lists every section.")
        for key, value in values.items():
            if key not in tables[section]:
                raise BadSettings(f"Unknown key {section}.{key}; config/default.toml lists every key.")
            tables[section][key] = value


def _section(name: str, tables: Mapping[str, dict[str, Any]]) -> Any:
    kind: Any = get_type_hints(Settings)[name]
    hints = get_type_hints(kind)
    return kind(**{key: _typed(value, hints.get(key), f"{name}.{key}") for key, value in tables[name].items()})


def _typed(value: Any, hint: Any, key: str) -> Any:
    if hint is None:
        raise BadSettings(f"Unknown key {key}; config/default.toml lists every key.")
    if hint == tuple[str, ...] and isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise BadSettings(f"The value of {key} must be {'a list of texts' if hint == tuple[str, ...] else hint.__name__}.")


def _from_text(text: str, example: Any, key: str) -> Any:
    if isinstance(example, bool):
        if text.lower() not in ("true", "false"):
            raise BadSettings(f"The value of {key} must be true or false.")
        return text.lower() == "true"
    if isinstance(example, int):
        if not text.isdecimal():
            raise BadSettings(f"The value of {key} must be a whole number.")
        return int(text)
    return [one.strip() for one in text.split(",") if one.strip()] if isinstance(example, list) else text


def _refuse_unsafe(settings: Settings) -> None:
    parts = urlsplit(settings.server.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise BadSettings("server.base_url must be an address without a path, such as https://login.example.nl.")
    if settings.server.production and parts.scheme != "https":
        raise BadSettings("In production server.base_url must begin with https://.")
    listener = settings.server.certificate_url
    if listener and not (listener.startswith("https://") and urlsplit(listener).hostname):
        raise BadSettings("server.certificate_url must begin with https://, because certificates are shown over TLS.")
    _refuse_unknown_words(settings)
    if settings.lab.enabled and settings.server.production:
        raise BadSettings("lab.enabled cannot be true in production; set it to false.")
    if settings.lab.enabled and not is_local(parts.hostname):
        raise BadSettings(
            "lab.enabled needs a base URL on loopback or below .test; set server.base_url or lab.enabled."
        )


def _refuse_unknown_words(settings: Settings) -> None:
    """Settings that are one of a few words."""
    if settings.mail.security not in ("starttls", "tls", "none"):
        raise BadSettings("mail.security must be starttls, tls or none.")
    near = is_local(settings.mail.host) or "." not in settings.mail.host
    if settings.mail.security == "none" and not near:
        raise BadSettings(
            "mail.security can be none only for a server on this machine or beside its container; use starttls or tls."
        )
    if settings.oidc.registration not in ("closed", "token", "open"):
        raise BadSettings("oidc.registration must be closed, token or open.")
    if settings.oidc.registration == "open" and not settings.lab.enabled:
        raise BadSettings("oidc.registration can be open only in the laboratory; use token.")
    if any(one not in Level.__members__ for one in settings.login.levels) or not settings.offered:
        raise BadSettings(f"login.levels must name levels that can be reached: {', '.join(Level.__members__)}.")
    if settings.login.passwords not in ("classic", "modern"):
        raise BadSettings("login.passwords must be classic or modern.")


def is_local(host: str) -> bool:
    """Whether a host is loopback or below .test, where the laboratory may run (SEC-44)."""
    if host == "localhost" or host.endswith(".test"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
