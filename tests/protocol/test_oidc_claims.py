"""What a client is told about a login: by scope, by name, in the ID token and at userinfo."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from jsonschema import Draft202012Validator

from idp.domain.assertion import Assertion, LegalSubject
from idp.domain.identifiers import BranchNumber, KvkNumber
from idp.domain.login import LoginRequest
from idp.protocols.message import Answered, HttpMessage
from idp.protocols.oidc import documents, userinfo
from idp.services.authentication.login import Concluded, Visit, begin, step
from tests.protocol.oidc_kit import BASE, CALLBACK, FORM, LOA, NONCE, Provider, RelyingParty, parameters_of, told_by
from tests.protocol.test_oidc_requests import read

KVK = "urn:etoegang:1.9:EntityConcernedID:KvKnr"
RSIN = "urn:etoegang:1.9:EntityConcernedID:RSIN"
PERSON = "urn:etoegang:1.9:attribute:"
ALWAYS = {"sub", "sub_id_type", "acr", "represents"}
TOKEN = {"iss", "aud", "iat", "nbf", "exp", "jti", "auth_time", "at_hash", "nonce", "sid"}
FLAT = {
    "urn:etoegang:core:LegalSubjectID",
    "namequalifier",
    "urn:etoegang:core:ActingSubjectID",
    "urn:etoegang:1.11:attribute-represented:CompanyName",
    "organisation_name",
    "urn:etoegang:core:ServiceID",
    "urn:etoegang:core:ServiceUUID",
    "loa",
    "idp_id",
}


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.fixture(scope="module")
def party(provider: Provider) -> RelyingParty:
    """A client of UWV."""
    return provider.register()


def told(party: RelyingParty, **changes: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The claims of the ID token and of userinfo."""
    tokens = party.tokens(**changes)
    return party.provider.verified(tokens["id_token"]), told_by(party.provider.userinfo(tokens["access_token"]))


def told_of(party: RelyingParty, scope: str = "openid eherkenning kvk", **changes: Any) -> dict[str, Any]:
    """The ID token of a login that came out differently."""
    provider = party.provider
    result = party.begin(provider.log_in(), scope=scope)
    assert isinstance(result, Concluded)
    assert isinstance(result.outcome, Assertion)
    with provider.office.work("person") as work:
        code = provider.codec.record(work, result.incoming, replace(result.outcome, **changes))
    return provider.verified(told_by(party.redeem(code))["id_token"])


def test_a_plain_login_tells_no_more_than_it_must(party: RelyingParty) -> None:
    """With ``openid`` alone the ID token tells subject, level and organisation, and userinfo the same (11.1)."""
    token, information = told(party)
    assert set(token) == ALWAYS | TOKEN
    assert set(information) == ALWAYS
    assert {name: token[name] for name in ALWAYS} == information
    now = int(party.provider.clock.now().timestamp())
    assert (token["iss"], token["aud"], token["nonce"]) == (BASE, party.client_id, NONCE)
    assert (token["iat"], token["nbf"], token["exp"], token["auth_time"]) == (now, now, now + 300, now)
    assert "amr" not in token
    assert token["acr"] == LOA + "3"


def test_the_organisation_is_told_as_a_representation(party: RelyingParty) -> None:
    """``represents`` names the organisation by its KvK number, its RSIN beside it, never as the subject (11.1)."""
    token, _ = told(party)
    represented = token["represents"]
    assert (represented["iss"], represented["sub_id_type"]) == (BASE, KVK)
    assert represented["alt_sub"] == [{"iss": BASE, "sub": "850000038", "sub_id_type": RSIN}]
    assert token["sub"] not in (represented["sub"], "850000038")
    assert len(token["sub"]) == 97
    assert not {"exp", "aud", "nbf"} & set(represented)


