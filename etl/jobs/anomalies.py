"""The step that finds users who may behave anomalously, from the marts of whole days."""

import logging
from datetime import UTC, date, datetime, timedelta

from etl.database.run_records import Run, lock_for_run, record_published, record_start
from etl.load import anomalies
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk
from etl.streams.anomaly_queue import open_anomaly_queue

log = logging.getLogger(__name__)

JOB = "find_anomalies"


@report_full_disk
def find_anomalies(run_id: str, reference_date: date, since: date | None, settings: Settings) -> dict[str, int]:
    """Find anomalies in the days since the last run, store them in mart.anomaly and publish them.

    :param reference_date: the day after the last day to look at.
    :param since: the first day instead of that of the last run.
    :returns: the number of new or changed findings, by rule; empty if there are none.
    :raises EtlError: as ``run_records.lock_for_run`` and the queue do; mart.anomaly is then unchanged.
    """
    run = Run(run_id, JOB, datetime.now(UTC), reference_date, ())
    with lock_for_run(run, settings.warehouse_url) as connection:
        if not record_start(connection, run):
            log.info("The run %s is already published.", run_id)
            return {}
        connection.commit()
        first_day = since or anomalies.find_first_day(connection, run)
        findings = (
            anomalies.find_nightly_anomalies(connection, first_day, reference_date - timedelta(days=1))
            if first_day
            else []
        )
        if findings and (settings.kafka or settings.anomaly_queue_connection_string):
            # Before the commit: after a failure in between, findings are published twice rather than never.
            open_anomaly_queue(settings).publish([vars(finding) for finding in findings])
        record_published(connection, run)
        connection.commit()
    counts = dict.fromkeys(anomalies.NIGHTLY_RULES, 0)
    for finding in findings:
        counts[finding.rule] += 1
    log.info("Found: %s.", ", ".join(f"{rule} {count}" for rule, count in counts.items() if count) or "nothing new")
    return {rule: count for rule, count in counts.items() if count}
