"""A backup restored gives the same warehouse; a restore that fails changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from etl import database
from etl.errors import ActionNeededError
from etl.load.migrate import migrate_warehouse
from launch.backup import write_backup
from launch.postgres.shared_server import run_embedded_server
from launch.restore import restore_backup

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield a migrated warehouse with a table that only the test uses."""
    monkeypatch.setenv("STATE_DIR", str(state))
    monkeypatch.delenv("WAREHOUSE_URL", raising=False)
    with run_embedded_server(state) as server:
        url = server.build_url("loader", "warehouse")
        migrate_warehouse(url)
        execute_statement(
            url, "create table warehouse.kept as select n, md5(n::text) as text from generate_series(1, 5000) as n"
        )
        yield url


def execute_statement(url: str, statement: str) -> None:
    with database.connect(url) as connection:
        connection.exec_driver_sql(statement)


def read_content(url: str) -> list[dict[str, object]]:
    with database.connect(url) as connection:
        return database.fetch_rows(
            connection,
            "select (select md5(string_agg(text, '' order by n)) from warehouse.kept) as kept,"
            " (select count(*) from warehouse.dim_date) as days,"
            " (select count(*) from pg_description) as comments,"
            " (select count(*) from pg_class where relnamespace = 'live'::regnamespace) as live_relations,"
            " (select max(artist_id) from live.published_artist_hour) as published_artist",
        )


def test_what_was_there_is_there_again(url: str, tmp_path: Path) -> None:
    execute_statement(url, "insert into live.published_artist_hour values (now(), 5, 'a', 'nothing', '')")
    execute_statement(url, "insert into live.event_id_even select gen_random_uuid()")
    before = read_content(url)
    write_backup(tmp_path / "backup")
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    execute_statement(
        url, "delete from warehouse.kept where n > 7; delete from warehouse.dim_date where date_key > 20000101"
    )
    assert read_content(url) != before
    restore_backup(tmp_path / "backup")
    assert read_content(url) == before
    with database.connect(url) as connection:
        assert database.fetch_rows(connection, "select event_id from live.event_id_even") == []
    migrate_warehouse(url)


def test_a_damaged_backup_changes_nothing(url: str, tmp_path: Path) -> None:
    write_backup(tmp_path / "backup")
    whole = (tmp_path / "backup").read_bytes()
    (tmp_path / "backup").write_bytes(whole[: len(whole) * 3 // 4])
    execute_statement(url, "delete from warehouse.kept where n > 7")
    before = read_content(url)
    with pytest.raises(ActionNeededError, match="Nothing was restored, the warehouse is unchanged"):
        restore_backup(tmp_path / "backup")
    assert read_content(url) == before


def test_a_file_is_neither_overwritten_nor_taken_for_a_backup(url: str, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(ActionNeededError, match="already exists and is unchanged"):
        write_backup(tmp_path / "notes")
    with pytest.raises(ActionNeededError, match="is not a readable backup"):
        restore_backup(tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == "mine"
    with pytest.raises(ActionNeededError, match="cannot be written: No such file or directory"):
        write_backup(tmp_path / "nowhere" / "backup")
