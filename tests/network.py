"""The tests' network rule: loopback and Unix sockets only, enforced below every library.

An audit hook sees each connect, send and name look-up of this process, whoever makes it. It raises
pytest's own failure, which no `except Exception` of a retry loop can swallow.
"""

import ipaddress
import sys
from typing import Any

import pytest

_ADDRESS_AT = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}


def is_local(host: object) -> bool:
    """True for what stays on this machine: no host, `localhost`, 127.0.0.0/8, ::1."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _audit(event: str, args: tuple[Any, ...]) -> None:
    at = _ADDRESS_AT.get(event)
    if at is None or at >= len(args):
        return
    address = args[at]
    if event.startswith("socket.get"):
        host = address
    elif isinstance(address, tuple):
        host = address[0]
    else:
        return  # a Unix socket's path, or a socket that is connected already
    if not is_local(host):
        pytest.fail(f"{event} to {host!r}: tests may use loopback and Unix sockets only")


def forbid_outside() -> None:
    """Install the rule in this process, once and for good: an audit hook cannot be removed."""
    if not getattr(sys, "_polybawt_network_rule", False):
        sys.addaudithook(_audit)
        setattr(sys, "_polybawt_network_rule", True)  # noqa: B010 (mypy knows no such attribute)
