"""The service catalogue in its two forms, whatever it holds."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from idp.domain.assurance import Level
from idp.domain.identifiers import InstanceUuid, Oin, ServiceUrn, ServiceUuid
from idp.domain.parties import CatalogueAttribute, Provider, Service
from idp.protocols.saml.catalogue.names import LIMITS, catalogue_schema
from idp.protocols.saml.catalogue.reader import Manner, read_xml
from idp.protocols.saml.catalogue.writer import write_catalogue
from idp.protocols.saml.metadata.aggregate import pinned_keys
from idp.protocols.saml.voice import signatory
from idp.protocols.saml.xmlsec.signing import key_certificate
from idp.protocols.saml.xmlsec.xml import Schemas, parse
from idp.services.catalogue.changes import changes
from idp.services.catalogue.file import ENTITY_TYPES, BadCatalogue, read_toml
from idp.services.catalogue.text import write_toml
from idp.services.decision.conclusion import PERSONAL_ATTRIBUTES
from tests.protocol.saml_messages import fixed_key

BROKER = "00000001888888888001"
NOW = datetime(2026, 1, 15, tzinfo=UTC)
FILE = Path("catalogue.toml")
_LETTERS = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
_SLUGS = st.text("ABCxyz019-", min_size=1, max_size=64)
_SETS = st.lists(st.lists(st.sampled_from(sorted(ENTITY_TYPES.values())), min_size=1, max_size=3), min_size=1)
_PATHS = st.text("abc/&=;~'09.-:@", max_size=40)
_URLS = st.one_of(
    st.just(""),
    st.builds("https://x.test{}/{}".format, st.sampled_from(["", ":8443"]), _PATHS),
    st.builds("http://[::1]/{}?{}#%C3%A9{}".format, _PATHS, _PATHS, _PATHS),
)


def lines(longest: int) -> st.SearchStrategy[str]:
    """Texts of one line, of any script."""
    return st.text(_LETTERS, min_size=1, max_size=longest).filter(lambda text: text == text.strip(" "))


def localised(longest: int) -> st.SearchStrategy[dict[str, str]]:
    """Texts in Dutch and English, and perhaps in a third language."""
    return st.fixed_dictionaries({"nl": lines(longest), "en": lines(longest)}, optional={"de": lines(longest)})


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[Service, ...]:
    """The services of a catalogue that holds the rules, those of a provider together."""
    numbers = draw(st.lists(st.integers(1, 10**9 - 1), min_size=1, max_size=5, unique=True))
    slugs = draw(st.lists(_SLUGS, min_size=len(numbers), max_size=len(numbers), unique=True))
    providers = [Provider(Oin(f"{place:020}"), draw(localised(64))) for place in range(draw(st.integers(1, 3)))]
    owners = sorted(draw(st.integers(0, len(providers) - 1)) for _ in numbers)
    rows = zip(numbers, slugs, owners, strict=True)
    every = [draw(services(number, slug, providers[owner])) for number, slug, owner in rows]
    return tuple(defined_by(one, every[draw(st.integers(0, place))]) for place, one in enumerate(every))


def defined_by(service: Service, other: Service) -> Service:
    """The service as an instance of another's definition, which may be its own."""
    return replace(
        service,
        uuid=other.uuid,
        name=other.name,
        description=other.description,
        level=other.level,
        takes_restriction=other.takes_restriction,
        attributes=other.attributes,
        enforced_from=other.enforced_from,
    )


def services(number: int, slug: str, provider: Provider) -> st.SearchStrategy[Service]:
    """A service with these names."""
    attributes = st.builds(
        CatalogueAttribute, st.sampled_from(sorted(PERSONAL_ATTRIBUTES)), st.booleans(), localised(1024)
    )
    return st.builds(
        Service,
        uuid=st.just(ServiceUuid(f"00000000-0000-4000-8000-{number:012x}")),
        instance_uuid=st.just(InstanceUuid(f"11111111-0000-4000-8000-{number:012x}")),
        urn=st.just(ServiceUrn(f"urn:etoegang:DV:{provider.oin}:services:{number}")),
        slug=st.just(slug),
        provider=st.just(provider),
        name=localised(64),
        description=localised(1024),
        level=st.sampled_from(Level),
        takes_restriction=st.booleans(),
        chains=st.booleans(),
        sso=st.booleans(),
        allow_lower=st.booleans(),
        entity_types=_SETS.map(lambda sets: tuple(tuple(types) for types in sets)),
        attributes=st.lists(attributes, max_size=3).map(tuple),
        url=_URLS,
        enforced_from=st.one_of(st.none(), st.dates(date(2000, 1, 1))),
        public=st.booleans(),
    )


@cache
def schema() -> Schemas:
    """Our schema, compiled once."""
    return catalogue_schema()


def written(found: tuple[Service, ...]) -> bytes:
    """The XML of a catalogue, signed by a key of the tests."""
    key = fixed_key("own-signing")
    edition = ("urn:etoegang:1.13:service-catalogue:T:1", NOW)
    return write_catalogue(found, BROKER, edition, signatory(key, key_certificate(key)))


@given(catalogues())
def test_our_form_gives_back_what_was_written(found: tuple[Service, ...]) -> None:
    """Every catalogue that holds the rules is the same after our TOML."""
    assert read_toml(write_toml(found).encode(), FILE) == found


@given(catalogues())
def test_xml_gives_back_what_was_written(found: tuple[Service, ...]) -> None:
    """RUL-41: the XML is valid, its signature holds, and its services are those of our own form to the last fact."""
    octets = written(found)
    schema().validate(parse(octets, LIMITS))
    keys = pinned_keys(fixed_key("own-signing").public.certificate.encode())
    read = read_xml(octets, Manner(NOW, BROKER, keys)).services
    assert read == found == read_toml(write_toml(read).encode(), FILE)
    assert changes(found, read) == ()


@given(catalogues(), st.data())
def test_damaged_xml_is_refused_in_words_or_read(found: tuple[Service, ...], data: st.DataObject) -> None:
    """SEC-2: a draft that was cut, or in which something was written over, gives services or sentences."""
    octets = written(found)
    place = data.draw(st.integers(0, len(octets)))
    what = data.draw(st.sampled_from([b"", b"<", b"&x;", b'"', b"\x00", b"\xff", b"<!--x-->", b"<esc:ServiceUUID/>"]))
    damaged = octets[:place] + what + octets[place + data.draw(st.integers(0, 40)) :]
    assert outcome(damaged, Manner(NOW, BROKER))
    keys = pinned_keys(fixed_key("own-signing").public.certificate.encode())
    signed = outcome(damaged, Manner(NOW, BROKER, keys))
    assert signed == found or all(isinstance(one, str) for one in signed)


def outcome(octets: bytes, manner: Manner) -> tuple[Service | str, ...]:
    """The services of a document, or what is wrong with it."""
    try:
        return read_xml(octets, manner).services
    except BadCatalogue as told:
        return told.faults
