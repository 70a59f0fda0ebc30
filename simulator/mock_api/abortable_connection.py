"""A connection that the application can abort."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

ABORT = "stand_in.abort"
"""The scope's extension with a function that aborts the connection at once."""


class AbortableConnection(H11Protocol):
    """uvicorn's own protocol, which passes the application a function that aborts its connection."""

    def connection_made(self, transport: Any) -> None:
        """Accept a client's connection."""
        super().connection_made(transport)
        self.app: Any = _add_abort(self.app, transport)


def _add_abort(app: Any, transport: asyncio.Transport) -> ASGIApp:
    def abort() -> None:
        # The bytes sent so far must arrive: close() delivers them, abort() would not.
        transport.close()

    async def call_with_abort(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[ABORT] = abort
        await app(scope, receive, send)

    return call_with_abort
