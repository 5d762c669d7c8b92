"""An answer is signed by the key in the address it was asked at, so that every copy of our metadata names a pair."""

from dataclasses import replace

import pytest
from lxml import etree

from idp.domain.keys import short_name
from idp.domain.parties import Profile
from idp.ports import FetchFailed, KeyUse
from idp.protocols.message import Answered, BadRequest
from idp.protocols.saml import SamlCodec
from idp.protocols.saml.xmlsec.xml import parse
from tests.protocol.saml_kit import Bench, OwnKeys, granted, octets_of, status_of, texts
from tests.protocol.saml_messages import BASE, SCHEME_METADATA, SSO, Asking, Published, fixed_key
from tests.protocol.test_saml_collect import hosting, presented
from tests.protocol.xml_kit import SoftKey, oracle_accepts

OLD, NEW = fixed_key("sp-encryption"), fixed_key("own-signing")
OLD_NAME, NEW_NAME = (short_name(one.public.kid) for one in (OLD, NEW))
RETIRED = "0123456789abcdef"


class TwoKeys(OwnKeys):
    """The old key is retiring, the new one active, and one was retired."""

    def named(self, use: KeyUse, name: str) -> SoftKey | None:
        """A key by its short name."""
        return {OLD_NAME: OLD, NEW_NAME: NEW, RETIRED: NEW}.get(name)


@pytest.fixture
def rolling(bench: Bench) -> Bench:
    """A provider in the middle of a rollover."""
    bench.office = replace(bench.office, keys=TwoKeys())  # type: ignore[arg-type]
    return bench


def at(profile: Profile, key: str) -> str:
    """The address of single sign-on by a key, or by none."""
    return f"{SSO[profile]}/{key}" if key else SSO[profile]


@pytest.mark.parametrize("profile", [Profile.GENERIC, Profile.EHERKENNING_113, Profile.EHERKENNING_111])
@pytest.mark.parametrize(
    ("path", "stated", "key"),
    [
        ("", "", NEW),
        (OLD_NAME, OLD_NAME, OLD),
        (NEW_NAME, NEW_NAME, NEW),
        (RETIRED, RETIRED, NEW),
        ("", OLD_NAME, OLD),
        (OLD_NAME, "", OLD),
    ],
    ids=["none", "old", "new", "retired", "old in Destination", "old in the address alone"],
)
def test_the_address_chooses_the_key(rolling: Bench, profile: Profile, path: str, stated: str, key: SoftKey) -> None:
    """Path or Destination name the key of both signatures; without one, or by a retired one, it is the active one."""
    asking = _register(rolling, profile)
    message = replace(asking, attributes=dict(asking.attributes) | {"Destination": at(profile, stated)})
    incoming = rolling.read(message.posted(path=at(profile, path)))
    answer = parse(octets_of(rolling.answer(incoming, granted())))
    names = texts(answer, "//samlp:Response/ds:Signature//ds:KeyName | //saml:Assertion/ds:Signature//ds:KeyName")
    assert names == [key.public.kid] * 2
    assert oracle_accepts(answer, key)


@pytest.mark.parametrize(
    ("path", "stated"),
    [("f" * 16, "f" * 16), ("f" * 16, ""), (OLD_NAME, NEW_NAME), ("", "f" * 16), ("", OLD_NAME + "/")],
    ids=["unknown", "unknown in the address", "two keys", "unknown in Destination", "one octet more"],
)
def test_another_address_is_a_wrong_one(rolling: Bench, path: str, stated: str) -> None:
    """A name that is none of our keys' makes the address a wrong one, and so do two different ones (SEC-14)."""
    rolling.register()
    message = Asking(attributes={"Destination": at(Profile.GENERIC, stated)})
    with pytest.raises(Answered) as caught:
        rolling.read(message.posted(path=at(Profile.GENERIC, path)))
    assert caught.value.code == "P08"
    assert caught.value.facts["expected"] == f"{BASE}/saml/sso"
    assert status_of(parse(octets_of(caught.value.answer)))[0] == "Requester"  # type: ignore[arg-type]


@pytest.mark.parametrize(("place", "key"), [("", NEW), (OLD_NAME, OLD), (RETIRED, NEW)], ids=["none", "old", "retired"])
def test_who_keeps_its_request_is_asked_by_the_key_it_knows(rolling: Bench, place: str, key: SoftKey) -> None:
    """The question for a request by artifact is signed by the key in the address at which the artifact came."""
    rolling.register(Published(resolvers=hosting()))
    asked: list[bytes] = []

    class Silent:
        def post(self, _url: str, _content_type: str, body: bytes) -> bytes:
            asked.append(body)
            raise FetchFailed("nobody is there")

    message = presented(path=at(Profile.GENERIC, place).removeprefix(BASE))
    with pytest.raises(BadRequest, match="P13"):
        SamlCodec(Silent()).read(rolling.office, message, rolling.clock.now())  # type: ignore[arg-type]
    question = etree.fromstring(asked[0])[0][0]
    assert oracle_accepts(etree.fromstring(etree.tostring(question)), key)


def _register(bench: Bench, profile: Profile) -> Asking:
    if profile is Profile.GENERIC:
        bench.register()
        return Asking()
    bench.register(SCHEME_METADATA, profile)
    return Asking(profile, {"AssertionConsumerServiceIndex": "2"}, issuer=SCHEME_METADATA.entity_id)
