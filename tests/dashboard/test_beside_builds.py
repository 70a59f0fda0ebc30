"""The pages during a full refresh that swaps its tables into place."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from dashboard import artist, charts, playlists, wrapped
from dashboard.page import Page
from dashboard.warehouse_reader import Login, WarehouseReader, sign_in
from etl.load import marts
from tests.dashboard.dashboard_server import DashboardServer
from tests.load.star_frames import select_rows
from tests.marts.listening import rebuild

_PAGES: tuple[tuple[str, Page, str, dict[str, object]], ...] = (
    ("analyst", wrapped.PAGE, "wrapped", {"user_id": "u1"}),
    ("analyst", playlists.PAGE, "taste", {"user_id": "u1"}),
    ("analyst", artist.PAGE, "artists", {}),
    ("analyst", charts.PAGE, "chart_places", {}),
    ("listener", wrapped.PAGE, "wrapped", {"user_id": "u1"}),
    ("listener", playlists.PAGE, "taste", {"user_id": "u1"}),
    ("artist", artist.PAGE, "my_artist_weeks", {}),
)
_WAITING = """
    select count(distinct pid) as n
    from pg_locks
    where not granted and database = (select oid from pg_database where datname = current_database())
"""


def test_a_page_opened_while_tables_change_places_has_the_new_rows(
    dashboard: DashboardServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = {
        kind: sign_in(dashboard.url, dashboard.names[kind], dashboard.passwords[kind])
        for kind in ("analyst", "listener", "artist")
    }
    expected = [_count_rows(logins[kind], page, question, parameters) for kind, page, question, parameters in _PAGES]
    assert all(expected)
    futures: list[Future[int]] = []
    record_exclusions = marts._record_exclusions

    with ThreadPoolExecutor(len(_PAGES)) as pool:

        def open_pages(connection: Connection) -> None:
            """Open the pages after the tables were swapped and before the build commits."""
            for kind, page, question, parameters in _PAGES:
                futures.append(pool.submit(_count_rows, logins[kind], page, question, parameters))
            _wait_until_waiting(dashboard.url, len(_PAGES))
            record_exclusions(connection)

        monkeypatch.setattr(marts, "_record_exclusions", open_pages)
        assert rebuild(dashboard.url, is_from_nothing=True)
        assert [future.result(timeout=30) for future in futures] == expected


def _count_rows(login: Login, page: Page, question: str, parameters: dict[str, object]) -> int:
    """Return the number of rows of a query of the page, if the page is opened on its own."""
    counts = []

    def count_once(_: Login, reader: WarehouseReader) -> None:
        counts.append(len(reader.read_table(question, **parameters)))

    replace(page, draw=count_once).make_drawer(login)()
    return counts[0]


def _wait_until_waiting(url: str, pages: int) -> None:
    for _ in range(200):
        if select_rows(url, _WAITING) == [{"n": pages}]:
            return
        time.sleep(0.05)
    raise AssertionError("the pages did not wait")
