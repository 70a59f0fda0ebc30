"""Findings about users who may behave anomalously, in mart.anomaly: the nightly rules, and the merge of findings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, text

from etl.database import fetch_rows, read_sql, run_sql, run_statements
from etl.database.run_records import Run

NIGHTLY_RULES = ("sudden_change", "far_above_peers", "shared_track_set", "unusual_free_plan_use")
"""The files of sql/queries/anomaly, one a rule: findings about a day of the users' own."""

_FIRST_DAYS = 31
"""The most days of the first run: an operator cannot act on older findings."""

_REPEATED_DAYS = 3
"""The days before those of the last run that are looked at again: some events arrive late."""

_LAST_REFERENCE_DATE = """
    select max(reference_date) as day from audit.run where job = :job and result = 'published' and run_id <> :run_id
"""
_EARLIEST_DAY = "select min(local_date) as day from mart.listener_day"
_FINDING_TABLES = """
    create temporary table finding (
        user_id text collate "C" not null,
        rule text not null,
        window_start timestamptz not null,
        window_end timestamptz not null,
        reason text not null,
        score double precision not null,
        source text not null
    ) on commit drop;
    create temporary table withdrawn_finding (user_id text collate "C" not null) on commit drop
"""
_LOCK = "lock table mart.anomaly in share row exclusive mode"
"""Two writers at once would update the same user's rows in different orders, a deadlock. Readers do not wait."""

_INSERT_FINDING = """
    insert into finding (user_id, rule, window_start, window_end, reason, score, source)
    values (:user_id, :rule, :window_start, :window_end, :reason, :score, 'stream')
"""
_WITHDRAW_FINDINGS = """
    with withdrawn as (
        delete from mart.anomaly as a
        where a.source = 'nightly'
            and a.window_end > cast(:first_day as timestamp) at time zone 'UTC'
            and a.window_end <= cast(cast(:last_day as date) + 1 as timestamp) at time zone 'UTC'
            and not exists (
                select
                from finding as f
                where f.user_id = a.user_id and f.rule = a.rule and f.window_start = a.window_start
            )
        returning a.user_id
    )

    insert into withdrawn_finding select user_id from withdrawn
"""
_CHANGED_FINDINGS = """
    select a.*
    from changed_finding as c
    inner join mart.anomaly as a using (user_id, rule, window_start)
    order by a.user_id, a.rule, a.window_start
"""


@dataclass(frozen=True)
class Finding:
    """A row of mart.anomaly; times have a timezone."""

    user_id: str
    rule: str
    window_start: datetime
    window_end: datetime
    reason: str
    score: float
    combined_score: float
    detected_at: datetime
    source: str


def lock_findings(connection: Connection) -> None:
    """Lock mart.anomaly against other writers until the end of the transaction."""
    run_statements(connection, _LOCK)


def merge_stream_findings(connection: Connection, rows: Iterable[Mapping[str, object]]) -> list[Finding]:
    """Merge findings of the live query into mart.anomaly; the caller has the lock of ``lock_findings``, and commits.

    Rows that came before change nothing, so a batch may be merged again.

    :param rows: the columns of ``transform.anomalies.findings.FINDING``; one row a user, rule and window.
    :returns: the findings that are new or different, for the queue.
    """
    parameters = [dict(row) for row in rows]
    if not parameters:
        return []
    run_statements(connection, _FINDING_TABLES)
    connection.execute(text(_INSERT_FINDING), parameters)
    return _merge_findings(connection)


def find_nightly_anomalies(connection: Connection, first_day: date, last_day: date) -> list[Finding]:
    """Run the nightly rules for each of some days, and replace their findings in mart.anomaly; the caller commits.

    The cost depends on the users of these days: their baselines are looked up by key.

    :param first_day: the first of the users' own days; ``last_day`` is the last one, included.
    :returns: the findings that are new or different, for the queue.
    """
    run_statements(connection, _FINDING_TABLES)
    for number in range((last_day - first_day).days + 1):
        for rule in NIGHTLY_RULES:
            query = read_sql(f"queries/anomaly/{rule}")
            statement = f"insert into finding select r.*, 'nightly' from ({query}) as r"  # noqa: S608 (a file of ours)
            connection.execute(text(statement), {"day": first_day + timedelta(days=number)})
    lock_findings(connection)
    connection.execute(text(_WITHDRAW_FINDINGS), {"first_day": first_day, "last_day": last_day})
    return _merge_findings(connection)


def find_first_day(connection: Connection, run: Run) -> date | None:
    """Return the first day that a run of the nightly rules looks at; None if no user has listened yet."""
    last_date = fetch_rows(connection, _LAST_REFERENCE_DATE, job=run.job, run_id=run.run_id)[0]["day"]
    if isinstance(last_date, date):
        return min(last_date, run.reference_date) - timedelta(days=_REPEATED_DAYS)
    earliest_day = fetch_rows(connection, _EARLIEST_DAY)[0]["day"]
    first_day = run.reference_date - timedelta(days=_FIRST_DAYS)
    return max(earliest_day, first_day) if isinstance(earliest_day, date) else None


def _merge_findings(connection: Connection) -> list[Finding]:
    run_sql(connection, "merge/anomaly")
    findings = [Finding(**row) for row in fetch_rows(connection, _CHANGED_FINDINGS)]  # type: ignore[arg-type]
    # A caller may merge twice in one transaction.
    run_statements(connection, "drop table finding, withdrawn_finding, changed_finding")
    return findings
