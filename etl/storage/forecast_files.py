"""The files of the forecasts: a folder a run on the local disk, and the models of each training in the lake.

STATE_DIR/forecasting/runs/<run_id>/     what the program reads and writes, until it is loaded
LAKE_URL/forecasts/<run_id>/<name>       the models of a training
"""

import json
import shutil
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from etl.errors import ActionNeededError
from etl.storage.arrow_files import read_table, write_table
from etl.storage.folder import LakeFolder

_ABANDONED_SECONDS = 86_400


class ForecastFiles(LakeFolder):
    """The files of all runs."""

    def __init__(self, state_dir: Path, lake_url: str) -> None:
        super().__init__(f"{lake_url.rstrip('/')}/forecasts")
        self._runs = state_dir / "forecasting" / "runs"

    def get_run_folder(self, run_id: str) -> Path:
        """Return the folder of a run."""
        return self._runs / run_id

    def write_request(self, run_id: str, request: Mapping[str, Any], series: pa.Table) -> Path:
        """Store what a run forecasts, in place of an earlier try of the run; return the run's folder.

        Folders that killed runs left behind are removed.
        """
        self._drop_abandoned_runs()
        folder = self.get_run_folder(run_id)
        self.drop_run(run_id)
        folder.mkdir(mode=0o700, parents=True)
        write_table(str(folder / "series.arrow"), series)
        models_path = request["models_folder"]
        models_folder = self._fetch_models(models_path, folder / "earlier_models") if models_path else None
        document = {**request, "models_folder": models_folder and str(models_folder)}
        (folder / "request.json").write_text(json.dumps(document, default=str), encoding="utf-8")
        return folder

    def read_document(self, run_id: str, name: str) -> dict[str, Any]:
        """Return a JSON document of a run.

        :raises ActionNeededError: if it is missing: the program has not ended, or a user was erased meanwhile.
        """
        try:
            return dict(json.loads((self.get_run_folder(run_id) / f"{name}.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ActionNeededError(
                f"The forecasts of {run_id} left no {name}.json: they have not ended, or a user was erased meanwhile."
                " Start a new run, or clear plan_forecast in Airflow."
            ) from None

    def read_results(self, run_id: str, name: str) -> pa.Table:
        """Return a table of a run."""
        return read_table(str(self.get_run_folder(run_id) / f"{name}.arrow"))

    def store_models(self, run_id: str) -> str:
        """Copy the models of a training into the lake; return their path within it."""
        for path in sorted((self.get_run_folder(run_id) / "models").iterdir()):
            self._write_file(f"{self._root}/{run_id}/{path.name}", [path.read_bytes()])
        return f"forecasts/{run_id}"

    def has_models(self, path: str | None) -> bool:
        """Return whether the lake has the models of a path that ``store_models`` returned."""
        return path is not None and bool(self._list_names(self._get_models_root(path)))

    def drop_old_models(self, before: datetime, current_paths: Collection[str]) -> None:
        """Remove the models that were last written before a time, other than those of some paths."""
        for name in self._list_names(self._root):
            folder = f"{self._root}/{name}"
            times = [self._get_modified_at(f"{folder}/{file}") for file in self._list_names(folder)]
            if f"forecasts/{name}" not in current_paths and max(times, default=before) < before:
                self._filesystem.rm(folder, recursive=True)

    def drop_run(self, run_id: str) -> None:
        """Remove the folder of a run."""
        self._remove(self.get_run_folder(run_id))

    def drop_all(self) -> None:
        """Remove the folders of all runs, and all models; a run in progress has to start again."""
        self._remove(self._runs)
        if self._filesystem.exists(self._root):
            self._filesystem.rm(self._root, recursive=True)

    def _fetch_models(self, path: str, folder: Path) -> Path:
        folder.mkdir()
        root = self._get_models_root(path)
        for name in self._list_names(root):
            (folder / name).write_bytes(self._filesystem.cat_file(f"{root}/{name}"))
        return folder

    def _get_models_root(self, path: str) -> str:
        return f"{self._root}/{path.rsplit('/', 1)[-1]}"

    def _drop_abandoned_runs(self) -> None:
        limit = time.time() - _ABANDONED_SECONDS
        for folder in self._runs.glob("*"):
            if folder.stat().st_mtime < limit:
                self._remove(folder)

    def _remove(self, folder: Path) -> None:
        """Remove a folder, or raise OSError; a process that still writes into it by its path cannot bring it back."""
        with suppress(FileNotFoundError):
            folder.rename(self._runs.parent / f"removed-{uuid4().hex}")
        # Also what a killed process has left, or another one is removing.
        for removed in self._runs.parent.glob("removed-*"):
            while removed.exists():
                with suppress(FileNotFoundError):
                    shutil.rmtree(removed)
