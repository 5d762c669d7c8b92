"""Starting, asking and stopping the real server, and commands on its folder."""

import ctypes
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.bench.procfs import cpu_seconds

ROOT = Path(__file__).parents[2]
DEFAULTS = tomllib.loads((ROOT / "config" / "default.toml").read_text())
# One worker, no limit per network address, as all of the driver comes from one, and no jobs by the clock.
ONE_WORKER = {"IDP_SERVER_WORKERS": "1", "IDP_THROTTLE_SOURCE_ATTEMPTS": "0", "IDP_LAB_WORKER": "false"}
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address, its folder and its process."""

    base_url: str
    folder: Path
    process: subprocess.Popen[str]

    def cpu(self) -> float:
        """CPU seconds of its process tree until now."""
        return cpu_seconds(self.process.pid)

    def stop(self) -> None:
        """End it and everything it started."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_demo(folder: Path, environ: Mapping[str, str]) -> Server:
    """``idp demo`` on a free port; returns when it has announced itself."""
    port = free_port()
    process = _spawn(
        ["-m", "idp", "demo", "--json", "--port", str(port), "--data", str(folder)], environ, folder.parent
    )
    line = _first_line(process, 120)
    if not line:
        process.kill()
        raise RuntimeError(f"idp demo did not start; see {folder.parent}/server.log")
    return Server(json.loads(line)["base_url"], folder, process)


def start_wsgi(application: str, folder: Path, environ: Mapping[str, str], port: int | None = None) -> Server:
    """An application of the bench behind the same server with the same settings as the product's."""
    port = port or free_port()
    threads = str(DEFAULTS["server"]["threads"])
    command = ["-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", threads, "--backlog", "1024", "--no-ws"]
    process = _spawn([*command, "--log-level", "warning", application], environ, folder.parent)
    _wait_for(port, process)
    return Server(f"http://localhost:{port}", folder, process)


def command(folder: Path, *arguments: str) -> Any:
    """What an ``idp`` command on a folder prints as JSON."""
    called = [sys.executable, "-m", "idp", *arguments, "--data", str(folder), "--json"]
    done = subprocess.run(called, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(called[2:])}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(arguments: list[str], environ: Mapping[str, str], logs: Path) -> subprocess.Popen[str]:
    with (logs / "server.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environ},
            start_new_session=True,
            preexec_fn=lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),
        )


def _first_line(process: subprocess.Popen[str], seconds: float) -> str:
    if process.stdout is None:
        return ""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < end:
            if selector.select(0.2):
                return process.stdout.readline()
    return ""


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing answers on port {port}")
