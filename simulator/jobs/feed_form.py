"""Simulate the feed that the form of ``simulate_feed`` or ``bin/simulate-feed`` requests, in its contract."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from etl.settings import Settings
from simulator.jobs import external_feed, feed, stream

Contract = Literal["user_activity_2", "user_activity_1", "spotify_wrapped_data", "entities"]
LOADABLE_CONTRACTS = ("user_activity_2", "user_activity_1")
"""The contracts that ``load_events`` takes; external_feed writes the others."""
DESTINATIONS = ("lake", "topic")


def simulate_form(
    run_id: str, form: Mapping[str, Any], now: datetime, settings: Settings, folder: Path | None = None
) -> dict[str, Any]:
    """Simulate the requested feed: into the lake if ``load_events`` takes the contract, else into a folder.

    With the destination ``topic``, its events go to Kafka instead.

    :param form: as for ``feed.parse_parameters``; destination; with ``topic``, also as for ``stream.send_form``.
    :param folder: for a contract that ``load_events`` does not take; None: a folder below STATE_DIR.
    :returns: as ``feed.simulate_feed``, ``external_feed.write_external_feed`` or ``stream.send_form`` does.
    """
    if form.get("destination") == "topic":
        return stream.send_form(form, now, settings)
    parameters = feed.parse_parameters(form, now)
    contract = form.get("contract")
    if contract in external_feed.CONTRACTS:
        return external_feed.write_external_feed(contract, parameters, now, folder, settings)
    return feed.simulate_feed(run_id, parameters, now, settings)
