"""The rows of Kaggle files: parsed and analysed once, and stored in the lake, because files are immutable."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl.engines.small_frames import make_frame
from etl.engines.spark import empty_frame
from etl.formats.contracts import ANALYSED_ROW, ARTIST_ROW, REJECTED_ROW, ROW_LINK, SURVEY_ROW, TRACK_ROW
from etl.formats.kaggle.file_formats import FORMATS
from etl.formats.tabular import read_rows
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from etl.transform.catalogue.links import Hashes, build_row_links, get_columns, track_hash
from etl.transform.catalogue.reconciliation import add_track_identity
from etl.transform.catalogue.stages import checkpoint_to_disk
from etl.transform.kaggle import parse_rows
from etl.transform.validation import ValidationResult

_ROW_SCHEMAS = {"track": TRACK_ROW, "artist": ARTIST_ROW, "survey_response": SURVEY_ROW}
_STORED_SCHEMAS = {
    "rows": ANALYSED_ROW,
    "artist_rows": ARTIST_ROW,
    "survey_rows": SURVEY_ROW,
    "rejected": REJECTED_ROW,
}


@dataclass(frozen=True)
class FileRows:
    """The rows of some files: about tracks (``ANALYSED_ROW``), artists and surveys, and rejected ones."""

    input_ids: list[str]
    rows: DataFrame
    artist_rows: DataFrame
    survey_rows: DataFrame
    rejected: DataFrame


def parse_new_inputs(spark: SparkSession, lake: Lake, inputs: list[ReceivedInput]) -> None:
    """Parse and analyse the files among inputs that are not parsed yet, and store their rows."""
    parsed = lake.catalogue_states.find_parsed_inputs()
    unparsed = [
        received_input
        for received_input in inputs
        if received_input.format in FORMATS and received_input.input_id not in parsed
    ]
    if not unparsed:
        return
    results = parse_files(spark, unparsed)
    track_rows = union_accepted(spark, results["track"], TRACK_ROW)
    # A file is one task. Splitting titles is the most expensive step, so the rows are spread over the cores first.
    rows = checkpoint_to_disk(add_track_identity(track_rows.repartition("input_id", "row_number", "track_id")))
    frames = {
        "rows": rows.withColumn("id_hash", track_hash(F.col("identity"))),
        "artist_rows": union_accepted(spark, results["artist"], ARTIST_ROW),
        "survey_rows": union_accepted(spark, results["survey_response"], SURVEY_ROW),
        "rejected": reduce(
            DataFrame.unionByName,
            (result.rejected for kind in results.values() for result in kind),
            empty_frame(spark, REJECTED_ROW),
        ),
        "row_links": build_row_links(rows),
    }
    lake.catalogue_states.write_parsed_inputs(frames, [received_input.input_id for received_input in unparsed])


def read_file_rows(spark: SparkSession, lake: Lake, input_ids: list[str]) -> FileRows:
    """Return the rows of files that ``parse_new_inputs`` has stored; ids of other inputs have none."""
    batches, known_ids = _find_batches(lake, input_ids)

    def read_frame(name: str, schema: StructType) -> DataFrame:
        if not batches:
            return empty_frame(spark, schema)
        frame = lake.catalogue_states.read_parsed_frame(spark, batches, name, schema)
        return frame.where(F.col("input_id").isin(*known_ids))

    return FileRows(input_ids=known_ids, **{name: read_frame(name, schema) for name, schema in _STORED_SCHEMAS.items()})


def read_track_rows(spark: SparkSession, lake: Lake, input_ids: list[str], id_hashes: Hashes) -> DataFrame:
    """Return the rows of files about the tracks with some hashes."""
    batches, known_ids = _find_batches(lake, input_ids)
    table = lake.catalogue_states.read_parsed_rows(batches, "rows", ANALYSED_ROW, known_ids, id_hashes)
    return make_frame(spark, table, ANALYSED_ROW)


def read_row_links(lake: Lake, input_ids: list[str]) -> list[Hashes]:
    """Return the links of the rows of files, as ``update_inputs.RowLinks`` has them."""
    batches, known_ids = _find_batches(lake, input_ids)
    table = lake.catalogue_states.read_parsed_rows(batches, "row_links", ROW_LINK, known_ids)
    return get_columns(table.select(["id_hash", "node", "artist"]))


def _find_batches(lake: Lake, input_ids: list[str]) -> tuple[set[str], list[str]]:
    """Return the batches of parsed files, and the ids of these; ids of other inputs have none."""
    parsed = lake.catalogue_states.find_parsed_inputs()
    known_ids = sorted(input_id for input_id in input_ids if input_id in parsed)
    return {parsed[input_id] for input_id in known_ids}, known_ids


def parse_files(spark: SparkSession, inputs: list[ReceivedInput]) -> dict[str, list[ValidationResult]]:
    """Parse the rows of Kaggle files, by kind of row: track, artist, survey_response."""
    results_by_kind: dict[str, list[ValidationResult]] = {kind: [] for kind in _ROW_SCHEMAS}
    for file_format in FORMATS.values():
        format_inputs = [received_input for received_input in inputs if received_input.format == file_format.name]
        if format_inputs:
            results_by_kind[file_format.kind].append(
                parse_rows(read_rows(spark, format_inputs, file_format), file_format)
            )
    return results_by_kind


def union_accepted(spark: SparkSession, results: list[ValidationResult], schema: StructType) -> DataFrame:
    """Return the accepted rows of several files; an empty frame without files."""
    return reduce(DataFrame.unionByName, (result.accepted for result in results), empty_frame(spark, schema))
