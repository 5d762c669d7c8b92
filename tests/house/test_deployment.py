"""What docker-compose.yml and the Dockerfile say is sound, and works on this machine without containers (RUL-38)."""

import re
import shlex
import sys
import tomllib
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.fixtures.deployment import make_certificate, nginx_command, run_idp, running, wait_for
from tests.fixtures.network import free_port

_ROOT = Path(__file__).parents[2]
_COMPOSE: dict[str, Any] = yaml.safe_load((_ROOT / "docker-compose.yml").read_text())
_SERVICES: dict[str, Any] = _COMPOSE["services"]
_DOCKERFILE = (_ROOT / "Dockerfile").read_text()
_CONFIG = _ROOT / "config/production.example.toml"


def _commands() -> list[list[str]]:
    lines = [shlex.split(line)[1:] for line in _SERVICES["prepare"]["command"][0].splitlines()]
    return [*lines, _SERVICES["app"]["command"], _SERVICES["worker"]["command"]]


def test_the_parts_are_there() -> None:
    """The stack has the application, the worker, PostgreSQL, nginx and a mail catcher."""
    assert {"app", "worker", "db", "nginx", "mail"} <= set(_SERVICES)


def test_the_proxy_s_address_is_its_own() -> None:
    """The address that the application trusts is nginx's, and no other container is given it by chance."""
    pool = _COMPOSE["networks"]["default"]["ipam"]["config"][0]
    address = IPv4Address(_SERVICES["nginx"]["networks"]["default"]["ipv4_address"])
    assert tomllib.loads(_CONFIG.read_text())["server"]["trusted_proxies"] == [str(address)]
    assert address in IPv4Network(pool["subnet"])
    assert IPv4Network(pool["ip_range"]).subnet_of(IPv4Network(pool["subnet"]))
    assert address not in IPv4Network(pool["ip_range"])


@pytest.mark.parametrize("service", _SERVICES)
def test_a_service_is_pinned_and_private(service: str) -> None:
    """Every image has a version, and every published port stays on this machine."""
    facts = _SERVICES[service]
    assert facts["image"] == "idp" or re.search(r":[\w.]*\d", facts["image"])
    assert all(str(port).startswith("127.0.0.1:") for port in facts.get("ports", []))


@pytest.mark.parametrize("service", ["app", "worker", "prepare"])
def test_our_own_containers_have_no_power(service: str) -> None:
    """Our containers write nowhere but in their volume and hold no capability."""
    facts = _SERVICES[service]
    assert facts["read_only"]
    assert facts["cap_drop"] == ["ALL"]


def test_the_image_is_built_from_the_lock_and_does_not_run_as_root() -> None:
    """The image installs by hash, copies only what exists, and its last user is not root."""
    assert "--require-hashes" in _DOCKERFILE
    assert re.findall(r"^USER (\w+)", _DOCKERFILE, re.MULTILINE)[-1] != "root"
    sources = [
        part for line in re.findall(r"^COPY (?!--from)(.+)", _DOCKERFILE, re.MULTILINE) for part in line.split()[:-1]
    ]
    assert [source for source in sources if not (_ROOT / source).exists()] == []
    ignored = (_ROOT / ".dockerignore").read_text().splitlines()
    assert [source for source in sources if f"!{source}" not in ignored] == []


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_the_commands_exist(command: list[str]) -> None:
    """Every command of the stack is one of ours, with options that it knows."""
    done = run_idp({}, *command, "--help")
    assert done.returncode == 0, done.stderr


def test_the_stack_works(tmp_path: Path, empty_postgresql_database: str) -> None:
    """The same commands on PostgreSQL behind nginx with TLS serve production: ready, right issuer, no laboratory."""
    port, public, plain, shown = free_port(), free_port(), free_port(), free_port()
    base_url = f"https://localhost:{public}"
    environ = {
        "IDP_DATABASE_URL": empty_postgresql_database,
        "IDP_KEYS_RSA_BITS": "2048",
        "IDP_KEYS_FOLDER": str(tmp_path / "keys"),
        "IDP_PATHS_DATA": str(tmp_path),
        "IDP_SERVER_BASE_URL": base_url,
        "IDP_SERVER_TRUSTED_PROXIES": "127.0.0.1",
        "IDP_SERVER_CERTIFICATE_URL": f"https://localhost:{shown}",
        "IDP_CERTIFICATES_ROOTS": str(tmp_path / "tls.crt"),
        "IDP_CERTIFICATES_HEADER": "X-Client-Certificate",
    }
    here = {"/etc/idp": str(_ROOT / "config"), "8000": str(port), "0.0.0.0": "127.0.0.1"}
    prepare = [[_moved(part, here) for part in command] for command in _commands()]
    for command in prepare[:-2]:
        done = run_idp(environ, *command)
        assert done.returncode == 0, done.stderr
    serve, worker = prepare[-2:]
    authority = make_certificate(tmp_path)
    places = {
        "app:8000": f"127.0.0.1:{port}",
        "/etc/nginx/tls": str(tmp_path),
        "/var/run/nginx.pid": str(tmp_path / "nginx.pid"),
        "listen 8443": f"listen 127.0.0.1:{public}",
        "listen 8080": f"listen 127.0.0.1:{plain}",
        "listen 9443": f"listen 127.0.0.1:{shown}",
        ":8443": f":{public}",
    }
    nginx = nginx_command(tmp_path, places)
    with (
        running([sys.executable, "-m", "idp", *serve], tmp_path / "serve.log", environ),
        running(nginx, tmp_path / "nginx.log"),
    ):
        wait_for(f"{base_url}/readyz", authority, tmp_path)
        _check_front_door(base_url, f"http://localhost:{plain}", authority)
        _check_listener(f"https://localhost:{shown}", authority)
        done = run_idp(environ, *worker, "--once")
        assert done.returncode == 0, done.stderr
        assert run_idp(environ, "db", "check", "--config", str(_CONFIG)).returncode == 0


def _check_listener(address: str, authority: Path) -> None:
    """Only what needs a certificate is served there, and any certificate is taken in the handshake."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(authority)
        session.cert = (str(authority), str(authority.with_suffix(".key")))
        assert session.get(f"{address}/certificaat/nobody", timeout=10).status_code == 410
        for elsewhere in ("/", "/login/x", "/saml/sso", "/lab"):
            assert session.get(address + elsewhere, timeout=10).status_code == 404


def _moved(part: str, here: dict[str, str]) -> str:
    for container, local in here.items():
        part = part.replace(container, local)
    return part


def _check_front_door(base_url: str, plain_url: str, authority: Path) -> None:
    with requests.Session() as session:
        # What the environment says about certificates and proxies is about other machines.
        session.trust_env = False
        session.verify = str(authority)
        discovery = session.get(f"{base_url}/.well-known/openid-configuration", timeout=10)
        assert discovery.json()["issuer"] == base_url
        assert session.get(f"{base_url}/saml/metadata", timeout=10).status_code == 200
        for hidden in ("/metrics", "/lab", "/lab/api/personas"):
            assert session.get(base_url + hidden, timeout=10).status_code == 404
        stranger = session.get(f"{base_url}/readyz", headers={"Host": "stranger.test"}, timeout=10)
        assert stranger.status_code == 421
        redirect = session.get(f"{plain_url}/diensten", allow_redirects=False, timeout=10)
        assert (redirect.status_code, redirect.headers["Location"]) == (308, f"{base_url}/diensten")
