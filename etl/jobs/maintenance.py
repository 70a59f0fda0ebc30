"""The steps of maintenance: sweep what nobody needs any more."""

import logging
from datetime import datetime, timedelta

from etl import warehouse
from etl.config import Settings
from etl.lake import Lake

log = logging.getLogger(__name__)


def sweep_lake(settings: Settings, keep_days: int, now: datetime) -> int:
    """Remove the frames of runs that were last written more than ``keep_days`` ago, and files that were not written to
    their end then; inputs stay, and so does the memory of the API's answers that the next refresh goes on from.

    :returns: how many runs' frames were removed.
    """
    lake = Lake(settings.lake_url)
    old = [run_id for run_id in lake.runs() if lake.run_written_at(run_id) < now - timedelta(days=keep_days)]
    for run_id in old:
        lake.drop_run(run_id)
    lake.sweep_drafts(now - timedelta(days=keep_days))
    with warehouse.connect(settings.warehouse_url) as connection:
        memory_run_id = warehouse.current_memory(connection)
    young = [run_id for run_id in lake.runs() if run_id not in old]
    lake.drop_memories([*young, *([memory_run_id] if memory_run_id else [])])
    log.info("Removed the frames of %d runs older than %d days.", len(old), keep_days)
    return len(old)


def sweep_warehouse(settings: Settings, keep_days: int, now: datetime) -> int:
    """Empty staging and remove lines of audit.rejected_row of runs that ended more than ``keep_days`` ago;
    those of files that the last refresh read stay.

    :returns: how many lines were removed; their counts stay in audit.row_count.
    """
    removed = warehouse.sweep(settings.warehouse_url, now - timedelta(days=keep_days))
    log.info("Removed %d rejected rows older than %d days.", removed, keep_days)
    return removed


def sweep_logs(settings: Settings, keep_days: int, now: datetime) -> int:
    """Remove log files under STATE_DIR that were last written more than ``keep_days`` ago.

    :returns: how many files were removed.
    """
    before = (now - timedelta(days=keep_days)).timestamp()
    folders = [settings.state_dir / "logs", settings.state_dir / "airflow" / "logs"]
    old = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_mtime < before
    ]
    for path in old:
        path.unlink(missing_ok=True)
    log.info("Removed %d log files older than %d days.", len(old), keep_days)
    return len(old)
