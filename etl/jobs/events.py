"""The load of events: what the lake holds of them and the audit does not yet know."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import partial

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql.pandas.types import to_arrow_schema

from etl import arrow_files, warehouse
from etl.columnar import Tables, as_table
from etl.config import MOCK_API, Settings
from etl.full_disk import explains_full_disk
from etl.jobs import api_events
from etl.jobs.account_export import read_lines
from etl.jobs.told import FeedFile, Part, RefusedFile, RowFile, Told, cut, tell
from etl.lake import Lake, Received
from etl.limits import CLOCK_TOLERANCE
from etl.load import Run, RunInput
from etl.load.events import EventLoad, event_load
from etl.load.run import record_taken
from etl.load.staging import Staging
from etl.places import known_timezones
from etl.schemas import EVENTS, REJECTED_ROW
from etl.schemas.avro import NEWEST, contract
from etl.spark import LazySession, lazy_session
from etl.spread import spread
from etl.transform import account_export
from etl.transform.events import facts, feed, matching, members
from etl.transform.parsed import Parsed

log = logging.getLogger(__name__)

ORIGINS = ("feed", "account_export", "api")
_PLACE = "told"
"""Of what a load lays ready in the lake until it is done."""
_FEEDS = {
    "user_activity": (feed.events, feed.NOT_ASKED),
    "user": (feed.users, ()),
}
"""The query of a feed's format, and the fields of its contract that the query does not read."""


def has_news(settings: Settings) -> bool:
    """Whether the lake holds an input that no load of events has taken."""
    with warehouse.connect(settings.warehouse_url) as connection:
        return bool(_unknown(warehouse.published_inputs(connection, warehouse.EVENT_JOB), Lake(settings.lake_url)))


@explains_full_disk
def plan_events(run_id: str, settings: Settings) -> int:
    """Decide which inputs a load takes, and note it for the next step.

    :returns: how many; 0 where there is nothing new.
    """
    started_at = datetime.now(UTC)
    lake = Lake(settings.lake_url)
    with warehouse.connect(settings.warehouse_url) as connection:
        known = warehouse.published_inputs(connection, warehouse.EVENT_JOB)
        new = api_events.as_event_inputs(lake, _unknown(known, lake))
        if not any(map(api_events.has_events, new)):
            if new:
                record_taken(connection, _run(run_id, started_at, started_at.date(), new))
            else:
                warehouse.record_nothing_new(connection, run_id, warehouse.EVENT_JOB, started_at)
            return 0
    lake.write_note(run_id, "events", {"started_at": started_at.isoformat(), "inputs": [asdict(one) for one in new]})
    log.info("%d new inputs: %s", len(new), ", ".join(one.name for one in new))
    return len(new)


@explains_full_disk
def load_events(run_id: str, reference_date: date, settings: Settings) -> dict[str, int]:
    """Read the planned inputs, give their events the keys of what they name, stage, check and publish.

    :returns: rows added, by table; empty where every event was there already.
    """
    lake = Lake(settings.lake_url)
    plan = lake.read_note(run_id, "events")
    inputs = [Received.from_note(one) for one in plan["inputs"]]
    run = _run(run_id, datetime.fromisoformat(plan["started_at"]), reference_date, inputs)
    with event_load(run, settings.warehouse_url) as load:
        if load is None:
            return {}
        lake.drop_kept(run_id, _PLACE)
        with lazy_session(settings, f"load_events {run_id}") as spark:
            parts = [*_feed_parts(lake, run_id, inputs), *_spark_parts(spark, lake, run_id, inputs, settings, load)]
            written = _load(spark, inputs, spread(spark, tell, parts), lake.kept_url(run_id, _PLACE), load)
        lake.drop_kept(run_id, _PLACE)
        return written


def _unknown(known: set[str], lake: Lake) -> list[Received]:
    return [one for one in lake.inputs(ORIGINS) if api_events.event_id_of(one) not in known]


def _run(run_id: str, started_at: datetime, reference_date: date, inputs: list[Received]) -> Run:
    return Run(
        run_id=run_id,
        job=warehouse.EVENT_JOB,
        started_at=started_at,
        reference_date=reference_date,
        inputs=tuple(RunInput(one.input_id, one.origin, one.name, one.format, one.row_count) for one in inputs),
    )


def _load(spark: LazySession, inputs: list[Received], told: list[Told], place: str, load: EventLoad) -> dict[str, int]:
    playlists = _exported_playlists(spark, inputs, place)
    events = arrow_files.largest_first(url for one in told if one.named is not None for url in one.accepted)
    users = [url for one in told if one.named is None for url in one.accepted]
    named = members.together([one.named for one in told if one.named is not None] + playlists.named)
    if members.has_names_alone(named):
        named = members.with_made(named, spark())
    load.stage_members({"event_named": named} | _united(_of_users(users), playlists.frames))
    refused = [url for one in told for url in one.refused] + _cut(inputs, place) + playlists.rejected
    spread(spark, partial(_stage_refused, load.staging), list(enumerate(refused)))
    load.publish_members()
    log.info("All users, artists, tracks and playlists that the events name are known.")
    first_days, keys = load.first_days(), load.keys()
    stage = partial(_stage_facts, load.staging, keys, tuple(first_days))
    months = load.stage_events(lambda: spread(spark, stage, list(enumerate(events))), first_days)
    return load.publish_events(months, matching.SOURCES, _matches(load))


