"""Tables and JSON of other services in all variants: each row is an event, a duplicate, or rejected with a reason."""

import gzip
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from etl.extract.account_export import receive_export
from etl.formats.service_exports import SERVICE_FORMATS
from etl.storage.lake import Lake
from etl.transform.account_export import parse_events
from tests.service_exports import SONGS, TIMES, Variant, build_csv_variants, build_json_variants
from tests.transform.account_export.test_plays import LINE

NOW = datetime(2026, 11, 1, tzinfo=UTC)
VARIANTS = [*build_csv_variants(), *build_json_variants()]


def _import_variant(variant: Variant, folder: Path) -> tuple[list[tuple[object, ...]], int]:
    """Import the file of a variant; return its lines, its name as their input, and the count of skipped records."""
    folder.mkdir()
    (folder / variant.file_name).write_bytes(variant.content)
    lake = Lake((folder / "lake").as_uri())
    export = receive_export(str(folder / variant.file_name), "ada", "Europe/Berlin", lake, NOW)
    (received,) = export.inputs
    assert received.format == variant.format, variant.name
    text = gzip.decompress(Path(received.url.removeprefix("file://")).read_bytes()).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    return [
        (line["number"], "ada", "Europe/Berlin", line["file"], line["body"], variant.name, NOW) for line in lines
    ], sum(export.skipped_records.values())


@pytest.fixture(scope="module")
def accounts(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[list[Row], list[str], int]]:
    """Return for each variant its events, the reasons of its rejected rows, and the count of its skipped records."""
    folder = tmp_path_factory.mktemp("variants")
    lines_by_format: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    events: dict[str, list[Row]] = defaultdict(list)
    reasons: dict[str, list[str]] = defaultdict(list)
    skipped: dict[str, int] = {}
    for number, variant in enumerate(VARIANTS):
        lines, skipped[variant.name] = _import_variant(variant, folder / f"{number}")
        lines_by_format[variant.format] += lines
    for format_name in SERVICE_FORMATS:
        result = parse_events(spark.createDataFrame(lines_by_format[format_name], LINE).repartition(2), format_name)
        for row in result.accepted.collect():
            events[row.input_id].append(row)
        for row in result.rejected.orderBy("row_number").collect():
            reasons[row.input_id].append(row.reason)
    return {variant.name: (events[variant.name], reasons[variant.name], skipped[variant.name]) for variant in VARIANTS}


def test_there_are_enough_variants() -> None:
    kinds = Counter(variant.name.split(":")[0] for variant in VARIANTS)
    assert kinds["CSV"] >= 40 and kinds["JSON"] >= 30
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_each_row_is_an_event_a_duplicate_or_rejected(
    accounts: dict[str, tuple[list[Row], list[str], int]], variant: Variant
) -> None:
    events, reasons, skipped = accounts[variant.name]
    assert sorted(reasons) == sorted(variant.rejected)
    identities = {(event.event_time, event.identity) for event in events}
    assert (len(identities), len(events) - len(identities)) == (variant.accepted, variant.duplicates)
    assert skipped == variant.left_out
    assert {(event.artist_name, event.track_name) for event in events} == {
        (artist, track) for artist, _, track in SONGS
    }
    times = {event.event_time for event in events}
    expected = {time.replace(tzinfo=None) for time in TIMES}
    if variant.format == "apple_music_export":
        assert {event.ended_at for event in events} == expected
        assert {event.ms_played for event in events} == {180_000}
    else:
        assert times == expected
        assert {(event.started_at, event.ended_at, event.ms_played) for event in events} == {(None, None, None)}
