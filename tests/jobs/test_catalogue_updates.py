"""A warehouse whose refreshes follow their news has the rows and keys of one that reconciles all rows each time."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from campaigns.crash_runs import warehouse_comparison
from campaigns.crash_runs.warehouse_comparison import Differences, compare_warehouses
from etl.jobs import kaggle, refresh, refresh_plan
from etl.jobs.catalogue import build
from etl.load import statements
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from launch import postgres
from tests.conftest import copy_database
from tests.dags.kaggle_files import make_track_id, write_dataset, write_folder
from tests.transform.spotify.payloads import (
    make_artist,
    make_asked_at,
    make_items_page,
    make_playlist,
    make_response,
    make_track,
    store_responses,
)

pytestmark = [pytest.mark.timeout(1800), pytest.mark.usefixtures("one_session")]


TABLES_WITH_TIMES = ("audit.cluster_fit", "warehouse.match_decision")
"""The id of a fit is derived from its time, and a decision has the time of its statement."""


@dataclass(frozen=True)
class Product:
    """A lake and a warehouse; ``is_forced`` if each of its refreshes reconciles all rows."""

    settings: Settings
    files: Path
    is_forced: bool

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_url)

    def import_file(self, name: str, day: int) -> None:
        received_at = datetime(2026, 11, day, 3, tzinfo=UTC)
        kaggle.import_file(str(self.files / name), None, self.settings, f"import {name} {day}", received_at)

    def refresh(self, day: int) -> bool:
        """Publish a run; return whether it followed the news."""
        run_id = f"night {day}"
        assert refresh_plan.plan_refresh(run_id, "nightly_refresh", date(2026, 11, day), self.is_forced, self.settings)
        refresh.transform_catalogue(run_id, self.settings)
        refresh.fit_clusters(run_id, self.settings)
        refresh.load_catalogue(run_id, self.settings)
        return self.lake.checkpoints.read_document(run_id, "catalogue")["updated_state_id"] is not None


def _receive_files(product: Product) -> None:
    write_folder(product.files)
    for name in ("dataset.csv", "songs.csv", "survey.csv"):
        product.import_file(name, 1)


def _receive_tracks(product: Product) -> None:
    artists = [make_artist("r5", name="The Artist 5"), make_artist("r6", name="Guest")]
    tracks: list[dict[str, Any]] = [
        make_track(make_track_id(5), name="Song 5", artists=artists, duration_ms=205_000, popularity=11),
        make_track("new", name="Song 5 - Remastered", artists=artists[:1], duration_ms=206_000),
    ]
    store_responses(
        product.lake,
        make_response("tracks", {"tracks": tracks}, make_track_id(5), "new", asked_at=make_asked_at(4, 2)),
        make_response("my_playlists", {"items": [make_playlist("p1")], "next": None}, asked_at=make_asked_at(5, 2)),
        make_items_page("p1", "s1", {"added_at": None, "item": tracks[1]}, asked_at=make_asked_at(6, 2)),
    )


def _receive_unnamed_tracks(product: Product) -> None:
    product.import_file("top.csv", 3)
    artist = make_artist("r5", name="Artist 5", popularity=77, followers={"total": 5})
    store_responses(product.lake, make_response("artist", artist, "r5", asked_at=make_asked_at(4, 3)))


def _replace_file(product: Product) -> None:
    write_dataset(product.files / "dataset.csv", popularity=99)
    product.import_file("dataset.csv", 4)


def _decide(product: Product) -> None:
    ids = (make_track_id(7), make_track_id(8))
    statements.state_decision(product.settings.warehouse_url, "recording", ids, True, None)


NIGHTS = {1: [_receive_files], 2: [_receive_tracks, _receive_unnamed_tracks], 3: [_replace_file, _decide]}


def test_both_warehouses_are_equal_after_each_night(
    tmp_path: Path, embedded_server: postgres.Server, migrated_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "MAX_NEWS_FRACTION", 10.0)
    with (
        copy_database(embedded_server, migrated_template) as url,
        copy_database(embedded_server, migrated_template) as rebuilt_url,
    ):
        updated, rebuilt = (
            Product(_read_settings(tmp_path / name, product_url), tmp_path / f"{name} files", name == "rebuilt")
            for name, product_url in (("updated", url), ("rebuilt", rebuilt_url))
        )
        for day, arrivals in NIGHTS.items():
            for product, receive in itertools.product((updated, rebuilt), arrivals):
                receive(product)
            assert [product.refresh(day) for product in (updated, rebuilt)] == [day > 1, False]
            warehouse_comparison._compute_checksums_once.cache_clear()  # the expected one changes each night
            differences = compare_warehouses(rebuilt_url, url)
            for name in TABLES_WITH_TIMES:
                differences.rows.pop(name, None)
            assert differences == Differences(), f"night {day}"


def _read_settings(folder: Path, url: str) -> Settings:
    return read_settings({"STATE_DIR": str(folder), "WAREHOUSE_URL": url, "CLUSTER_COUNT": "2"})
