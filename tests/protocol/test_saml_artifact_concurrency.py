"""Twenty at once: one artifact gives one Response, on both databases (SEC-16, SEC-25)."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from idp.domain.parties import Profile
from idp.protocols.message import Document
from tests.protocol.saml_artifacts import Resolving, answer_in, artifact_in, resolved, response_in
from tests.protocol.saml_kit import Bench, granted, status_of
from tests.protocol.saml_messages import DV, SAML_PROFILES, SCHEME_METADATA, Asking

AT_ONCE = 20


@pytest.mark.parametrize("profile", SAML_PROFILES[1:])
def test_an_artifact_counts_once_however_many_bring_it(profile: Profile, database: str, tmp_path: Path) -> None:
    """Of twenty simultaneous resolutions one gets the Response, nineteen hear RequestDenied, and nobody a fault."""
    bench = Bench(database, tmp_path)
    bench.register(SCHEME_METADATA, profile)
    asking = Asking(profile, {"AssertionConsumerServiceIndex": "1"}, issuer=DV)
    artifact = artifact_in(bench.concluded(bench.read(asking.posted()), granted()))
    questions = [Resolving(artifact, profile, {"ID": f"_ar{place}"}) for place in range(AT_ONCE)]
    ready = Barrier(AT_ONCE)

    def wait_and_ask(question: Resolving) -> Document:
        ready.wait(60)
        return resolved(bench, question)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [answer_in(one, f"_ar{place}") for place, one in enumerate(pool.map(wait_and_ask, questions))]
    bench.office.engine.dispose()
    empty = [one for one in answers if response_in(one) is None]
    assert len(empty) == AT_ONCE - 1
    assert {status_of(one)[1] for one in empty} == {"RequestDenied"}
