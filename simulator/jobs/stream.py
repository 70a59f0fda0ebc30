"""Streams of events into the topic: those of simulated listeners, or those of files."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from etl.errors import ActionNeededError, TryAgainError
from etl.load.simulated_truth import write_truth
from etl.settings import KafkaSettings, Settings
from etl.streams.messages import SCHEMA_VERSION
from simulator.jobs.feed import build_simulation, check_interval, parse_parameters, parse_time
from simulator.listeners import feed
from simulator.listeners.parameters import LATEST_END
from simulator.listeners.simulation import Simulation
from simulator.streams.activity_tables import make_words
from simulator.streams.blocks import Source
from simulator.streams.file_source import FileSource, find_event_files, identify_file
from simulator.streams.listener_source import ListenerSource, StreamErrors
from simulator.streams.observer import Observer
from simulator.streams.pacing import FULL_SPEED, Pace
from simulator.streams.positions import StreamPosition
from simulator.streams.sending import Sender, SendOptions, StreamResult, StreamStart

log = logging.getLogger(__name__)

_PAST_HOURS = 72.0
"""The interval of a stream that is faster than real time, before now."""
_MAX_NAME_LENGTH = 100
_TRUTH_AHEAD = timedelta(days=31)
"""The truth about a stream without an end is published so far ahead; its next start publishes more."""


@dataclass(frozen=True)
class StreamPlan:
    """A stream that can be sent."""

    name: str
    start: StreamStart
    open_source: Callable[[StreamPosition], Source]
    simulation: Simulation | None = None


def parse_pace(form: Mapping[str, Any], default: Pace) -> Pace:
    """Return the pace of a form: speed, rate (messages a second) or is_full_speed; a missing field or None is none.

    :raises ActionNeededError: if it is not valid.
    """
    pace = Pace(form.get("speed"), form.get("rate"), bool(form.get("is_full_speed")))
    return default if pace.is_real_time else pace


def plan_listener_stream(form: Mapping[str, Any], pace: Pace, now: datetime, settings: Settings) -> StreamPlan:
    """Return the stream of simulated listeners.

    :param form: users, start, hours, seed, mix, free_share, anomalous_share, growing_since and the kinds of injected
        errors as for ``feed.parse_parameters``; also late_minutes, undecodable, name and is_restart.
    :param now: the start without one in real time; else the end of the hours before it.
    :raises ActionNeededError: if a value is not valid, or the warehouse has no catalogue.
    """
    start, end = _resolve_interval(form, pace, now)
    parameters = parse_parameters({**form, "start": start.isoformat(), "end": end.isoformat(), "records": None}, now)
    simulation, tracks, playlist_ids = build_simulation(parameters, settings)
    defaults = asdict(StreamErrors())
    errors = StreamErrors(**{name: _get_value(form, name, value) for name, value in defaults.items()})
    identity = {
        # Habits and growth are part of the population.
        **{name: value for name, value in asdict(parameters).items() if name not in _NOT_IN_IDENTITY},
        **asdict(errors),
        "population": simulation.population_id,
        "start": form.get("start"),
        "hours": form.get("hours"),
    }
    words = make_words(tracks, playlist_ids)

    def open_source(position: StreamPosition) -> Source:
        interval = replace(
            simulation.parameters, start=_to_datetime(position.start_ms), end=_to_datetime(position.end_ms)
        )
        return ListenerSource(replace(simulation, parameters=interval), words, errors)

    open_source(StreamPosition(identity, "", _to_ms(start), _to_ms(end), 0))  # checks the parameters
    can_repeat = not form.get("start")
    plan = _make_plan(form, "listeners", identity, (_to_ms(start), _to_ms(end)), can_repeat, open_source)
    return replace(plan, simulation=simulation)


def plan_replay(path: str, form: Mapping[str, Any], pace: Pace, now: datetime) -> StreamPlan:
    """Return the stream of the records of a file, or of the files of a folder.

    :param form: name and is_restart.
    :param now: the latest time at which a record can be due.
    :raises WrongFileError: if a file is no Avro file of UserActivity.
    """
    paths = find_event_files(path)
    is_timed = pace.is_real_time or pace.speed is not None
    source = FileSource(paths, _to_ms(now) if is_timed else None)
    identity = {"files": [identify_file(file) for file in paths]}
    return _make_plan(form, "replay", identity, (0, 0), False, lambda position: source)


def publish_truth(plan: StreamPlan, now: datetime, settings: Settings) -> None:
    """Publish the truth about a stream's listeners in the schema simulation, as for a feed; files have none.

    :param now: the anomalous episodes of a stream without an end are those until ``_TRUTH_AHEAD`` after it.
    :raises EtlError: as ``simulated_truth.write_truth`` does.
    """
    if plan.simulation is not None:
        parameters = plan.simulation.parameters
        interval = replace(parameters, end=min(parameters.end, max(parameters.start, now) + _TRUTH_AHEAD))
        write_truth(feed.make_truth_tables(replace(plan.simulation, parameters=interval)), settings.warehouse_url)


def send_stream(
    plan: StreamPlan, kafka: KafkaSettings, options: SendOptions, observer: Observer
) -> StreamResult | None:
    """Send a stream; ``Sender.send_stream`` describes result and errors."""
    return Sender(kafka, plan.name, options, observer).send_stream(plan.start, plan.open_source)


def send_form(form: Mapping[str, Any], now: datetime, settings: Settings) -> dict[str, Any]:
    """Send the feed that a form requests to the topic, at full speed unless the form has another pace.

    The same form again sends nothing twice, and goes on where an interrupted one has ended.

    :param form: as for ``feed.parse_parameters``, and as for ``parse_pace``.
    :returns: the stream's name and its number of messages, in total and with an injected error by kind.
    :raises ActionNeededError: if no Kafka is set, the form has a number of records or another contract than the newest,
        or the interval lies in the future; and as ``Sender.send_stream`` does.
    """
    kafka = settings.require_kafka()
    if form.get("records") is not None:
        raise ActionNeededError("A stream has no number of records: name its hours.")
    if form.get("contract") not in (None, f"user_activity_{SCHEMA_VERSION}"):
        raise ActionNeededError(f"The topic takes events of user_activity_{SCHEMA_VERSION}, not of {form['contract']}.")
    pace = parse_pace(form, FULL_SPEED)
    parameters = parse_parameters(form, now)
    check_interval(parameters, now)
    interval = {
        "start": parameters.start.isoformat(),
        "hours": (parameters.end - parameters.start) / timedelta(hours=1),
    }
    plan = plan_listener_stream({**form, **interval}, pace, now, settings)
    publish_truth(plan, now, settings)
    result = send_stream(plan, kafka, SendOptions(pace), Observer(report=log.info))
    if result is None:
        raise TryAgainError("The stream was stopped.")
    return {"stream": result.name, "messages": result.position.sent, "errors": dict(result.position.errors)}


_NOT_IN_IDENTITY = ("start", "end", "records", "schema_version", "habits", "growing_since")


def _make_plan(
    form: Mapping[str, Any],
    kind: str,
    identity: Mapping[str, Any],
    interval_ms: tuple[int, int],
    can_repeat: bool,
    open_source: Callable[[StreamPosition], Source],
) -> StreamPlan:
    text = json.dumps(identity, sort_keys=True)
    # Other parameters are another stream, unless the operator names it.
    name = form.get("name") or f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    if len(name) > _MAX_NAME_LENGTH or not name.isprintable():
        raise ActionNeededError(f"A stream's name has at most {_MAX_NAME_LENGTH} printable characters, not {name!r}.")
    start = StreamStart(json.loads(text), *interval_ms, can_repeat, bool(form.get("is_restart")))
    return StreamPlan(name, start, open_source)


def _resolve_interval(form: Mapping[str, Any], pace: Pace, now: datetime) -> tuple[datetime, datetime]:
    hours = form.get("hours")
    start = parse_time(form.get("start"))
    if start is None and not pace.is_real_time:
        return now - timedelta(hours=_PAST_HOURS if hours is None else hours), now
    start = start or now
    return start, LATEST_END if hours is None else min(start + timedelta(hours=hours), LATEST_END)


def _get_value(form: Mapping[str, Any], name: str, default: Any) -> Any:
    return default if form.get(name) is None else form[name]


def _to_ms(timestamp: datetime) -> int:
    return round(timestamp.timestamp() * 1000)


def _to_datetime(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
