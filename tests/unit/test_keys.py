"""The life of a key of ours."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from idp.domain.keys import KEY_LIFECYCLE, KeyEvent, KeyStatus, KeyUse, KeyVersion, in_order
from idp.domain.lifecycle import IllegalTransitionError

T0 = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
N, A, G, R = KeyStatus.NEXT, KeyStatus.ACTIVE, KeyStatus.RETIRING, KeyStatus.RETIRED
LEGAL = {
    (N, KeyEvent.ACTIVATED): A,
    (N, KeyEvent.RETIRED): R,
    (A, KeyEvent.SUPERSEDED): G,
    (G, KeyEvent.ACTIVATED): A,
    (G, KeyEvent.RETIRED): R,
}


def version(status: KeyStatus, use: KeyUse = KeyUse.SAML_SIGNING, published: bool = True) -> KeyVersion:
    """A key in a status."""
    return KeyVersion(status.value, "ab" * 32, use, "RSA 2048", "", "", status, T0 if published else None)


@pytest.mark.parametrize(("status", "event"), list(product(KeyStatus, KeyEvent)), ids=str)
def test_every_event_in_every_status(status: KeyStatus, event: KeyEvent) -> None:
    """An active key is never retired directly, a retired one never comes back, and all else is as in the table."""
    if (status, event) in LEGAL:
        assert KEY_LIFECYCLE.after(status, event) is LEGAL[status, event]
    else:
        with pytest.raises(IllegalTransitionError):
            KEY_LIFECYCLE.after(status, event)


@pytest.mark.parametrize("use", KeyUse)
def test_what_is_published(use: KeyUse) -> None:
    """Next and active ones are, a superseded one as long as others verify with it, a retired or held-back one never."""
    told = {status: version(status, use).published for status in KeyStatus}
    assert told == {N: True, A: True, G: use is not KeyUse.SAML_ENCRYPTION, R: False}
    assert not version(N, use, published=False).published


def test_the_active_one_stands_first() -> None:
    """Who takes the first key of a list takes the one that signs (domain 6.1)."""
    assert [one.status for one in in_order(map(version, (R, N, G, A)))] == [A, N, G, R]


def test_it_is_known_so_long_after_it_was_published() -> None:
    """The days count from publication, and nobody knows what was held back."""
    assert version(N).known_from(timedelta(days=7)) == T0 + timedelta(days=7)
    assert version(N, published=False).known_from(timedelta(days=7)) is None
