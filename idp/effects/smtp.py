"""Mail over SMTP with TLS and authentication, in a bounded time (SEC-39)."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from threading import Timer

from idp.ports import Mail, MailDelayed, MailRefused
from idp.sections import Mail as MailSettings

# A server that answers each command in time, but all of them slowly, is let go after so many single waits.
_WAITS = 6
_PERMANENT = range(500, 600)
# What is wrong with us, not with the mail: it stays in the outbox until an operator has mended it.
_OURS = frozenset({530, 534, 535, 538})


class SmtpPost:
    """Hands each mail to one server over a connection of its own."""

    def __init__(self, settings: MailSettings, name: str, address: str, domain: str) -> None:
        """``name`` and ``address`` are whom mails come from, ``domain`` what we call ourselves."""
        self._settings = settings
        self._from, self._domain = Address(name, addr_spec=settings.sender or address), domain

    def send(self, mail: Mail) -> None:
        """Return once the server took it. Raises ``MailRefused`` when it never will, ``MailDelayed`` otherwise.

        A connection that breaks after the message was sent and before the server answered says nothing either way: the
        mail is then tried again, and the same Message-ID lets its receiver see that it is the same (RFC 5321, 4.5.5).
        """
        try:
            message = self._message(mail)
        except (ValueError, UnicodeError) as error:
            raise MailRefused("address") from error
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            _judge(next(iter(error.recipients.values()))[0], "recipient", error)
        except smtplib.SMTPDataError as error:
            _judge(error.smtp_code, "data", error)
        except smtplib.SMTPNotSupportedError as error:
            raise MailDelayed("unsupported") from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailDelayed(type(error).__name__) from error

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=WIRE)
        message["From"] = self._from
        message["To"] = Address(addr_spec=mail.recipient)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.at)
        message["Message-ID"] = f"<{mail.id}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text, cte="quoted-printable")
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        message.set_boundary(f"=_{mail.id}")
        return message

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server = self._line()
        cut = Timer(self._settings.timeout_seconds * _WAITS, _cut, [server])
        cut.daemon = True
        cut.start()
        try:
            server.connect(self._settings.host, self._settings.port)
            if self._settings.security == "starttls":
                server.starttls(context=self._trust())
            if self._settings.username:
                server.login(self._settings.username, self._settings.password)
            yield server
            # It has taken the mail: how it says goodbye changes nothing.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            cut.cancel()
            server.close()

    def _line(self) -> smtplib.SMTP:
        wait = self._settings.timeout_seconds
        line: smtplib.SMTP
        if self._settings.security == "tls":
            line = smtplib.SMTP_SSL(local_hostname=self._domain, timeout=wait, context=self._trust())
        else:
            line = smtplib.SMTP(local_hostname=self._domain, timeout=wait)
        # smtplib checks the certificate against the name it was constructed with; we connect later, within the bound.
        line._host = self._settings.host  # type: ignore[attr-defined]  # it has no public name
        return line

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._settings.ca_file or None)


def _judge(code: int, what: str, error: Exception) -> None:
    if code in _PERMANENT and code not in _OURS:
        raise MailRefused(f"{what}-{code}") from error
    raise MailDelayed(f"{what}-{code}") from error


def _cut(server: smtplib.SMTP) -> None:
    line = server.sock
    if isinstance(line, socket.socket):
        with suppress(OSError):
            # Below TLS, so that whoever waits for an answer hears at once that none comes.
            socket.socket.shutdown(line, socket.SHUT_RDWR)
