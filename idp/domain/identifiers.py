"""The identifiers of the scheme, valid from their constructor on."""

import re
from typing import ClassVar, Self

_ELEVEN_TEST_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


class Identifier(str):
    """A string whose form was checked when it was made; raises ``ValueError`` for any other form (SEC-5)."""

    __slots__ = ()
    pattern: ClassVar[re.Pattern[str]]

    def __new__(cls, text: str) -> Self:
        """Make one; raises ``ValueError``."""
        if not cls.pattern.fullmatch(text):
            raise ValueError(f"not a {cls.__name__}")
        return super().__new__(cls, text)


class KvkNumber(Identifier):
    """An organisation in the trade register: 8 digits, leading zeros kept (B-1)."""

    __slots__ = ()
    pattern = re.compile(r"[0-9]{8}", re.ASCII)


class BranchNumber(Identifier):
    """A branch (vestiging) of an organisation: 12 digits, leading zeros kept (B-1)."""

    __slots__ = ()
    pattern = re.compile(r"[0-9]{12}", re.ASCII)


class Rsin(Identifier):
    """A legal entity: 9 digits that pass the eleven-test (domain reference 4.1)."""

    __slots__ = ()
    pattern = re.compile(r"[0-9]{9}", re.ASCII)

    def __new__(cls, text: str) -> Self:
        """Make one; raises ``ValueError``."""
        rsin = super().__new__(cls, text)
        total = sum(weight * int(digit) for weight, digit in zip(_ELEVEN_TEST_WEIGHTS, text, strict=True))
        if total % 11 or not text.strip("0"):
            raise ValueError("not a Rsin")
        return rsin


class Oin(Identifier):
    """A government organisation or supplier: 20 digits (domain reference 4.1)."""

    __slots__ = ()
    pattern = re.compile(r"[0-9]{20}", re.ASCII)


class ServiceUuid(Identifier):
    """What a service is, the thing a mandate is registered for: a lower-case UUID (domain 5.1)."""

    __slots__ = ()
    pattern = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class InstanceUuid(Identifier):
    """One way in to a service, the thing a party asks for: a lower-case UUID (domain 5.1)."""

    __slots__ = ()
    pattern = ServiceUuid.pattern


class ServiceUrn(Identifier):
    """A ServiceID: ``urn:etoegang:DV:<OIN>:services:<index>`` with an index of at least 1."""

    __slots__ = ()
    pattern = re.compile(r"urn:etoegang:DV:[0-9]{20}:services:[1-9][0-9]{0,8}", re.ASCII)

    @property
    def number(self) -> int:
        """The service's index within its provider."""
        return int(self.rsplit(":", 1)[1])
