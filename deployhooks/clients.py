"""Tells where a request comes from, behind one proxy on this machine or without any."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest


def read_address(request: HttpRequest) -> str | None:
    """Where the request comes from; a proxy on this machine is believed about that."""
    peer = _parse_address(request.META.get("REMOTE_ADDR", ""))
    if peer is None or peer.is_loopback:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2]
        peer = _parse_address(forwarded) or peer
    return str(peer) if peer else None


def read_network(request: HttpRequest) -> str:
    """Whose address it is, to be counted by: of IPv6 everybody has a whole /64 of them."""
    address = read_address(request) or ""
    if ":" in address:
        return str(ipaddress.ip_network(f"{address}/64", strict=False).network_address)
    return address


def _parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # The zone behind "%" is this machine's affair, and no database takes it.
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
