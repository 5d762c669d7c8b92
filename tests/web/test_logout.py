"""Logout by every binding in every profile: the session is over, and whoever asked hears of it (domain 3.8, AD-4)."""

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from idp.domain.parties import Profile
from idp.ports import KeyUse
from idp.protocols.saml.xmlsec.encryption import DEPLOYED, Envelope, Recipient, Wrapper, encrypt
from idp.protocols.saml.xmlsec.xml import SAML
from tests.protocol.saml_messages import POST, REDIRECT, SAML_PROFILES, SCHEME, TRANSIENT
from tests.web.kit import Page, Site
from tests.web.saml_kit import OURS, SOAP_BINDING, Leaving, Relying, Replying, carried, over_soap

BINDINGS = ("redirect", "post", "soap")
HOW = pytest.mark.parametrize("binding", BINDINGS)
WHO = pytest.mark.parametrize("profile", SAML_PROFILES)
ASK_TRANSIENT = f'<samlp:NameIDPolicy Format="{TRANSIENT}"/>'


def known_at(site: Site, profile: Profile, **changes: object) -> Relying:
    """A party of the municipality or of UWV."""
    return Relying(site, "one.example.test", "UWV", profile, **changes).register()  # type: ignore[arg-type]


def answered(site: Site, leaving: Leaving, binding: str) -> str:
    """The status that the party hears, whichever way it asked."""
    response = leaving.send(binding)
    if binding == "soap":
        return over_soap(response).status
    found = carried(site.office, response, leaving.party)
    assert (found.relay_state, found.binding) == ("rs-1", binding)
    return found.status


@WHO
@HOW
def test_a_session_is_over(site: Site, profile: Profile, binding: str) -> None:
    """After a LogoutRequest the next sign-on asks the password again; the answer is Success (domain 3.8)."""
    party = known_at(site, profile)
    known = party.log_in("anna")
    assert known.index
    assert not party.needs_password()
    assert answered(site, Leaving(party, known), binding) == "Success"
    assert party.needs_password()


@WHO
@HOW
def test_a_session_that_is_gone_is_no_fault(site: Site, profile: Profile, binding: str) -> None:
    """A second logout of the same session is answered with Success (domain 3.8)."""
    party = known_at(site, profile)
    known = party.log_in("anna")
    answered(site, Leaving(party, known), binding)
    assert answered(site, Leaving(party, known), binding) == "Success"


@pytest.mark.parametrize("profile", SCHEME)
@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_in_the_scheme_the_person_reads_what_stays(site: Site, profile: Profile, binding: str) -> None:
    """The page confirms, tells to log out elsewhere, and leads back by a button that nobody presses for them."""
    party = known_at(site, profile)
    page = Page(Leaving(party, party.log_in("anna")).send(binding))
    text = page.soup.get_text(" ", strip=True)
    assert page.name == "logged-out"
    assert "Log daar zelf uit of sluit alle vensters van uw browser." in text
    assert page.soup.find(attrs={"data-auto": True}) is None
    assert page.control("return").get_text(strip=True).startswith("Terug naar ")


@pytest.mark.parametrize("profile", SCHEME)
def test_in_the_scheme_no_other_party_hears(site: Site, profile: Profile) -> None:
    """Everyone ends its own session: no page leads past a generic party of the same session."""
    other = Relying(site, "other.example.test", "UWV").register()
    party = known_at(site, profile)
    other.log_in("anna")
    known = party.log_in("anna")
    assert Page(Leaving(party, known).send("redirect")).name == "logged-out"
    assert other.needs_password()


@WHO
@HOW
def test_without_an_index_every_session_of_the_name_ends(site: Site, profile: Profile, binding: str) -> None:
    """A LogoutRequest that names the person alone is about all of its sessions at that party."""
    party = known_at(site, profile)
    known = party.log_in("anna")
    assert answered(site, Leaving(party, known, indexes=()), binding) == "Success"
    assert party.needs_password()


def test_a_transient_name_is_known_again(site: Site) -> None:
    """A generic party that asked a transient name logs out by it, with and without an index."""
    party = known_at(site, Profile.GENERIC)
    for indexes in (None, ()):
        known = party.log_in("anna", inside=ASK_TRANSIENT)
        assert known.format == TRANSIENT
        assert answered(site, Leaving(party, known, indexes=indexes), "redirect") == "Success"
        assert party.needs_password()


