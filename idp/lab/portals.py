"""The demo portals as relying parties: their keys, and their registration."""

from dataclasses import dataclass
from pathlib import Path

from idp.services.work import Office


@dataclass(frozen=True, slots=True)
class Portal:
    """One demo portal of a service."""

    slug: str


def register(office: Office, data_folder: Path, base_url: str) -> None:
    """Make the portals' keys where they are missing and register each portal in both protocols; repeatable."""
    raise NotImplementedError


def read(data_folder: Path, base_url: str) -> tuple[Portal, ...]:
    """The portals that ``register`` made, with their keys; for each process that serves them."""
    raise NotImplementedError