def _feed_parts(lake: Lake, run_id: str, inputs: list[Received]) -> list[FeedFile]:
    known = known_timezones()
    parts = []
    for one in inputs:
        if one.format not in _FEEDS:
            continue
        query, not_asked = _FEEDS[one.format]
        fields = contract(NEWEST[one.format])
        not_after = datetime.fromisoformat(one.received_at) + CLOCK_TOLERANCE
        for number, url in enumerate(lake.files_of(one, ".avro")):
            parts.append(
                FeedFile(
                    url=url,
                    target=lake.kept_url(run_id, f"{_PLACE}/{one.input_id}-{number:06}"),
                    input_id=one.input_id,
                    query=query(one.input_id, not_after, known),
                    contract=fields,
                    fields=tuple(field["name"] for field in fields["fields"] if field["name"] not in not_asked),
                    is_of_users=one.format == "user",
                )
            )
    return parts


def _spark_parts(
    spark: LazySession, lake: Lake, run_id: str, inputs: list[Received], settings: Settings, load: EventLoad
) -> list[Part]:
    """Files that Spark made of exports and of the API's answers."""
    parts: list[Part] = []
    for name, parsed in _parsed(spark, lake, inputs, settings, load):
        for is_accepted, frame in ((True, parsed.accepted), (False, parsed.rejected)):
            kept = f"{_PLACE}/{name}-{'accepted' if is_accepted else 'rejected'}"
            lake.write_frame(frame, run_id, kept)
            kind = RowFile if is_accepted else RefusedFile
            parts += [
                kind(url, f"{lake.kept_url(run_id, kept)}-{number:06}")
                for number, url in enumerate(lake.frame_files(run_id, kept))
            ]
    return parts


def _parsed(
    spark: LazySession, lake: Lake, inputs: list[Received], settings: Settings, load: EventLoad
) -> Iterator[tuple[str, Parsed]]:
    for name in account_export.EVENT_FORMATS:
        if exports := [one for one in inputs if one.format == name]:
            yield name, account_export.parse(read_lines(spark(), exports), name)
    if answers := [one for one in inputs if one.format == "spotify_answers" and one.row_count]:
        ids = api_events.account_ids(settings)
        is_mock = lake.answered_by(settings.asked_api) == MOCK_API
        yield "spotify_answers", api_events.parse(spark(), lake, answers, ids, load, is_mock)


@dataclass(frozen=True)
class _ExportedPlaylists:
    """Playlists of account exports: frames to stage, what they name, and URLs of the files of rejected rows."""

    frames: dict[str, pa.Table] = field(default_factory=dict)
    named: list[pa.Table] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)


def _exported_playlists(spark: LazySession, inputs: list[Received], place: str) -> _ExportedPlaylists:
    exports = [one for one in inputs if one.format == "playlist_export"]
    if not exports:
        return _ExportedPlaylists()
    parsed = account_export.parse_playlists(read_lines(spark(), exports).persist(StorageLevel.DISK_ONLY))
    frames = {
        "exported_playlist": parsed.playlists.toArrow(),
        "exported_playlist_track": parsed.tracks.toArrow(),
        "event_count": parsed.counts.toArrow(),
    }
    rejected = f"{place}/playlists-refused.arrow"
    arrow_files.write(rejected, as_table(parsed.rejected.toArrow(), to_arrow_schema(REJECTED_ROW)))
    named = members.named_by_playlists(frames["exported_playlist"], frames["exported_playlist_track"])
    return _ExportedPlaylists(frames, [named], [rejected])


def _united(*frames: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Frames by name; those of one name together."""
    names = {name for one in frames for name in one}
    return {
        name: pa.concat_tables(as_table(one[name], to_arrow_schema(EVENTS[name])) for one in frames if name in one)
        for name in sorted(names)
    }


def _stage_refused(staging: Staging, part: tuple[int, str]) -> int:
    number, url = part
    return staging.write("rejected_row", number, arrow_files.read(url).to_batches())


def _stage_facts(staging: Staging, keys: dict[str, pa.Table], tables: Sequence[str], part: tuple[int, str]) -> int:
    number, url = part
    rows = arrow_files.read(url)
    return staging.write_events(number, {table: facts.facts(rows, keys, table) for table in tables})


def _cut(inputs: list[Received], place: str) -> list[str]:
    """The file of what cut inputs lack, if any is cut."""
    lacking = [cut(one.input_id, one.cut_off) for one in inputs if one.cut_off]
    if not lacking:
        return []
    url = f"{place}/cut-refused.arrow"
    arrow_files.write(url, pa.concat_tables(lacking))
    return [url]


def _of_users(urls: list[str]) -> dict[str, pa.Table]:
    """What is said of users, each once, and how many records of each input say so."""
    if not urls:
        return {}
    tables = Tables(rows=pa.concat_tables(map(arrow_files.read, urls)))
    columns = ", ".join(EVENTS["user_record"].names)
    return {
        "user_record": tables.table(f"select distinct {columns} from rows"),  # noqa: S608 (columns of ours)
        "event_count": tables.table(_USER_COUNTS),
    }


def _matches(load: EventLoad) -> list[tuple[object, ...]]:
    """Return the rows of ``matched.stage`` for the plays that go."""
    plays = [matching.Play((row.pop("event_id"), row.pop("event_time")), **row) for row in load.plays(matching.SOURCES)]
    has_two_sources = len({play.source for play in plays}) > 1
    names = load.track_names({play.track_key for play in plays}) if has_two_sources else {}
    return [(*match.dropped, *match.kept, match.rule) for match in matching.matches(plays, names)]


_USER_COUNTS = """
    select r.input_id, r.row_count as rows_accepted, r.row_count - u.row_count as rows_repeated
    from (select input_id, count(*) as row_count from rows group by input_id) as r
    inner join (
        select input_id, count(*) as row_count
        from (select distinct input_id, user_id, valid_from from rows) as once
        group by input_id
    ) as u on u.input_id = r.input_id
"""
