"""A person at the login pages: fills in the forms as a browser without scripts would."""

import hashlib
import hmac
import json
import re
import struct
import time
from base64 import b32decode
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.http import Browser, FlowFailed, Reply

_TOKEN = re.compile(rb'name="csrf_token" value="([^"]+)"')
_MOST_PAGES = 6


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with a password and a responder."""

    username: str
    password: str
    code: Callable[[], str]


def log_in(browser: Browser, reply: Reply, person: Person) -> Reply:
    """From the redirect to the first page to the reply that leaves the login; raises ``FlowFailed``."""
    for _ in range(_MOST_PAGES):
        if reply.status != 303 or "/login/" not in reply.location:
            return reply
        reply = step(browser, reply.location, person)
    raise FlowFailed("the login does not end")


def step(browser: Browser, location: str, person: Person) -> Reply:
    """Open one page of a login and send what it asks."""
    page = browser.get(location).expect(200)
    return browser.submit(location, _answers(page.body, person))


def _answers(page: bytes, person: Person) -> dict[str, str]:
    found = _TOKEN.search(page)
    if found is None:
        raise FlowFailed(f"a page without a form: {page[:300]!r}")
    token = {"csrf_token": found[1].decode()}
    if b'data-page="login-password"' in page:
        return token | {"step": "password", "username": person.username, "password": person.password}
    if b'data-page="login-code"' in page:
        return token | {"step": "code", "code": person.code()}
    raise FlowFailed(f"neither password nor code is asked: {re.sub(rb'<[^>]+>', b' ', page)[:400]!r}")


def persona(browser: Browser, name: str) -> Person:
    """A person of the laboratory, with the pocket responder of the laboratory."""
    known = json.loads(browser.get("/lab/api/personas").expect(200).body)
    found = next(one for one in known if one["username"] == name or one["id"] == name)
    username = found["username"]
    return Person(
        username,
        found["password"],
        lambda: str(json.loads(browser.get(f"/lab/api/otp/{username}").expect(200).body)["code"]),
    )


def synthetic(username: str, password: str, secret: str) -> Person:
    """An account of ``idp lab populate``; the driver computes its codes itself (RFC 6238, SHA-1, 6 digits, 30 s)."""
    key = b32decode(secret + "=" * (-len(secret) % 8))
    return Person(username, password, lambda: totp(key, time.time()))


def totp(key: bytes, now: float) -> str:
    """The code of a key at an instant."""
    digest = hmac.digest(key, struct.pack(">Q", int(now) // 30), hashlib.sha1)
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"
