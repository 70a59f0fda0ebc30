"""The step that builds the marts."""

import logging
from datetime import UTC, date, datetime

from etl.config import Settings
from etl.errors import ActionNeededError
from etl.full_disk import explains_full_disk
from etl.load.marts import Definition, update
from etl.load.run import Run

log = logging.getLogger(__name__)

JOB = "build_marts"
TOUCHED, SINCE, FROM_NOTHING = WHAT = ("touched", "since", "from nothing")


@explains_full_disk
def build_marts(run_id: str, what: str, since: date | None, settings: Settings) -> dict[str, int]:
    """Bring the marts up to date.

    :param what: ``touched``: what has changed since the last build; ``since``: all days from ``since`` on, too;
        ``from nothing``: everything anew.
    :returns: rows written, by table; empty where nothing has changed.
    :raises ActionNeededError: where a day is missing.
    :raises EtlError: as ``load.marts.update`` does.
    """
    if (since is not None) != (what == SINCE):
        raise ActionNeededError(f"Name a first day where you choose {SINCE!r}, and only there.")
    started_at = datetime.now(UTC)
    run = Run(run_id, JOB, started_at, started_at.date(), ())
    definition = Definition(settings.play_min_ms, settings.session_gap_minutes)
    built = update(run, definition, what == FROM_NOTHING, since, settings.warehouse_url)
    if built is None:
        return {}
    log.info("The marts are built%s.", " from nothing" if built.is_from_nothing else "")
    for name, count in sorted(built.written.items()):
        log.info("%s: %d rows written.", name, count)
    return built.written
