"""The sandbox that tests get is the one that people get."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.fixtures.sandbox import Demo

# Tests have the worker's jobs done when they say so; people have them done.
AS_FOR_PEOPLE = {"IDP_LAB_WORKER": "true"}
_METADATA = ("saml_metadata", "saml_metadata_eherkenning")
_FACTS = {"base_url", *_METADATA, "oidc_issuer", "certificate_url", "personas_url", "pid"}


def test_it_announces_itself(demo: Demo) -> None:
    """The one line of facts has the contract's keys, and what it points to answers."""
    assert set(demo.facts) == _FACTS
    assert demo.facts["oidc_issuer"] == demo.base_url
    for fact in (*_METADATA, "personas_url"):
        assert requests.get(demo.facts[fact], timeout=10).status_code == 200


def test_a_stopped_one_leaves_nothing_running_and_a_second_start_finds_its_world(
    start_demo: Callable[..., Demo], tmp_path: Path
) -> None:
    """Stopping ends every process of the sandbox; starting again on the folder keeps keys and people."""
    first = start_demo(folder=tmp_path / "world", environ=AS_FOR_PEOPLE)
    told = _told(first)
    first.stop()
    assert not _remaining(first.process.pid)
    again = start_demo(folder=tmp_path / "world")
    assert _told(again) == told


def test_its_commands_speak_to_it(demo: Demo) -> None:
    """A command on the sandbox's folder sees its people."""
    done = demo.run("otp", "anna")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().isdecimal()


def _told(demo: Demo) -> tuple[object, object]:
    people = requests.get(demo.facts["personas_url"], timeout=10).json()
    keys = requests.get(demo.url("/oidc/jwks"), timeout=10).json()
    return [(one["username"], one["password"]) for one in people], keys


def _remaining(group: int) -> list[int]:
    """Who is left a few seconds after the end: the keeper of shared names notices the end a moment later."""
    for _ in range(50):
        if not _members(group):
            return []
        time.sleep(0.1)
    return _members(group)


def _members(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _group(int(entry.name)) == group:
            found.append(int(entry.name))
    return found


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
