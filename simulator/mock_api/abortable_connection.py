"""A connection that the application can break off."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

ABORT = "stand_in.abort"
"""The scope's extension under which the application finds what ends its connection at once."""


class AbortableConnection(H11Protocol):
    """uvicorn's own protocol, which tells the application how to end its connection."""

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(transport)
        self.app: Any = _add_abort(self.app, transport)


def _add_abort(app: Any, transport: asyncio.Transport) -> ASGIApp:
    def abort() -> None:
        # What was sent so far is to arrive: close() lets it, abort() would not.
        transport.close()

    async def call_with_abort(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[ABORT] = abort
        await app(scope, receive, send)

    return call_with_abort