def test_scopes_bring_the_flat_claims(party: RelyingParty) -> None:
    """``eherkenning`` brings the flat names that portals read, ``kvk`` the old single one (11.2, 11.3)."""
    token, information = told(party, scope="openid eherkenning")
    assert set(token) == ALWAYS | TOKEN | FLAT
    assert set(information) == ALWAYS | FLAT
    service = party.provider.service("UWV")
    assert (token["urn:etoegang:core:LegalSubjectID"], token["namequalifier"]) == (token["represents"]["sub"], KVK)
    assert token["urn:etoegang:core:ActingSubjectID"] == token["sub"]
    assert (token["urn:etoegang:core:ServiceID"], token["urn:etoegang:core:ServiceUUID"]) == (service.urn, service.uuid)
    assert (token["loa"], token["idp_id"]) == (LOA + "3", BASE)
    assert set(told(party, scope="openid kvk")[0]) - ALWAYS - TOKEN == {"kvk"}


def test_claims_come_by_name_where_they_are_asked(party: RelyingParty) -> None:
    """The ``claims`` parameter brings single claims to the one place that asked them; unknown names bring nothing."""
    asked = {
        "id_token": {"kvk": None, "made_up": None},
        "userinfo": {"loa": {"essential": True}, "namequalifier": None},
    }
    token, information = told(party, claims=json.dumps(asked))
    assert set(token) == ALWAYS | TOKEN | {"kvk"}
    assert set(information) == ALWAYS | {"loa", "namequalifier"}


def test_branches_are_told_as_portals_read_them(party: RelyingParty) -> None:
    """One branch is a text, several are a list, and both stand in ``represents`` (SR-3)."""
    one, two = BranchNumber("000000000001"), BranchNumber("000000000002")
    name = "urn:etoegang:1.9:ServiceRestriction:Vestigingsnr"
    single, several = told_of(party, branches=(one,)), told_of(party, branches=(one, two))
    assert (single[name], single["represents"]["branch_numbers"]) == (one, [one])
    assert (several[name], several["represents"]["branch_numbers"]) == ([one, two], [one, two])


def test_a_chain_is_nested(party: RelyingParty) -> None:
    """In a chain the intermediary stands outside and the organisation acted for inside (11.1, 11.3)."""
    middle = LegalSubject(KvkNumber("99900001"), None, "Tussenpersoon")
    service = party.provider.service("UWV")
    token = told_of(party, intermediaries=(middle,), branches=(BranchNumber("000000000001"),))
    outer, inner = token["represents"], token["represents"]["represents"]
    assert (outer["sub"], outer["name"], "branch_numbers" in outer) == ("99900001", "Tussenpersoon", False)
    assert (inner["sub"], inner["branch_numbers"]) == (token["urn:etoegang:core:LegalSubjectID"], ["000000000001"])
    assert token["urn:etoegang:core:IntermediateSubjectID"] == "99900001"
    assert token["urn:etoegang:1.9:IntermediateEntityID:KvKnr"] == "99900001"
    assert token["urn:etoegang:1.13:attribute-intermediate:CompanyName"] == "Tussenpersoon"
    assert service.entity_types[0] == (RSIN, KVK)
    assert "alt_sub" not in outer


def test_a_longer_chain_is_nested_deeper(party: RelyingParty) -> None:
    """From the own company inward to the organisation acted for; the flat claims name the own company (RUL-15)."""
    chosen = LegalSubject(KvkNumber("99900001"), None, "Tussenpersoon")
    own = LegalSubject(KvkNumber("99900002"), None, "Eigen bedrijf")
    token = told_of(party, intermediaries=(chosen, own), branches=(BranchNumber("000000000001"),))
    outer = token["represents"]
    middle, inner = outer["represents"], outer["represents"]["represents"]
    assert (outer["sub"], middle["sub"], "branch_numbers" in middle) == ("99900002", "99900001", False)
    assert (inner["sub"], inner["branch_numbers"]) == (token["urn:etoegang:core:LegalSubjectID"], ["000000000001"])
    assert token["urn:etoegang:core:IntermediateSubjectID"] == "99900002"
    assert token["urn:etoegang:1.9:IntermediateEntityID:KvKnr"] == "99900002"
    assert token["urn:etoegang:1.13:attribute-intermediate:CompanyName"] == "Eigen bedrijf"
    schema = json.loads(documents(party.provider.office)["/oidc/schemas/claims-1.json"][1])
    assert list(Draft202012Validator(schema).iter_errors(token)) == []


