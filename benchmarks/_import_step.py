"""One import of a listening history in a process of its own, with the seconds of its parts as JSON on standard output.

    python -m benchmarks._import_step ours|pandas|pandas_copy ZIP SERVER_PID

STATE_DIR and WAREHOUSE_URL come from the environment. Each part is a task of the product, so the process pays for one
start of Python and Spark, as ``bin/import-history`` does.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._own_history import TIMEZONE, USER_ID, load_with_pandas
from benchmarks._processor_time import ProcessorClock

_NOW = datetime(2026, 9, 1, tzinfo=UTC)


def main() -> None:
    side, source, server_pid = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    clock = ProcessorClock(server_pid)
    spent = {name: clock.measure(work) for name, work in _list_parts(side, source).items()}
    sys.stdout.write(json.dumps({name: asdict(part) for name, part in spent.items()}) + "\n")


def _list_parts(side: str, source: Path) -> dict[str, Callable[[], object]]:
    if side != "ours":
        from etl.settings import read_settings

        return {"load": lambda: load_with_pandas(source, read_settings().warehouse_url, side == "pandas_copy")}
    from etl.jobs import account_import, events, marts
    from etl.settings import read_settings

    settings = read_settings()
    return {
        "import": lambda: account_import.import_export(str(source), USER_ID, TIMEZONE, settings, _NOW),
        "plan": lambda: events.plan_events("load", settings),
        "load": lambda: events.load_events("load", _NOW.date(), settings),
        "marts": lambda: marts.build_marts("marts", marts.CHANGED, None, settings),
        "page": lambda: read_first_page(settings.warehouse_url),
    }


def read_first_page(url: str) -> int:
    """Read what the page Wrapped shows first; return the number of rows."""
    from dashboard.warehouse_reader import WarehouseReader
    from etl.database import connect

    with connect(url) as connection:
        reader = WarehouseReader(connection, reads_own_views=False)
        years = reader.read_table("wrapped", user_id=USER_ID)
        of_year = {"user_id": USER_ID, "year": int(years["year"].iloc[0])}
        frames = [reader.read_table(f"wrapped_{name}", **of_year) for name in ("track", "artist", "genre", "days")]
        frames += [years, reader.read_table("personality", user_id=USER_ID)]
    return sum(map(len, frames))


if __name__ == "__main__":
    main()
