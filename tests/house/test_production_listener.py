"""A server in production starts what runs beside it, whatever its name is (RUL-29)."""

import sys
import time
from pathlib import Path

import pytest
import requests

from tests.fixtures.deployment import make_certificate, run_idp, running
from tests.fixtures.network import free_port

_NAME = "login.example.nl"


def test_the_listener_runs_beside_a_server_that_is_not_called_localhost(tmp_path: Path) -> None:
    """``idp serve`` under the name of a base URL says that it serves, and its own certificate listener is there."""
    port, authority = free_port(), make_certificate(tmp_path)
    environ = {
        "IDP_SERVER_PRODUCTION": "true",
        "IDP_SERVER_BASE_URL": f"https://{_NAME}",
        "IDP_SERVER_CERTIFICATE_URL": f"https://{_NAME}:{free_port()}",
        "IDP_SERVER_WORKERS": "1",
        "IDP_DATABASE_URL": f"sqlite:///{tmp_path}/idp.db",
        "IDP_KEYS_RSA_BITS": "2048",
        "IDP_KEYS_FOLDER": str(tmp_path / "keys"),
        "IDP_PATHS_DATA": str(tmp_path),
        "IDP_CERTIFICATES_ROOTS": str(authority),
        "IDP_CERTIFICATES_TLS_CERTIFICATE": str(authority),
        "IDP_CERTIFICATES_TLS_KEY": str(authority.with_suffix(".key")),
    }
    for command in (("keys", "make"), ("db", "upgrade")):
        done = run_idp(environ, *command)
        assert done.returncode == 0, done.stderr
    log = tmp_path / "serve.log"
    with running([sys.executable, "-m", "idp", "serve", "--port", str(port)], log, environ):
        assert _listener(port, log) == "ready"
        assert f"Serving https://{_NAME}" in log.read_text()


def _listener(port: int, log: Path) -> str:
    """What is said of the listener, once it is there; what the server said when it never is."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            told = requests.get(f"http://127.0.0.1:{port}/readyz", headers={"Host": _NAME}, timeout=5).json()
            if told["certificates"] == "ready":
                return "ready"
        except requests.RequestException:
            pass
        time.sleep(0.1)
    pytest.fail(f"The listener is not there. The server said: {log.read_text()[-1500:]}", pytrace=False)