@WHO
@HOW
def test_an_encrypted_name_is_read(site: Site, profile: Profile, binding: str) -> None:
    """A NameID that is encrypted for us says who is to be logged out."""
    party = known_at(site, profile)
    known = party.log_in("anna")
    key = site.office.keys.active(KeyUse.SAML_ENCRYPTION).public
    public = load_pem_public_key(key.public_pem.encode())
    plain = f'<saml:NameID xmlns:saml="{SAML}" Format="{known.format}">{known.name}</saml:NameID>'
    sealed = encrypt(
        plain.encode(),
        [Recipient("us", key.kid, public)],
        Envelope(Wrapper.ENCRYPTED_ID, DEPLOYED),
        site.office.entropy.bytes,
    )
    assert answered(site, Leaving(party, known, name_id=sealed.decode()), binding) == "Success"
    assert party.needs_password()


@pytest.mark.parametrize("indexes", [None, ()])
def test_a_name_that_cannot_be_decrypted_is_refused(site: Site, indexes: tuple[str, ...] | None) -> None:
    """An EncryptedID for somebody else is P10 on our own page, and ends nothing."""
    party = known_at(site, Profile.GENERIC)
    known = party.log_in("anna")
    key = site.office.keys.active(KeyUse.SAML_SIGNING).public
    recipient = Recipient("them", key.kid, load_pem_public_key(key.public_pem.encode()))
    name = f'<saml:NameID xmlns:saml="{SAML}">{known.name}</saml:NameID>'.encode()
    sealed = encrypt(name, [recipient], Envelope(Wrapper.ENCRYPTED_ID, DEPLOYED), site.office.entropy.bytes)
    response = Leaving(party, known, name_id=sealed.decode(), indexes=indexes).send("post")
    assert (response.status_code, Page(response).error) == (400, "P10")
    assert not party.needs_password()


@WHO
@HOW
def test_a_session_of_another_person_is_refused(site: Site, profile: Profile, binding: str) -> None:
    """An index that belongs to someone else ends nothing, and the party hears that they do not belong together."""
    party = known_at(site, profile)
    known = party.log_in("anna")
    expected = "Requester/UnknownPrincipal" if profile is Profile.GENERIC else "Requester/RequestUnsupported"
    assert answered(site, Leaving(party, replace(known, name="_" + "0" * 32)), binding) == expected
    assert not party.needs_password()


@WHO
def test_a_session_of_another_party_is_not_ended(site: Site, profile: Profile) -> None:
    """A party cannot end a session by what another party was told (SEC-14)."""
    party = known_at(site, profile)
    other = Relying(site, "other.example.test", "UWV").register()
    known = party.log_in("anna")
    assert answered(site, Leaving(other, replace(known, qualifier="", sp_qualifier="")), "post") == "Success"
    assert not party.needs_password()


@WHO
@HOW
@pytest.mark.parametrize(
    ("fault", "of_generic"),
    [
        ({"Destination": "https://elsewhere.example.test/slo"}, "Requester"),
        ({"Version": "2.1"}, "VersionMismatch"),
        ({"IssueInstant": "2026-01-14T10:00:00Z"}, "Requester"),
        ({"NotOnOrAfter": "2026-01-14T10:00:00Z"}, "Requester"),
    ],
    ids=["destination", "version", "issued", "ended"],
)
def test_an_odd_request_hears_of_it_and_still_ends_the_session(
    site: Site, profile: Profile, binding: str, fault: dict[str, str | None], of_generic: str
) -> None:
    """A fault is answered as the status table says; what the request names by index is over all the same."""
    party = known_at(site, profile)
    known = party.log_in("anna")
    expected = of_generic if profile is Profile.GENERIC else "Requester"
    assert answered(site, Leaving(party, known, attributes=fault), binding) == expected
    assert party.needs_password()


