"""Users of the dashboard without browsers: each has a session on the server's websocket, as the page's own script has.

A visit ends when the server has sent the whole page. What a browser then does with it is not part of it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

_EXCEPTION = "exception"


class PageError(Exception):
    """The server has sent an error in place of a page."""


class PageUser:
    """A signed-in user of the dashboard, while the context is open."""

    def __init__(self, port: int, name: str, password: str) -> None:
        self._url = f"ws://127.0.0.1:{port}/_stcore/stream"
        self._name, self._password = name, password
        self._socket: ClientConnection | None = None
        self._page_hashes: dict[str, str] = {}
        self.is_busy = asyncio.Lock()
        """Held during a visit: a browser's tab shows one page at a time."""

    async def __aenter__(self) -> Self:
        self._socket = await connect(self._url, max_size=None, open_timeout=120, ping_interval=None)
        form = await self._run_page(ClientState())
        widgets = _find_widgets(form)
        texts = {widgets["Name"]: self._name, widgets["Password"]: self._password}
        state = ClientState(page_script_hash=_get_page_hash(form))
        state.widget_states.widgets.extend(WidgetState(id=key, string_value=text) for key, text in texts.items())
        state.widget_states.widgets.append(WidgetState(id=widgets["Sign in"], trigger_value=True))
        await self._run_page(state)
        assert self._page_hashes, "the sign-in has shown no pages"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        await self._socket.close()

    @property
    def pages(self) -> Sequence[str]:
        """Return the names of the pages that the user may open."""
        return tuple(self._page_hashes)

    async def visit(self, page: str) -> int:
        """Open a page, and return the number of its elements.

        :raises PageError: if it shows an error.
        """
        messages = await self._run_page(ClientState(page_script_hash=self._page_hashes[page]))
        elements = [message.delta.new_element for message in messages if message.HasField("delta")]
        if any(element.WhichOneof("type") == _EXCEPTION for element in elements):
            raise PageError(f"{page} shows an error")
        return len(elements)

    async def _run_page(self, state: ClientState) -> list[ForwardMsg]:
        """Let the server run a page, and return all that it sends until the page is complete."""
        assert self._socket is not None
        await self._socket.send(BackMsg(rerun_script=state).SerializeToString())
        messages: list[ForwardMsg] = []
        while True:
            content = await self._socket.recv(decode=False)
            message = ForwardMsg.FromString(bytes(content))
            messages.append(message)
            if message.HasField("navigation"):
                self._page_hashes = {page.page_name: page.page_script_hash for page in message.navigation.app_pages}
            # A page that starts itself again, as the sign-in does, ends with another status first.
            if (
                message.WhichOneof("type") == "script_finished"
                and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            ):
                return messages


def _find_widgets(messages: Sequence[ForwardMsg]) -> Mapping[str, str]:
    """Return the ids of text fields and buttons, by label."""
    ids = {}
    for message in messages:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind in ("text_input", "button"):
            widget = getattr(element, kind)
            ids[widget.label] = widget.id
    return ids


def _get_page_hash(messages: Sequence[ForwardMsg]) -> str:
    return next(message.new_session.page_script_hash for message in messages if message.HasField("new_session"))
