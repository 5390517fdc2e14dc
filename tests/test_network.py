"""The tests cannot reach the network, and loopback still works."""

import asyncio
import socket

import pytest

from tests.network import is_local


@pytest.mark.parametrize(
    "host", [None, "localhost", b"localhost", "127.0.0.1", "127.8.9.10", "::1"]
)
def test_loopback_is_local(host: object) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "0.0.0.0", "", "2001:db8::1"])
def test_everything_else_is_not(host: object) -> None:
    assert not is_local(host)


def test_connecting_outside_fails_the_test() -> None:
    with socket.socket() as sock, pytest.raises(pytest.fail.Exception, match="loopback"):
        sock.connect(("192.0.2.1", 80))


def test_sending_outside_fails_the_test() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sock,
        pytest.raises(pytest.fail.Exception, match="loopback"),
    ):
        sock.sendto(b"x", ("192.0.2.1", 9))


def test_looking_up_a_name_fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"example\.com"):
        socket.getaddrinfo("example.com", 443)


def test_no_retry_loop_can_swallow_the_failure() -> None:
    def retry() -> None:
        try:
            socket.create_connection(("192.0.2.1", 80), timeout=0.1)
        except Exception:
            return

    with pytest.raises(pytest.fail.Exception):
        retry()


def test_loopback_and_unix_sockets_work() -> None:
    async def echo() -> bytes:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()[:2]
            reader, writer = await asyncio.open_connection(host, port)
            rest = await reader.read()
            writer.close()
            await writer.wait_closed()
            return rest

    assert asyncio.run(echo()) == b""
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"up")
        assert right.recv(2) == b"up"
