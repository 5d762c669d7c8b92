"""docs/errors.md, held against the code that serves and against what goes over the wire."""

import re

import pytest

from idp.domain.assertion import Denied
from idp.domain.parties import Profile
from idp.domain.reasons import Reason
from tests.protocol.error_table import FILE, document
from tests.protocol.oidc_kit import Provider
from tests.protocol.saml_artifacts import octets_by
from tests.protocol.saml_kit import Bench, opened, status_of
from tests.protocol.saml_messages import ARTIFACT, DV, SAML_PROFILES, SCHEME, SCHEME_METADATA, SP, Asking, Published
from tests.protocol.test_oidc_answers import answered
from tests.protocol.test_saml_request import TABLE

_ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)
# These come of what a person or an organisation is, not of the request; test_saml_status holds them on the wire.
_OF_THE_OUTCOME = {"no passive", "attribute", "entity type"}


def cells() -> dict[str, list[str]]:
    """Every row of the committed page by its first cell."""
    rows = [row.split(" | ") for row in _ROW.findall(FILE.read_text())]
    return {row[0].strip("`"): row for row in rows}


def place(profile: Profile) -> int:
    """The column of a profile."""
    return 2 if profile is Profile.GENERIC else 3


def test_the_page_is_what_the_code_says() -> None:
    """docs/errors.md is what ``python -m tests.protocol.error_table`` writes."""
    assert FILE.read_text() == document()


@pytest.mark.parametrize("profile", SAML_PROFILES)
@pytest.mark.parametrize("binding", ["post", "artifact"])
def test_refusals_go_out_as_the_page_says(profile: Profile, binding: str, bench: Bench) -> None:
    """Each reason brings the status in its row, by both bindings and in each profile."""
    scheme = profile in SCHEME
    bench.register(SCHEME_METADATA if scheme else Published(consumers=SCHEME_METADATA.consumers), profile)
    table, told = cells(), {}
    for number, reason in enumerate(Reason):
        attributes = {"ID": f"_r{number}"} | ({"ProtocolBinding": ARTIFACT} if binding == "artifact" else {})
        incoming = bench.read(Asking(profile, attributes, issuer=DV if scheme else SP).posted())
        answer = bench.concluded(incoming, Denied((reason,), "R"))
        top, second, _ = status_of(opened(octets_by(bench, answer, profile)))
        told[reason.value] = f"{top} / {second}"
    assert told == {reason.value: table[reason][place(profile)] for reason in Reason}


@pytest.mark.parametrize("profile", SAML_PROFILES)
def test_faults_go_out_as_the_page_says(profile: Profile) -> None:
    """Every fault that a request can have is in the page with the status that the wire tests see, and the reverse."""
    rows = {name: row for name, row in cells().items() if re.fullmatch("[a-z ]+", name)}
    written = {(row[1], row[place(profile)]) for row in rows.values()}
    sent = {
        (row.code, " / ".join(one for one in row.status if one is not None))
        for row in TABLE
        if profile in row.profiles and row.status is not None
    }
    of_requests = {(row[1], row[place(profile)]) for name, row in rows.items() if name not in _OF_THE_OUTCOME}
    assert sent <= written
    assert {code for code, status in of_requests if status != "–"} == {code for code, _ in sent}


def test_refusals_of_oidc_go_out_as_the_page_says(shared_provider: Provider) -> None:
    """Each reason brings the error in its row to the redirect address of a client (RUL-33)."""
    party, table = shared_provider.register(), cells()
    told = {reason.value: answered(party, Denied((reason,), "R"))["error"] for reason in Reason}
    assert told == {reason.value: table[reason][4].strip("`") for reason in Reason}
