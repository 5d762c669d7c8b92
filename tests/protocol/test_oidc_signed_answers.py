"""Answers of the authorization endpoint as one token, signed and where asked encrypted (JARM)."""

import pytest
from joserfc import jwe
from joserfc.jwk import RSAKey

from idp.domain.assurance import Factor
from idp.protocols.message import Answered, PostForm, Redirect
from tests.protocol.oidc_kit import BASE, CALLBACK, KEYS, STATE, Provider, parameters_of
from tests.protocol.test_oidc_requests import read


@pytest.fixture(scope="module")
def provider(shared_provider: Provider) -> Provider:
    """Nothing here changes the provider."""
    return shared_provider


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "form_post.jwt"])
def test_an_answer_travels_as_one_token(provider: Provider, mode: str) -> None:
    """Code, state and issuer stand in a token for this client that lives two minutes, and nothing stands beside it."""
    party = provider.register()
    answer = party.authorize(provider.log_in(), response_mode=mode)
    assert isinstance(answer, PostForm if mode == "form_post.jwt" else Redirect)
    told = parameters_of(answer)
    assert set(told) == {"response"}
    claims = provider.verified(told["response"])
    code = claims.pop("code")
    ends = int(provider.clock.now().timestamp()) + 120
    assert claims == {"iss": BASE, "aud": party.client_id, "exp": ends, "state": STATE}
    assert party.redeem(code).status == 200


@pytest.mark.parametrize("mode", ["jwt", "form_post.jwt"])
def test_faults_and_refusals_travel_the_same_way(provider: Provider, mode: str) -> None:
    """A fault in the request and a login that fails are told in a token too (JARM 2.3)."""
    party = provider.register()
    with pytest.raises(Answered) as caught:
        read(party, response_mode=mode, prompt="create")
    assert provider.verified(parameters_of(caught.value.answer)["response"])["error"] == "invalid_request"
    weak = party.authorize(provider.log_in(factors=(Factor.PASSWORD,)), response_mode=mode, prompt="none")
    told = provider.verified(parameters_of(weak)["response"])
    assert (told["error"], told["state"], told["iss"]) == ("login_required", STATE, BASE)


def test_the_client_chooses_the_algorithm(provider: Provider) -> None:
    """As registered; without a wish RS256, and in ``fapi-2`` the first of its own (JARM 3)."""
    party = provider.register(authorization_signed_response_alg="ES256")
    told = parameters_of(party.authorize(provider.log_in(), response_mode="jwt"))
    assert provider.verified(told["response"], "ES256")["state"] == STATE


def test_an_answer_is_encrypted_where_the_client_asks(provider: Provider) -> None:
    """The signed answer stands inside a token that only the client can open."""
    key = RSAKey.import_key((KEYS / "client-rsa.key.pem").read_text(), {"kid": "enc", "use": "enc"})
    keys = {"keys": [key.as_dict(private=False)]}
    party = provider.register(jwks=keys, authorization_encrypted_response_alg="RSA-OAEP-256")
    told = parameters_of(party.authorize(provider.log_in(), response_mode="jwt"))
    opened = jwe.decrypt_compact(told["response"], key, algorithms=["RSA-OAEP-256", "A128CBC-HS256"])
    assert opened.headers()["cty"] == "JWT"
    assert provider.verified((opened.plaintext or b"").decode())["aud"] == party.client_id


def test_an_address_with_a_query_keeps_it(provider: Provider) -> None:
    """The token is added to what the registered address says already."""
    address = CALLBACK + "?tenant=1"
    party = provider.register(redirect_uris=[address])
    answer = party.authorize(provider.log_in(), redirect_uri=address, response_mode="jwt")
    assert isinstance(answer, Redirect)
    assert answer.location.startswith(address + "&response=")
