"""The Avro contracts, each a file beside this one.

Feeds that the lake takes are of ``user_activity_1``, ``user_activity_2`` and ``user``. ``spotify_wrapped_data`` and the
``entity_`` contracts (user, track, artist, event) are written for other readers: by the simulator and, the entities, by
``jobs.avro_export``.

Version 2 of UserActivity adds fields with defaults to version 1, so that readers of either read files of both.
"""

import json
from importlib.resources import files
from typing import Any

from pyspark.sql import DataFrame

LATEST_CONTRACT = {"user_activity": "user_activity_2", "user": "user"}
"""The contract by which a feed of each format is read, whatever version wrote it."""


def load_contract(name: str) -> dict[str, Any]:
    """The schema of a contract, as parsed JSON; also where this package comes to a Spark worker as a zip."""
    schema: dict[str, Any] = json.loads((files("etl.formats.contracts") / f"{name}.avsc").read_text(encoding="utf-8"))
    return schema


def write_avro(frame: DataFrame, contract_name: str, url: str) -> None:
    """Write records as Avro files of a contract into a folder, over what is there."""
    schema = json.dumps(load_contract(contract_name))
    frame.write.format("avro").option("avroSchema", schema).mode("overwrite").save(url)