@pytest.mark.parametrize("ends", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_an_end_at_the_edge_of_time_is_no_fault_of_ours(site: Site, ends: str) -> None:
    """A request that never ends, as some write it, is obeyed; an instant that cannot be is P10 (SEC-2)."""
    party = known_at(site, Profile.GENERIC)
    leaving = Leaving(party, party.log_in("anna"), {"NotOnOrAfter": ends})
    response = leaving.send("redirect")
    if ends.endswith("59Z"):
        assert carried(site.office, response, party).status == "Success"
        assert party.needs_password()
    else:
        assert (response.status_code, Page(response).error) == (400, "P10")


def test_a_stale_request_without_an_index_ends_nothing(site: Site) -> None:
    """An old request that names a person for ever is no way to log that person out again and again."""
    party = known_at(site, Profile.GENERIC)
    known = party.log_in("anna")
    stale = Leaving(party, known, {"IssueInstant": "2026-01-14T10:00:00Z"}, indexes=())
    assert answered(site, stale, "post") == "Requester"
    assert not party.needs_password()


def test_a_stale_request_with_an_index_ends_no_later_session(site: Site) -> None:
    """Whoever kept the address of an old logout cannot log that browser out again and again (SEC-14)."""
    party = known_at(site, Profile.GENERIC)
    known = party.log_in("anna")
    assert answered(site, Leaving(party, known), "redirect") == "Success"
    party.log_in("anna")
    assert not party.needs_password()
    stale = Leaving(party, known, {"IssueInstant": "2026-01-14T10:00:00Z"})
    assert answered(site, stale, "redirect") == "Requester"
    assert not party.needs_password()


@WHO
def test_a_replayed_request_is_our_own_page(site: Site, profile: Profile) -> None:
    """The same message a second time is P05 and goes nowhere (RUL-25)."""
    party = known_at(site, profile)
    known = party.log_in("anna")
    same: dict[str, str | None] = {"ID": "_the-same"}
    answered(site, Leaving(party, known, same), "redirect")
    response = Leaving(party, known, same).send("redirect")
    assert (response.status_code, Page(response).error) == (400, "P05")


@WHO
@HOW
def test_a_forged_request_ends_nothing(site: Site, profile: Profile, binding: str) -> None:
    """A request by a key that is not registered is P02: our page, or a SOAP fault (RUL-25, SEC-12)."""
    party = known_at(site, profile)
    response = Leaving(party, party.log_in("anna"), key="sp-encryption-next").send(binding)
    if binding == "soap":
        assert (response.status_code, b"P02 " in response.data) == (403, True)
    else:
        assert (response.status_code, Page(response).error) == (400, "P02")
    assert not party.needs_password()


def test_no_waiver_lets_an_unsigned_request_end_a_session(site: Site) -> None:
    """Where requests may come unsigned, a LogoutRequest may not."""
    party = known_at(site, Profile.GENERIC, settings={"require_signed_requests": "false"})
    leaving = Leaving(party, party.log_in("anna"))
    fields = {"SAMLRequest": b64encode(leaving.text()).decode()}
    response = site.post("/saml/slo", fields)
    assert (response.status_code, Page(response).error) == (400, "P02")
    assert not party.needs_password()


@pytest.mark.parametrize("bindings", [(), (SOAP_BINDING,)])
def test_who_cannot_be_answered_still_logs_out(site: Site, bindings: tuple[str, ...]) -> None:
    """Without a place for the answer the person sees our page, with a way back to the service."""
    party = known_at(site, Profile.GENERIC, bindings=bindings)
    page = Page(Leaving(party, party.log_in("anna")).send("post"))
    assert (page.name, page.control("return")["href"][:4]) == ("logged-out", "http")
    assert party.needs_password()


def test_a_later_session_of_the_same_browser_ends_too(site: Site) -> None:
    """Who logs in anew by force and then logs out by the earlier session is not left logged in at us."""
    party = known_at(site, Profile.GENERIC)
    known = party.log_in("anna")
    party.log_in("anna", ForceAuthn="true")
    assert answered(site, Leaving(party, known), "redirect") == "Success"
    assert party.needs_password()


def test_a_step_up_keeps_who_took_part(site: Site) -> None:
    """A session that grew by a second factor still ends by the index that an earlier party was told."""
    low = Relying(site, "low.example.test", "OLO").register()
    high = Relying(site, "high.example.test", "UWV").register()
    known = low.log_in("anna")
    high.log_in("anna")
    assert not high.needs_password()
    response = Leaving(low, known).send("redirect")
    assert response.status_code == 303
    assert high.needs_password()


# Propagation


def two(site: Site, bindings: tuple[str, ...] = (REDIRECT, POST)) -> tuple[Relying, Relying]:
    """Two generic parties at UWV and at the municipality."""
    first = Relying(site, "one.example.test", "UWV").register()
    second = Relying(site, "two.example.test", "GEM", bindings=bindings).register()
    return first, second


def visiting(site: Site, leaving: Leaving) -> Page:
    """The page that leads past the next party."""
    response = leaving.send("redirect")
    assert response.status_code == 303
    page = site.get(response.headers["Location"])
    assert page.name == "logout-visit"
    return page


@pytest.mark.parametrize("bindings", [(REDIRECT,), (POST,)])
@pytest.mark.parametrize("back", ["redirect", "post"])
def test_the_other_party_hears(site: Site, bindings: tuple[str, ...], back: str) -> None:
    """A generic logout leads past the other party with its own name and index; then the first hears Success."""
    first, second = two(site, bindings)
    known, there = first.log_in("anna"), second.log_in("anna")
    page = visiting(site, Leaving(first, known))
    asked = carried(site.office, page.response, second, "continue")
    assert asked.binding == ("redirect" if bindings == (REDIRECT,) else "post")
    name = asked.root.find(f"{{{SAML}}}NameID")
    assert (name.text, name.get("SPNameQualifier")) == (there.name, second.entity)
    assert [one.text for one in asked.root.iter("{*}SessionIndex")] == [there.index]
    ended = Replying(second, asked.root.get("ID")).send(back)
    found = carried(site.office, ended, first)
    assert (found.status, found.relay_state) == ("Success", "rs-1")
    assert first.needs_password()


def test_a_transient_party_hears_its_own_name(site: Site) -> None:
    """A party that was told a transient name is asked by that one."""
    first, second = two(site)
    known, there = first.log_in("anna"), second.log_in("anna", inside=ASK_TRANSIENT)
    page = visiting(site, Leaving(first, known))
    name = carried(site.office, page.response, second, "continue").root.find(f"{{{SAML}}}NameID")
    assert (name.text, name.get("Format")) == (there.name, TRANSIENT)


@pytest.mark.parametrize(
    "reply",
    [{"status": "Responder"}, {"key": "sp-encryption-next"}, {"key": None}],
    ids=["refused", "forged", "unsigned"],
)
def test_what_is_not_confirmed_is_partial(site: Site, reply: dict[str, str | None]) -> None:
    """A refusal, a forged and an unsigned answer confirm nothing, and are no dead end."""
    first, second = two(site)
    known = first.log_in("anna")
    second.log_in("anna")
    page = visiting(site, Leaving(first, known))
    asked = carried(site.office, page.response, second, "continue")
    ended = Replying(second, asked.root.get("ID"), **reply).send()  # type: ignore[arg-type]
    assert carried(site.office, ended, first).status == "Success/PartialLogout"


def test_another_party_cannot_confirm(site: Site) -> None:
    """An answer by a registered party that was not asked confirms nothing."""
    first, second = two(site)
    known = first.log_in("anna")
    second.log_in("anna")
    asked = carried(site.office, visiting(site, Leaving(first, known)).response, second, "continue")
    ended = Replying(first, asked.root.get("ID")).send()
    assert carried(site.office, ended, first).status == "Success/PartialLogout"


def test_a_silent_party_is_skipped(site: Site) -> None:
    """Whoever does not come back from a party goes on without it, by a form of ours with a token (SEC-33)."""
    first, second = two(site)
    known = first.log_in("anna")
    second.log_in("anna")
    page = visiting(site, Leaving(first, known))
    path = page.response.request.path
    fields = page.form_of("skip")
    assert site.post(path, {"step": "skip"}).status_code == 400
    ended = site.post(path, fields)
    assert carried(site.office, ended, first).status == "Success/PartialLogout"
    assert Page(site.post(path, fields)).error == "EXPIRED_PAGE"
    assert site.get(path).error == "EXPIRED_PAGE"


def test_an_answer_counts_once(site: Site) -> None:
    """A second answer to the same request, and one to no request, are our own page."""
    first, second = two(site)
    known = first.log_in("anna")
    second.log_in("anna")
    asked = carried(site.office, visiting(site, Leaving(first, known)).response, second, "continue")
    Replying(second, asked.root.get("ID")).send()
    for to in (asked.root.get("ID"), "_unknown"):
        response = Replying(second, to).send()
        assert (response.status_code, Page(response).error) == (400, "P13")


def test_a_party_without_the_service_makes_it_partial(site: Site) -> None:
    """Who registered no SingleLogoutService cannot be told, and the first hears that (SAML core 3.7.3)."""
    first, second = two(site, ())
    known = first.log_in("anna")
    second.log_in("anna")
    assert answered(site, Leaving(first, known), "redirect") == "Success/PartialLogout"


def test_over_soap_nobody_is_led_anywhere(site: Site) -> None:
    """A back-channel logout ends our session, and tells that a party of the browser was not reached."""
    first, second = two(site)
    known = first.log_in("anna")
    second.log_in("anna")
    assert answered(site, Leaving(first, known), "soap") == "Success/PartialLogout"
    assert second.needs_password()


def test_a_visit_lasts_a_quarter_of_an_hour(site: Site) -> None:
    """The page of a visit is gone after that (SEC-25)."""
    first, second = two(site)
    known = first.log_in("anna")
    second.log_in("anna")
    page = visiting(site, Leaving(first, known))
    site.office.clock.move(timedelta(minutes=16))  # type: ignore[attr-defined]
    assert site.get(page.response.request.path).error == "EXPIRED_PAGE"


# Our own way out


def test_the_person_logs_out_here(site: Site) -> None:
    """``/uitloggen`` asks, ends the session, leads past the generic parties, and says what became of it (S-10)."""
    first, second = two(site)
    first.log_in("anna")
    second.log_in("anna")
    page = site.get("/uitloggen")
    assert page.name == "logout"
    found = site.fill(page, {})
    for _ in range(2):
        assert isinstance(found, Page)
        assert found.name == "logout-visit"
        party = first if first.exit in found.response.text else second
        asked = carried(site.office, found.response, party, "continue")
        found = site.follow(Replying(party, asked.root.get("ID")).send())
    assert isinstance(found, Page)
    assert found.name == "logged-out"
    assert len(found.soup.select("ul li")) >= 2
    assert first.needs_password()


def test_leaving_needs_a_token_of_ours(site: Site) -> None:
    """A form of another site logs nobody out: it has no token, or a foreign origin (SEC-33)."""
    party = known_at(site, Profile.GENERIC)
    party.log_in("anna")
    assert site.post("/uitloggen", {}).status_code == 400
    fields = site.get("/uitloggen").form_of("step-form")
    response = site.post("/uitloggen", fields, headers={"Origin": "https://elsewhere.example.test"})
    assert response.status_code == 403
    assert not party.needs_password()


def test_who_is_not_logged_in_is_told(site: Site) -> None:
    """Logging out without a session is a page that says so and what protects one's data (domain 3.8)."""
    found = site.fill(site.get("/uitloggen"), {})
    assert isinstance(found, Page)
    assert "Sluit alle vensters van uw browser" in found.soup.get_text(" ", strip=True)


@pytest.mark.parametrize("path", ["/saml/slo", "/saml/1.13/slo", "/saml/1.11/slo"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/xml", "application/json", ""])
@pytest.mark.parametrize("body", [b"", b"SAMLRequest=", b"SAMLResponse=PGE%2BPC9hPg", b"<a/>", b"SAMLart=AAQ"])
def test_garbage_is_never_a_fault_of_ours(site: Site, path: str, kind: str, body: bytes) -> None:
    """Whatever comes to the address is a 4xx (SEC-2)."""
    assert 400 <= site.browser.post(path, data=body, content_type=kind, base_url=OURS).status_code < 500
    assert 400 <= site.browser.get(f"{path}?{body.decode()}", base_url=OURS).status_code < 500
