"""The Avro contracts of feeds, each a file beside this one: ``user_activity_1``, ``user_activity_2``, ``user``.

``spotify_wrapped_data`` and the ``entity_`` contracts (user, track, artist, event) tell the same in the shapes of
earlier feeds; nothing here reads them.

Version 2 of UserActivity adds fields with defaults to version 1, so that readers of either read files of both.
"""

import json
from importlib.resources import files
from typing import Any

LATEST_CONTRACT = {"user_activity": "user_activity_2", "user": "user"}
"""The contract by which a feed of each format is read, whatever version wrote it."""


def load_contract(name: str) -> dict[str, Any]:
    """The schema of a contract, as parsed JSON; also where this package comes to a Spark worker as a zip."""
    schema: dict[str, Any] = json.loads((files("etl.formats.contracts") / f"{name}.avsc").read_text(encoding="utf-8"))
    return schema
