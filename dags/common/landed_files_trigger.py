"""The trigger that starts a load of events once landed messages wait in the lake.

It runs in Airflow's triggerer, so it must not import Spark's sessions or block its event loop.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

log = logging.getLogger(__name__)

_POLL_SECONDS = 5.0
_REPEAT_AFTER = timedelta(minutes=10)
"""When files still wait after so long, the load that an event started has failed: another event starts the next one."""


class LandedFilesTrigger(BaseEventTrigger):
    """Fires when landed messages are worth a load, once for the same files.

    A load takes all files that wait when it starts. So the trigger fires again when the oldest file is another one: a
    load has taken those before it. It has no parameters: the settings come from the triggerer's environment.
    """

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and its parameters, by which Airflow makes the trigger again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event each time that a load is due."""
        from etl.jobs.landed_inputs import find_due_messages
        from etl.settings import read_settings

        settings = read_settings(os.environ)
        fired_for, fired_at = "", datetime.fromtimestamp(0, UTC)
        while True:
            now = datetime.now(UTC)
            try:
                due = await asyncio.to_thread(find_due_messages, settings, now)
            except OSError as error:  # The lake is not reachable for a while.
                log.warning("The landed files cannot be listed: %s", error)
                due = None
            if due and (due.oldest_name != fired_for or now - fired_at > _REPEAT_AFTER):
                fired_for, fired_at = due.oldest_name, now
                yield TriggerEvent({"oldest_file": due.oldest_name, "offset_count": due.offset_count})
            await asyncio.sleep(_POLL_SECONDS)