def test_an_organisation_without_rsin_is_told_by_its_kvk(party: RelyingParty) -> None:
    """The next set of the service applies where the first cannot be met (EC-2)."""
    token = told_of(party, principal=LegalSubject(KvkNumber("99900002"), None, "Eenmanszaak"))
    assert (token["represents"]["sub"], "alt_sub" in token["represents"]) == ("99900002", False)


def test_without_a_session_there_is_no_session_to_name(party: RelyingParty) -> None:
    """``sid`` stands only where a session was kept."""
    assert "sid" not in told_of(party, session=None)


def test_a_session_has_another_name_for_every_client(provider: Provider, party: RelyingParty) -> None:
    """Clients cannot tell by ``sid`` that they see the same session; one client sees it as one."""
    browser, other = provider.log_in(), provider.register()
    names = [provider.verified(one.tokens(browser)["id_token"])["sid"] for one in (party, party, other)]
    assert names[0] == names[1] != names[2]


def test_the_algorithm_is_the_clients(provider: Provider) -> None:
    """Every client gets its ID tokens in the algorithm it registered, under a key that says so."""
    for algorithm in ("RS256", "PS256", "ES256"):
        token = provider.register(id_token_signed_response_alg=algorithm).tokens()["id_token"]
        assert provider.verified(token, algorithm)["iss"] == BASE


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_userinfo_is_signed_where_the_client_asks(provider: Provider, algorithm: str) -> None:
    """Signed userinfo carries issuer and audience beside the same claims (Core 5.3.2)."""
    party = provider.register(userinfo_signed_response_alg=algorithm)
    document = provider.userinfo(party.tokens(scope="openid kvk")["access_token"])
    assert (document.status, document.content_type) == (200, "application/jwt")
    claims = provider.verified(document.body.decode(), algorithm)
    assert set(claims) == ALWAYS | {"kvk", "iss", "aud", "iat"}
    assert (claims["iss"], claims["aud"]) == (BASE, party.client_id)


def bearer(provider: Provider, message: HttpMessage) -> tuple[int, str]:
    """Status and challenge of a call to userinfo."""
    document = userinfo(provider.office, message, provider.clock.now())
    return document.status, document.headers.get("WWW-Authenticate", "")


def test_userinfo_takes_one_token_in_header_or_form(party: RelyingParty) -> None:
    """The token comes in the header or in a posted form; twice, or in the address, it is refused (RFC 6750)."""
    provider, access = party.provider, party.tokens()["access_token"]
    header = {"authorization": f"Bearer {access}"}
    form = f"access_token={access}".encode()
    get = HttpMessage("GET", "/oidc/userinfo", headers=header)
    post = HttpMessage("POST", "/oidc/userinfo", b"", form, FORM)
    for good in (get, replace(get, method="POST"), post, replace(get, headers={"authorization": f"bearer  {access}"})):
        assert bearer(provider, good)[0] == 200
    for bad in (
        replace(post, headers=header),
        replace(get, query=form),
        replace(get, query=form, headers={}),
        replace(get, query=b"%zz"),
        replace(post, body=form + b"&" + form),
        replace(post, body=b"%zz"),
    ):
        status, challenge = bearer(provider, bad)
        assert (status, 'error="invalid_request"' in challenge) == (400, True)
    assert bearer(provider, replace(post, body=b"x=" + b"y" * 20000))[0] == 413


def test_userinfo_without_a_good_token_is_a_challenge(party: RelyingParty) -> None:
    """Without a token the challenge says nothing more; with a bad one it says so (RFC 6750 section 3.1)."""
    provider, get = party.provider, HttpMessage("GET", "/oidc/userinfo")
    for headers in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}, {"authorization": "Bearer a b"}):
        assert bearer(provider, replace(get, headers=headers)) == (
            401,
            'Bearer realm="oidc", DPoP realm="oidc", algs="RS256 PS256 ES256"',
        )
    for token in ("unknown", "é" * 5, "x" * 10000, party.tokens()["id_token"]):
        status, challenge = bearer(provider, replace(get, headers={"authorization": f"Bearer {token}"}))
        assert status == 401
        assert token.isascii() is ('error="invalid_token"' in challenge)


