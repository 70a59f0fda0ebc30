"""Three runs in a real Airflow: a first one, one without new inputs, one with a changed file."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.settings import CHECKOUT
from tests.dags.kaggle_files import TRACKS, make_track_id, write_dataset, write_folder
from tests.dags.product import Product
from tests.exports import AUDIO, make_nameless_play, make_play, write_export_zip
from tests.processes import list_listening_addresses, list_marked_processes

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kaggle") / "files"
    write_folder(folder)
    return folder


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Product]:
    # No account has signed in to this app: these runs use only files.
    product = Product(tmp_path_factory.mktemp("nights"), KAGGLE_PATH=str(folder), SPOTIPY_CLIENT_ID="nobody")
    try:
        product.wait_for("stays up until Ctrl-C", 600)
        yield product
    finally:
        product.end()


def test_first_night(product: Product) -> None:
    report = product.output.read_text()
    assert "The refresh is published" in report
    assert "page.csv" in report and "web page" in report, report
    accounts = {
        row["name"]: (row["rows_in"], row["rows_loaded"], row["rows_duplicate"], row["rows_rejected"])
        for row in product.ask("select * from audit.row_count join audit.run_input using (run_id, input_id)")
    }
    assert accounts == {
        "dataset.csv": (TRACKS + 1, TRACKS, 1, 0),
        "songs.csv": (21, 20, 0, 1),
        "top.csv": (2, 2, 0, 0),
        "survey.csv": (3, 2, 1, 0),
    }
    named = product.ask(
        "select count(*) as n, count(audio_features_type) as clustered from warehouse.dim_track where track_key > 0"
    )
    assert named == [{"n": TRACKS + 1, "clustered": TRACKS + 1}], "one lacks the instrumentalness alone"
    matched = product.ask("select to_id, method from audit.reconciliation where source = 'top_2000s'")
    assert matched == [{"to_id": make_track_id(5), "method": "name"}]
    assert len(product.ask("select from warehouse.dim_audio_cluster")) == 3


def test_second_night_changes_nothing(product: Product) -> None:
    before, events = product.content(), product.asset_events()
    state, tasks = product.run_dag("nightly_refresh", {})
    assert state == "success"
    assert tasks["plan_refresh", -1].state == "skipped"
    assert tasks["load_catalogue", -1].state == "skipped"
    assert tasks["write_report", -1].state == "success"
    assert product.content() == before
    assert product.asset_events() == events


def test_working_through_everything_again_changes_nothing(product: Product) -> None:
    before, events = product.content(), product.asset_events()
    state, tasks = product.run_dag("nightly_refresh", {"full_refresh": True})
    assert state == "success"
    assert tasks["transform_catalogue", -1].state == "success"
    after = product.content()
    assert {**after, "accounts": before["accounts"]} == before
    assert tasks["load_catalogue", -1].state == "skipped"
    assert product.asset_events() == events


def test_third_night_writes_what_changed(product: Product, folder: Path) -> None:
    before = product.ask("select track_id, track_key, xmin::text as version from warehouse.dim_track")
    write_dataset(folder / "dataset.csv", popularity=99)
    earlier = set(product.api.list_run_ids("nightly_refresh"))
    state, tasks = product.run_dag("kaggle_import", {"path": str(folder), "refresh": True})
    assert state == "failed", "one file is no Kaggle file, and the run says so"
    assert [task.state for (name, _), task in tasks.items() if name == "import_file"].count("failed") == 1
    deadline = time.monotonic() + 60
    while not (new := set(product.api.list_run_ids("nightly_refresh")) - earlier):
        assert time.monotonic() < deadline
        time.sleep(1)
    state, tasks = product.ended("nightly_refresh", new.pop())
    assert state == "success" and tasks["load_catalogue", -1].state == "success"
    after = product.ask("select track_id, track_key, xmin::text as version from warehouse.dim_track")
    changed = {str(row["track_id"]) for row in after} - {str(row["track_id"]) for row in after if row in before}
    assert changed == {make_track_id(7)}
    assert product.ask(f"select popularity from warehouse.dim_track where track_id = '{make_track_id(7)}'") == [
        {"popularity": 99}
    ]


def test_it_listens_on_loopback_only(product: Product) -> None:
    assert list_listening_addresses(list_marked_processes(product.state)) == {"127.0.0.1"}


def test_examples_answer(product: Product) -> None:
    results = {
        path.stem: product.ask(path.read_text())
        for path in sorted((CHECKOUT / "sql" / "queries" / "example").glob("*.sql"))
    }
    assert sum(int(str(row["recordings"])) for row in results["audio_clusters"]) == TRACKS + 1
    assert {row["file"] for row in results["rejected_rows"]} == {"dataset.csv", "songs.csv", "top.csv", "survey.csv"}
    assert [row["rows_rejected"] for row in results["rejected_rows"] if row["file"] == "songs.csv"] == [1]
    assert [row["track_ids"] for row in results["recordings_with_most_ids"]][:1] == [1]
    assert {row["genre"] for row in results["liveliest_genres"]} <= {"genre 0", "genre 1", "genre 2", "second", "pop"}


def test_clusters_on_request(product: Product) -> None:
    state, _ = product.run_dag("fit_clusters", {"cluster_count": 2, "seed": 5})
    assert state == "success"
    assert len(product.ask("select from warehouse.dim_audio_cluster")) == 2
    used = product.ask(
        "select distinct audio_features_type from warehouse.dim_track where audio_features_type is not null"
    )
    assert len(used) == 2


def test_an_account_export_adds_its_plays_once(product: Product, tmp_path: Path) -> None:
    records = [
        make_play(),
        make_play(ts="2024-03-02T09:00:00Z"),
        make_nameless_play(ts="2024-04-01T00:00:00Z"),
        make_play(ms_played=None),
    ]
    first = write_export_zip(tmp_path / "first.zip", **{AUDIO: records, "Userdata.json": {"email": "ada@example.org"}})
    assert import_export(product, first) == "success"
    plays = product.ask("select event_id, xmin::text as version from warehouse.fact_event order by event_id")
    counted = product.ask("select rows_in, rows_loaded, rows_rejected from audit.row_count where step = 'load_events'")
    assert counted == [{"rows_in": 4, "rows_loaded": 3, "rows_rejected": 1}]
    assert len(plays) == 3
    assert import_export(product, first) == "success"
    assert product.ask("select event_id, xmin::text as version from warehouse.fact_event order by event_id") == plays
    later = write_export_zip(tmp_path / "later.zip", **{AUDIO: [*records[1:], make_play(ts="2024-05-01T00:00:00Z")]})
    assert import_export(product, later) == "success"
    after = product.ask("select event_id, xmin::text as version from warehouse.fact_event order by event_id")
    assert len(after) == 4 and [row for row in after if row in plays] == plays


def import_export(product: Product, path: Path) -> str:
    """Return the state of an import, once the load that it triggers has also succeeded."""
    earlier = set(product.api.list_run_ids("load_events"))
    form: dict[str, object] = {"path": str(path), "user": "ada", "timezone": "Europe/Berlin"}
    state, _ = product.run_dag("account_import", form)
    deadline = time.monotonic() + 120
    while not (new := set(product.api.list_run_ids("load_events")) - earlier):
        assert time.monotonic() < deadline, "no load of events began"
        time.sleep(1)
    assert product.ended("load_events", new.pop())[0] == "success"
    return state


def test_maintenance(product: Product) -> None:
    state, tasks = product.run_dag("maintenance", {"keep_days": 1})
    assert state == "success", tasks
    assert product.ask("select from audit.rejected_row"), "nothing is that old"
