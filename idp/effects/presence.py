"""Whether another process lives: it holds a lock on a file, which the kernel lets go of however it ends."""

import threading
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import BinaryIO


def hold(file: Path) -> BinaryIO:
    """Be present for as long as what is answered stays open; where another process is, after it."""
    held = file.open("rb")
    # Nobody waits for the other one to end.
    threading.Thread(target=flock, args=(held, LOCK_EX), daemon=True).start()
    return held


def is_held(file: Path) -> bool:
    """Whether a process is present; asking keeps nobody out. Nobody is where the file is gone."""
    try:
        with file.open("rb") as asked:
            flock(asked, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
