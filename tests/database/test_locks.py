"""One process at a time may change the warehouse."""

import pytest

from etl.database import lock_warehouse
from etl.errors import TryAgainError


def test_who_waits_in_vain_is_told_for_whom(warehouse_url: str) -> None:
    with lock_warehouse(warehouse_url) as holder:
        pid = holder.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        lock_holder = (
            rf"another session \(role loader, process {pid}, connected since 20[\d-]+ \d\d:\d\d UTC\) had it locked"
        )
        with pytest.raises(TryAgainError, match=lock_holder), lock_warehouse(warehouse_url, wait_seconds=0):
            pass
    with lock_warehouse(warehouse_url, wait_seconds=0):
        pass
