"""The seeding of the mock Spotify API after a run that was cut short."""

import json
from pathlib import Path

import pytest

from simulator.jobs import mock_api
from simulator.mock_api.seed_data import get_seed_data_path
from tests.jobs.mock_api_environment import start_environment


@pytest.mark.crash
@pytest.mark.usefixtures("one_session")
def test_a_manifest_that_was_cut_is_written_again(
    tmp_path: Path, warehouse_url: str, seed_data_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    monkeypatch.setattr(mock_api, "write_seed_data", lambda _tracks, _artists, path, *_, **__: written.append(path))
    with start_environment(tmp_path, warehouse_url, seed_data_path) as environment:
        manifest = get_seed_data_path(tmp_path).with_name("inputs.json")
        manifest.write_text("[", encoding="utf-8")
        for _ in range(2):
            assert mock_api.seed_mock_api(environment.settings) == mock_api.MOCK_ACCOUNT_COUNT
        assert json.loads(manifest.read_text(encoding="utf-8")) == []
    assert written == [get_seed_data_path(tmp_path)]
