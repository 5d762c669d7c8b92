"""Fixtures for every test, and the wall between the tests and the network."""

import os

import pytest
from hypothesis import settings

from tests.fixtures import network, postgres, templates

# Time is never a verdict. The same cases each time, so that a change is judged by what it changes; others are drawn by
# pytest --hypothesis-profile=random, and what they find stays as an example.
settings.register_profile("same", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("same")

pytest_plugins = [
    "tests.fixtures.browser",
    "tests.fixtures.database",
    "tests.fixtures.environment",
    "tests.fixtures.javascript",
    "tests.fixtures.order",
    "tests.fixtures.sandbox",
]


def pytest_configure(config: pytest.Config) -> None:
    """Build the wall, and name the run, so that all its processes share one PostgreSQL and the compiled pages."""
    network.allow_only_loopback()
    if not hasattr(config, "workerinput"):
        os.environ[postgres.RUN] = str(os.getpid())
    templates.compile_once()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the run started once, after all workers have gone."""
    if not hasattr(config, "workerinput"):
        postgres.stop()
