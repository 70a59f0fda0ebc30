"""A simulated feed in a contract that ``load_events`` does not take, written into a folder for other readers."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from etl.engines.spark import open_session
from etl.formats.avro.container_files import count_records
from etl.formats.contracts.avro import write_avro
from etl.settings import Settings
from etl.storage.export_folder import replace_export, write_manifest
from etl.storage.full_disk import report_full_disk
from simulator.jobs.feed import prepare_simulation
from simulator.listeners import activity_records, feed
from simulator.listeners import contract_projections as projections
from simulator.listeners.parameters import Parameters
from simulator.listeners.simulation import Simulation

CONTRACTS = ("spotify_wrapped_data", "entities")
"""Records of SpotifyWrappedData, or the four entities user, track, artist and event."""


@report_full_disk
def write_external_feed(
    contract: str, parameters: Parameters, received_at: datetime, folder: Path | None, settings: Settings
) -> dict[str, Any]:
    """Write a feed into a folder: a subfolder for each contract, and a manifest.

    The same parameters and catalogue give the same records.

    :param contract: one of CONTRACTS.
    :param received_at: with a timezone; the interval must have ended by then.
    :param folder: None: a folder below STATE_DIR, named for the contract and the parameters.
    :returns: population, folder and the number of records of each contract.
    :raises ActionNeededError: as ``feed.prepare_simulation`` and ``export_folder.replace_export`` do.
    """
    simulation, tracks, playlist_ids = prepare_simulation(parameters, received_at, settings)
    input_id = simulation.parameters.compute_input_id(simulation.library.fingerprint, contract)
    target = folder or settings.state_dir / "exports" / f"{contract}_{input_id}"
    with replace_export(target) as draft, open_session(settings, f"simulate {contract}", feed.SPARK_OPTIONS) as spark:
        counts = _write_contracts(spark, contract, simulation, tracks, playlist_ids, draft)
        write_manifest(draft, {"contracts": list(counts), "records": counts, "population": simulation.population_id})
    return {"population": simulation.population_id, "folder": str(target), "records": counts}


def _write_contracts(
    spark: SparkSession,
    contract: str,
    simulation: Simulation,
    tracks: pd.DataFrame,
    playlist_ids: list[str],
    draft: Path,
) -> dict[str, int]:
    limited = feed.limit_records(spark, simulation)
    lookup_tables = activity_records.make_lookup_tables(spark, tracks, playlist_ids)
    users = feed.make_user_records(spark, limited)
    known_tracks = tracks.iloc[: simulation.library.known_track_count]
    frames: dict[str, DataFrame] = {}
    if contract == "entities":
        event_contract = "entity_event"
        project: Callable[[DataFrame], DataFrame] = projections.make_event_entities
        frames["entity_user"] = projections.make_user_entities(users)
        frames["entity_track"] = projections.make_track_entities(spark, known_tracks)
        frames["entity_artist"] = projections.make_artist_entities(spark, known_tracks)
    else:
        event_contract, project = contract, partial(projections.make_wrapped_records, users=users)
    for name, frame in frames.items():
        write_avro(frame, name, (draft / name).as_uri())
    feed.write_events(spark, limited, lookup_tables, (draft / event_contract).as_uri(), event_contract, project)
    files = fsspec.filesystem("file")
    return {name: count_records(files, str(draft / name)) for name in (*frames, event_contract)}
