"""The Avro contracts, each a file in this package.

The lake accepts feeds of ``user_activity_1``, ``user_activity_2`` and ``user``. The other contracts are written for
other readers: ``spotify_wrapped_data`` by the simulator, the ``entity_`` contracts (user, track, artist, event) by the
simulator and ``jobs.avro_export``.

Version 2 of UserActivity adds fields with defaults to version 1, so that readers of either version can read files of
both.
"""

import json
from importlib.resources import files
from typing import Any

from pyspark.sql import DataFrame

LATEST_CONTRACT = {"user_activity": "user_activity_2", "user": "user"}
"""The contract that a feed of each format is read by, whichever version it was written in."""


def load_contract(name: str) -> dict[str, Any]:
    """Return the schema of a contract as parsed JSON, also from the zip of this package on a Spark worker."""
    schema: dict[str, Any] = json.loads((files("etl.formats.contracts") / f"{name}.avsc").read_text(encoding="utf-8"))
    return schema


def write_avro(frame: DataFrame, contract_name: str, url: str) -> None:
    """Write records as Avro files of a contract into a folder, and replace its content."""
    schema = json.dumps(load_contract(contract_name))
    frame.write.format("avro").option("avroSchema", schema).mode("overwrite").save(url)
