"""The environment of Spark's own processes."""

import os
import subprocess
import sys

import pytest

from etl import spark

SECRETS = (
    *(
        "WAREHOUSE_URL",
        "KAGGLE_PATH",
        "SPOTIPY_CLIENT_SECRET",
        "FAILURE_NOTIFIER",
        "AIRFLOW_METADATA_URL",
        "AIRFLOW_CONN_MAIL",
    ),
    *("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__API_AUTH__JWT_SECRET"),
)
OTHERS = ("STATE_DIR", "JAVA_HOME", "AIRFLOW_HOME", "AWS_SECRET_ACCESS_KEY")


def test_spark_is_not_told_what_it_needs_not_and_we_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SECRETS, *OTHERS):
        monkeypatch.setenv(name, "value")
    with pytest.raises(KeyError, match="in between"), spark._secrets_left_out():
        show = [sys.executable, "-c", "import os; print(*os.environ)"]
        told = subprocess.run(show, capture_output=True, text=True, check=True).stdout.split()
        raise KeyError("in between")
    assert not set(SECRETS) & set(told) and set(OTHERS) <= set(told)
    assert all(os.environ[name] == "value" for name in SECRETS)
