"""Writing the invented world into a database, and going back to it."""

from idp.services.work import Office


def seeded(office: Office) -> bool:
    """Whether this database holds the world already."""
    raise NotImplementedError


def seed(office: Office, seed: int) -> None:
    """Write catalogue and world into an empty database, in one transaction; the same seed gives the same ids."""
    raise NotImplementedError


def reset(office: Office) -> None:
    """Back to the world as it was seeded; registered parties stay, and what was spent stays spent (RUL-21)."""
    raise NotImplementedError
