"""What a load belongs to, and its lines in the audit."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from etl.database import EVENT_LOAD_JOB, EXTERNAL_END_MESSAGES, MARKED_FAILED_MESSAGE, fetch_rows
from etl.errors import ActionNeededError


@dataclass(frozen=True)
class RunInput:
    """An input whose rows a run loads; ``row_count`` is the number of its data records, counted when it came in.

    ``encoding`` is that of a table; ``remarks`` say what was guessed of how it is read.
    """

    input_id: str
    origin: str
    name: str
    format: str
    row_count: int
    encoding: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run: its inputs are all whose rows stand in the frames, new ones and old ones alike.

    ``memory_run_id`` is the run that made the memory of the API's answers which this one uses. ``published_until`` is
    when the last of the runs had finished that had published a catalogue when this one was planned.
    """

    run_id: str
    job: str
    started_at: datetime
    reference_date: date
    inputs: tuple[RunInput, ...]
    newness_bounds: tuple[date, date] | None = None
    state_run_id: str | None = None
    last_published_at: datetime | None = None


def reject_stale_run(connection: Connection, run: Run) -> None:
    """Refuse a catalogue that was planned before another one was published, and knows less than that one.

    :raises ActionNeededError: where a run has been published since which took an input that neither this one has nor
        those before the plan took.
    """
    if run.last_published_at is None:
        return
    statement = """
        with published as (
            select i.input_id, i.name, i.run_id, r.finished_at > :published_until as is_later
            from audit.run_input as i
            inner join audit.run as r on r.run_id = i.run_id
            where r.result = 'published' and r.job <> :event_job
        )
        select name, run_id
        from published as p
        where is_later
            and input_id <> all (:input_ids)
            and not exists (select from published as e where e.input_id = p.input_id and not e.is_later)
        order by run_id, name
        limit 1
    """
    input_ids = [run_input.input_id for run_input in run.inputs]
    conflicts = fetch_rows(
        connection, statement, published_until=run.last_published_at, event_job=EVENT_LOAD_JOB, input_ids=input_ids
    )
    if conflicts:
        raise ActionNeededError(
            f"{run.run_id} was planned before another refresh was published: {conflicts[0]['run_id']} knows "
            f"{conflicts[0]['name']}, which would be lost. Clear this run in Airflow from its task plan_refresh."
        )


def record_start(connection: Connection, run: Run) -> bool:
    """Note that a run began, or begins again.

    :returns: False, and notes nothing, where the run was published already.
    :raises ActionNeededError: where the run was ended from outside, and this job lives on.
    """
    if fetch_rows(
        connection, "select from audit.run where run_id = :run_id and result = 'published'", run_id=run.run_id
    ):
        return False
    oldest, newest = run.newness_bounds or (None, None)
    upserted = connection.execute(
        text("""
            insert into audit.run
                (run_id, job, started_at, reference_date, newness_oldest_month, newness_newest_month, memory_run_id)
            values (:run_id, :job, :started_at, :reference_date, :oldest, :newest, :memory_run_id)
            on conflict (run_id) do update
            set started_at = excluded.started_at, reference_date = excluded.reference_date,
                newness_oldest_month = excluded.newness_oldest_month,
                newness_newest_month = excluded.newness_newest_month,
                memory_run_id = excluded.memory_run_id,
                result = 'running', finished_at = null, message = null
            where (run.message = any(:from_outside)) is not true
        """),
        {
            "run_id": run.run_id,
            "job": run.job,
            "started_at": run.started_at,
            "reference_date": run.reference_date,
            "oldest": oldest,
            "newest": newest,
            "memory_run_id": run.state_run_id,
            "from_outside": list(EXTERNAL_END_MESSAGES),
        },
    )
    if not upserted.rowcount:
        raise ActionNeededError(MARKED_FAILED_MESSAGE)
    connection.execute(text("delete from audit.run_input where run_id = :run_id"), {"run_id": run.run_id})
    if run.inputs:
        connection.execute(
            text("""
                insert into audit.run_input (run_id, input_id, origin, name, format, row_count, encoding, remarks)
                values (:run_id, :input_id, :origin, :name, :format, :row_count, :encoding, cast(:remarks as text[]))
            """),
            [
                {"run_id": run.run_id, **asdict(run_input), "remarks": list(run_input.remarks)}
                for run_input in run.inputs
            ],
        )
    return True


def record_published(connection: Connection, run: Run, tracks_added: int | None = None) -> None:
    """Note that a run is published; to be committed together with what it publishes.

    :param tracks_added: how many tracks the star has more; None for a run that has no catalogue to publish.
    :raises ActionNeededError: where the run was ended from outside meanwhile: what it would publish is rolled back.
    """
    statement = """
        update audit.run
        set result = 'published', finished_at = clock_timestamp(), tracks_added = :tracks_added, message = null
        where run_id = :run_id and (message = any(:from_outside)) is not true
    """
    values = {"run_id": run.run_id, "tracks_added": tracks_added, "from_outside": list(EXTERNAL_END_MESSAGES)}
    if not connection.execute(text(statement), values).rowcount:
        raise ActionNeededError(MARKED_FAILED_MESSAGE)


def get_last_track_key(connection: Connection) -> int:
    """The highest key of a track; keys are given without gaps."""
    return int(connection.scalar(text("select max(track_key) from warehouse.dim_track")) or 0)


def record_run_without_rows(connection: Connection, run: Run) -> None:
    """Note that a run took inputs in which there is nothing for it, so that they are not looked at again."""
    if record_start(connection, run):
        record_published(connection, run)
