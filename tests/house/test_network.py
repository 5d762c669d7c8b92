"""The wall between the tests and the network holds."""

import socket

import pytest

from tests.fixtures.network import NetworkRefused, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "portal.test", b"login.test"])
def test_this_machine_is_reachable(host: object) -> None:
    """Loopback addresses, localhost and names below .test count as this machine."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "::2", "example.org", "localhost.example.org", "0.0.0.0", "test"])
def test_elsewhere_is_not(host: str) -> None:
    """Every other address and name counts as elsewhere."""
    assert not is_loopback(host)


def test_connecting_elsewhere_is_refused() -> None:
    """A connection to a documentation address fails at once and says why."""
    with socket.socket() as outward, pytest.raises(NetworkRefused, match=r"192\.0\.2\.1"):
        outward.connect(("192.0.2.1", 80))


def test_resolving_elsewhere_is_refused() -> None:
    """A name of another machine is not even looked up."""
    with pytest.raises(NetworkRefused, match="example"):
        socket.getaddrinfo("example.org", 443)


def test_connecting_here_works() -> None:
    """A server on loopback is reachable through the wall."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        accepted.close()
        assert client.getpeername() == server.getsockname()
