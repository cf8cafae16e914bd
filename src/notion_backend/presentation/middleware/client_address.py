"""Finds out who is asking when proxies stand between."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

_MAX_WARNED_PEERS = 1000

_log = structlog.get_logger(__name__)


class ClientAddress:
    """Sets `scope["client"]` and `scope["scheme"]` from what a trusted proxy says.

    Of `X-Forwarded-For` the right-most address that is no trusted proxy counts, since each proxy
    adds what it saw on the right; what stands further left may be made up. Of
    `X-Forwarded-Proto` the right-most word. From anyone else both are ignored, and the peer is
    named once in the log: it may be a proxy that was forgotten in TRUSTED_PROXIES.
    """

    def __init__(self, app: ASGIApp, *, trusted_proxies: Sequence[str]) -> None:
        self._app = app
        self._trusted = [ip_network(network, strict=False) for network in trusted_proxies]
        self._warned: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope.get("client"):
            self._resolve(scope)
        await self._app(scope, receive, send)

    def _resolve(self, scope: Scope) -> None:
        hops = _list_of(scope, b"x-forwarded-for")
        schemes = _list_of(scope, b"x-forwarded-proto")
        if not hops and not schemes:
            return
        peer, port = scope["client"]
        address = _parse(peer)
        if address is None or not self._is_trusted(address):
            self._warn(peer)
            return
        client = self._client(hops, address)
        if client != address:
            scope["client"] = (str(client), 0)
        else:
            scope["client"] = (peer, port)
        if schemes and schemes[-1].lower() in ("http", "https"):
            scope["scheme"] = schemes[-1].lower()

    def _client(
        self, hops: list[str], peer: IPv4Address | IPv6Address
    ) -> IPv4Address | IPv6Address:
        client = peer
        for hop in reversed(hops):
            address = _parse(hop)
            if address is None:
                break
            client = address
            if not self._is_trusted(address):
                break
        return client

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)

    def _warn(self, peer: str) -> None:
        if peer in self._warned or len(self._warned) >= _MAX_WARNED_PEERS:
            return
        self._warned.add(peer)
        _log.warning(
            "forwarded_by_untrusted_peer",
            peer=peer,
            advice="If this is your proxy, name it in TRUSTED_PROXIES; its headers are ignored.",
        )


def _list_of(scope: Scope, header: bytes) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == header]
    # RFC 9110 §5.3: several lines of one header are one list.
    return [item.strip() for item in ",".join(values).split(",")] if values else []


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address