def test_personal_attributes_are_asked_by_scope_or_name(provider: Provider) -> None:
    """What a service declares is asked when the client asks it; what it does not declare never is (RA-1, RUL-12)."""
    party = provider.register("GEM")

    def asked(request: LoginRequest) -> set[str]:
        assert not any(one.required for one in request.attributes)
        return {one.name.removeprefix(PERSON) for one in request.attributes}

    assert asked(read(party, scope="openid eherkenning kvk")) == set()
    assert asked(read(party, scope="openid profile")) == {"FirstName", "FamilyName"}
    assert asked(read(party, scope="openid email")) == {"Email"}
    by_name = json.dumps({"userinfo": {PERSON + "Email": None, "birthdate": {"essential": True}}})
    assert asked(read(party, claims=by_name)) == {"Email"}
    assert asked(read(provider.register("UWV"), scope="openid profile email")) == set()


def test_what_was_consented_to_is_told_at_userinfo(provider: Provider) -> None:
    """Consented attributes are told at userinfo, and in the ID token only when asked there; the rest is left out."""
    party = provider.register("GEM")
    claims = json.dumps({"id_token": {"given_name": None}})
    browser = provider.log_in(last_used_at=provider.service("GEM").provider.oin)
    codec, office = provider.codec, provider.office
    query = party.request(scope="openid profile email eherkenning", claims=claims)
    incoming = codec.read(
        office, HttpMessage("GET", "/oidc/authorize", urlencode(query).encode()), provider.clock.now()
    )
    visit = Visit(browser, codec.record)
    waiting = begin(office, incoming, visit, bounce=False)
    consented = frozenset({PERSON + "FirstName", PERSON + "FamilyName"})
    done = step(office, waiting.login.id, visit, lambda progress: replace(progress, consented=consented))  # type: ignore[union-attr]
    assert isinstance(done, Concluded)
    answer = codec.answer(office, done.incoming, done.outcome, done.recorded, provider.clock.now())
    tokens = told_by(party.redeem(parameters_of(answer)["code"]))
    token, information = provider.verified(tokens["id_token"]), told_by(provider.userinfo(tokens["access_token"]))
    personal = {name for name in information if name not in ALWAYS | FLAT}
    assert personal == {"given_name", "family_name", PERSON + "FirstName", PERSON + "FamilyName"}
    assert information["given_name"] == information[PERSON + "FirstName"] == token["given_name"]
    assert {name for name in token if name not in ALWAYS | FLAT | TOKEN} == {"given_name"}


@pytest.mark.parametrize("origin", ["https://client.example.test", "https://evil.test", "null", "https://a/b", ""])
def test_pages_of_the_clients_own_origin_may_read(party: RelyingParty, origin: str) -> None:
    """Answers for a client are readable by pages of its own addresses alone; faults by any, wildcards never (11.1)."""
    provider, access = party.provider, party.tokens()["access_token"]
    own = origin == CALLBACK.removesuffix("/callback")
    web = origin in ("https://client.example.test", "https://evil.test")
    good, bad = provider.userinfo(access, origin=origin), provider.userinfo("unknown", origin=origin)
    assert good.headers.get("Access-Control-Allow-Origin") == (origin if own else None)
    assert bad.headers.get("Access-Control-Allow-Origin") == (origin if web else None)
    form = {
        "grant_type": "authorization_code",
        "code": party.code(),
        "redirect_uri": CALLBACK,
        "code_verifier": "v" * 43,
    }
    document = party.post(form, {**party.basic(), "origin": origin})
    assert (document.status, document.headers.get("Access-Control-Allow-Origin")) == (200, origin if own else None)
    assert document.headers["Vary"] == "Origin"
    asked = userinfo(provider.office, HttpMessage("OPTIONS", "/", headers={"origin": origin}), provider.clock.now())
    assert (asked.status, asked.headers.get("Access-Control-Allow-Origin")) == (204, origin if web else None)
    assert "Access-Control-Allow-Credentials" not in asked.headers


def test_a_request_for_a_lost_service_is_refused(party: RelyingParty) -> None:
    """A scope that names another provider's service is refused before anybody logs in."""
    with pytest.raises(Answered):
        read(party, scope=f"openid service:{party.provider.service('RVO-3').uuid}")
