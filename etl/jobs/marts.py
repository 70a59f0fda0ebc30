"""The step that builds the marts."""

import logging
from datetime import UTC, date, datetime

from etl.database.run_records import Run
from etl.errors import ActionNeededError
from etl.load.marts import MartDefinition, update_marts
from etl.settings import Settings
from etl.storage.full_disk import report_full_disk

log = logging.getLogger(__name__)

JOB = "build_marts"
CHANGED, SINCE, FULL_REFRESH = MODES = ("changed", "since", "full_refresh")


@report_full_disk
def build_marts(run_id: str, mode: str, since: date | None, settings: Settings) -> dict[str, int]:
    """Update the marts.

    :param mode: ``CHANGED``: the days that have changed since the last build; ``SINCE``: all days from ``since`` on,
        too; ``FULL_REFRESH``: everything.
    :returns: rows written, by table; empty if nothing has changed.
    :raises ActionNeededError: if ``since`` is missing, or given in another mode.
    :raises EtlError: as ``load.marts.update_marts`` does.
    """
    if (since is not None) != (mode == SINCE):
        raise ActionNeededError(f"Name a first day if you choose {SINCE!r}, and only then.")
    started_at = datetime.now(UTC)
    run = Run(run_id, JOB, started_at, started_at.date(), ())
    definition = MartDefinition(settings.play_min_ms, settings.session_gap_minutes)
    result = update_marts(run, definition, mode == FULL_REFRESH, since, settings.warehouse_url)
    if result is None:
        return {}
    log.info("The marts are built%s.", " in a full refresh" if result.is_full_refresh else "")
    for name, count in sorted(result.written_rows.items()):
        log.info("Wrote %d rows to %s.", count, name)
    return result.written_rows
