"""A full disk is distinguished from other failures, and named."""

import errno
import shutil
import tempfile
from pathlib import Path

import pytest

from etl import database
from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.settings import Settings, read_settings
from etl.storage.full_disk import is_full_disk, report_full_disk

_FULL = OSError(errno.ENOSPC, "No space left on device")


def _chain_errors(error: Exception, cause: Exception | None = None) -> Exception:
    error.__cause__ = cause
    return error


@report_full_disk
def _fail_job(error: Exception, settings: Settings) -> None:
    """Raise an error in a job."""
    raise error


@pytest.mark.parametrize(
    "error",
    [
        _FULL,
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("org.apache.spark.SparkException: … java.io.IOException: No space left on device"),
        _chain_errors(ActionNeededError("feed.avro: the file cannot be read."), _FULL),
        _chain_errors(ValueError("while handling another"), _FULL),
    ],
    ids=str,
)
def test_a_job_that_meets_a_full_disk_says_which_and_what_to_do(error: Exception, tmp_path: Path) -> None:
    chosen = read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": "postgresql://x@127.0.0.1:1/x"})
    with pytest.raises(ActionNeededError, match=r"The disk of .* is full: [\d,]+ MiB are free .*Make room there"):
        _fail_job(error, chosen)


def test_each_disk_is_named_once_and_the_fullest_first(tmp_path: Path) -> None:
    places = {"STATE_DIR": str(tmp_path), "LAKE_URL": f"file:{tmp_path}/lake", "WAREHOUSE_URL": "postgresql://x@h/x"}
    with pytest.raises(ActionNeededError) as caught:
        _fail_job(_FULL, read_settings(places))
    is_one = Path(tempfile.gettempdir()).stat().st_dev == tmp_path.stat().st_dev
    assert str(caught.value).count("STATE_DIR") == 1
    assert ("temporary files" in str(caught.value)) is not is_one


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied"),
        ValueError("full"),
        _chain_errors(TryAgainError("PostgreSQL could not"), RuntimeError("COPY: No space left on device")),
    ],
    ids=str,
)
def test_other_failures_stay_what_they_are(error: Exception, tmp_path: Path) -> None:
    assert not is_full_disk(error)
    with pytest.raises(type(error)) as caught:
        _fail_job(error, read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": "postgresql://x@h/x"}))
    assert caught.value is error


def test_a_postgresql_that_ended_without_a_word_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": "postgresql://x@h/x"})
    gone = TryAgainError("PostgreSQL cannot be reached: server closed the connection unexpectedly")
    with pytest.raises(TryAgainError, match="cannot be reached"):
        _fail_job(gone, chosen)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    with pytest.raises(ActionNeededError, match="is full: 1 MiB are free"):
        _fail_job(gone, chosen)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("53100", "could not extend file"),
        (None, "FATAL:  could not write init file: No space left on device"),
        ("58030", "PANIC:  could not write to file: No space left on device"),
    ],
)
def test_postgresqls_full_disk_is_said_to_be_its_own(code: str | None, message: str) -> None:
    error = database.explain_sqlstate(code, message, "postgresql://x:secret@db.example/x")
    assert isinstance(error, EtlError) and isinstance(error, ActionNeededError)
    assert "PostgreSQL at db.example:5432/x has a full disk" in str(error) and "secret" not in str(error)
