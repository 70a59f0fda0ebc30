"""The steps of maintenance: remove old frames of runs, models, rejected rows, forecasts and log files."""

import logging
from datetime import datetime, timedelta

from etl import database
from etl.load import forecasts
from etl.settings import Settings
from etl.storage.forecast_files import ForecastFiles
from etl.storage.lake import Lake

log = logging.getLogger(__name__)


def sweep_lake(settings: Settings, retention_days: int, now: datetime) -> int:
    """Remove the frames of runs, and unfinished files, that were last written more than ``retention_days`` ago.

    Inputs stay, and so does the latest state of API resources from which the next refresh continues. Models of the
    forecasts go once a later training has replaced them.

    :returns: the number of runs whose frames were removed.
    """
    lake = Lake(settings.lake_url)
    old_runs = [
        run_id
        for run_id in lake.checkpoints.find_run_ids()
        if lake.checkpoints.get_last_write_time(run_id) < now - timedelta(days=retention_days)
    ]
    for run_id in old_runs:
        lake.checkpoints.drop_run(run_id)
    lake.sweep_drafts(now - timedelta(days=retention_days))
    with database.connect(settings.warehouse_url) as connection:
        state_run_id = database.get_latest_state_run_id(connection)
        catalogue_state_id = database.get_latest_catalogue_state_id(connection)
        model_paths = forecasts.list_model_paths(connection)
    ForecastFiles(settings.state_dir, settings.lake_url).drop_old_models(
        now - timedelta(days=retention_days), model_paths
    )
    recent_runs = [run_id for run_id in lake.checkpoints.find_run_ids() if run_id not in old_runs]
    lake.latest_state.drop_outdated([*recent_runs, *([state_run_id] if state_run_id else [])])
    recent_states = lake.catalogue_states.find_states(recent_runs)
    lake.catalogue_states.drop_outdated([*recent_states, *([catalogue_state_id] if catalogue_state_id else [])])
    log.info("Removed the frames of %d runs older than %d days.", len(old_runs), retention_days)
    return len(old_runs)


def sweep_warehouse(settings: Settings, retention_days: int, now: datetime) -> int:
    """Empty staging, remove rejected rows of runs that ended more than ``retention_days`` ago, findings and forecasts.

    Rejected rows of files that the last refresh read stay, and so do all counts in audit.row_count.

    :returns: the number of removed rows.
    """
    removed = database.sweep_warehouse(settings.warehouse_url, now - timedelta(days=retention_days))
    log.info(
        "Removed %d rejected rows and findings about users older than %d days, and old forecasts.",
        *(removed, retention_days),
    )
    return removed


def sweep_logs(settings: Settings, retention_days: int, now: datetime) -> int:
    """Remove log files under STATE_DIR that were last written more than ``retention_days`` ago.

    :returns: the number of removed files.
    """
    cutoff_time = (now - timedelta(days=retention_days)).timestamp()
    folders = [settings.state_dir / "logs", settings.state_dir / "airflow" / "logs"]
    old_files = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_mtime < cutoff_time
    ]
    for path in old_files:
        path.unlink(missing_ok=True)
    log.info("Removed %d log files older than %d days.", len(old_files), retention_days)
    return len(old_files)
