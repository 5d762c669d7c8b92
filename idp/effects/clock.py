"""The system's clock, and the laboratory's clock that every process obeys."""

import os
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

# The file of a laboratory's clock in its folder.
CLOCK_FILE = "clock"
_FORMAT = struct.Struct("<?dd")


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a laboratory clock is set: frozen at an instant, or running with an offset in seconds."""

    frozen: bool
    offset: float
    frozen_at: float


class LabClock:
    """A clock set by a small file that every process reads at every look, so that a setting holds at once (RUL-21)."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(_FORMAT.pack(False, 0.0, 0.0))
        self._file = os.open(file, os.O_RDWR)

    def now(self) -> datetime:
        """The present instant of the laboratory, in UTC."""
        setting = self.setting()
        seconds = setting.frozen_at if setting.frozen else time.time() + setting.offset
        return datetime.fromtimestamp(seconds, UTC)

    def setting(self) -> Setting:
        """How the clock is set now."""
        return Setting(*_FORMAT.unpack(os.pread(self._file, _FORMAT.size, 0)))

    def set(self, moment: datetime) -> None:
        """Let the clock show this instant now: running on from there, or frozen at it if it is frozen."""
        self._write(self.setting().frozen, moment.timestamp())

    def advance(self, by: timedelta) -> None:
        """Move the clock."""
        self.set(self.now() + by)

    def freeze(self, frozen: bool) -> None:
        """Stop the clock where it is, or let it run on from there."""
        self._write(frozen, self.now().timestamp())

    def release(self) -> None:
        """Back to the time of the machine."""
        os.pwrite(self._file, _FORMAT.pack(False, 0.0, 0.0), 0)

    @property
    def moved(self) -> bool:
        """Whether the laboratory's time is not the machine's, so that real clients will find messages stale."""
        setting = self.setting()
        return setting.frozen or setting.offset != 0

    def _write(self, frozen: bool, shown: float) -> None:
        os.pwrite(self._file, _FORMAT.pack(frozen, shown - time.time(), shown), 0)
