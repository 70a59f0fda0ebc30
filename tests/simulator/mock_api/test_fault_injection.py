"""Every injected fault over real HTTP: its time, its form, and that a run can be repeated."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from etl.errors import ActionNeededError
from simulator.mock_api.scenario import FAULT_KINDS, read_scenario
from tests.simulator.mock_api.small_seed_data import refresh_token, run_mock_api, sign_in


@contextmanager
def run_with_scenario(stock: Path, tmp_path: Path, scenario: str, *arguments: str) -> Iterator[str]:
    """Run a mock API with a scenario."""
    file = tmp_path / "scenario.toml"
    file.write_text(scenario, encoding="utf-8")
    with run_mock_api(stock, tmp_path / "state", "--scenario", str(file), *arguments) as url:
        yield url


def get_path(url: str, tokens: dict[str, Any], path: str = "me") -> requests.Response:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return requests.get(f"{url}/v1/{path}", headers=headers, timeout=10)


EVERY_KIND = """
[[fault]]
endpoint = "me"
nth = 1
kind = "rate_limited"
seconds = 7
[[fault]]
endpoint = "me"
nth = 2
kind = "rate_limited_long"
[[fault]]
endpoint = "me"
nth = 3
kind = "quota_exceeded"
[[fault]]
endpoint = "me"
nth = 4
kind = "forbidden"
[[fault]]
endpoint = "me"
nth = 5
kind = "not_found"
[[fault]]
endpoint = "me"
nth = 6
kind = "server_error"
status = 503
[[fault]]
endpoint = "me"
nth = 7
kind = "server_error"
status = 502
[[fault]]
endpoint = "me"
nth = 8
kind = "cut_json"
[[fault]]
endpoint = "me"
nth = 9
kind = "invalid_json"
[[fault]]
endpoint = "me"
nth = 10
kind = "slow"
seconds = 0.5
[[fault]]
endpoint = "me"
nth = 11
kind = "dropped"
at = "start"
[[fault]]
endpoint = "me"
nth = 12
kind = "dropped"
at = "middle"
[[fault]]
endpoint = "me"
nth = 13
kind = "expired_token"
[[fault]]
endpoint = "token"
account = "ben"
nth = 2
kind = "invalid_grant"
[[fault]]
endpoint = "token"
account = "ben"
nth = 3
kind = "no_new_refresh_token"
[[fault]]
endpoint = "token"
account = "ben"
nth = 4
kind = "new_refresh_token"
"""


def test_every_kind_of_fault(little_stock: Path, tmp_path: Path) -> None:
    with run_with_scenario(little_stock, tmp_path, EVERY_KIND) as url:
        ada, ben = sign_in(url, "ada"), sign_in(url, "ben")
        limited, long, quota, forbidden, missing, unavailable, gateway = (get_path(url, ada) for _ in range(7))
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
        assert (long.status_code, long.headers["retry-after"]) == (429, "74214")
        assert quota.status_code == 429 and quota.json()["error"]["reason"] == "QUOTA_EXCEEDED"
        assert "retry-after" not in quota.headers and "reason" not in limited.json()["error"]
        assert [response.status_code for response in (forbidden, missing, unavailable, gateway)] == [403, 404, 503, 502]
        for _ in ("cut", "invalid"):
            broken = get_path(url, ada)
            assert broken.status_code == 200
            with pytest.raises(requests.JSONDecodeError):
                broken.json()
        started = time.monotonic()
        assert get_path(url, ada).json()["id"] == "madeup_ada" and time.monotonic() - started > 0.5
        with pytest.raises(requests.ConnectionError):
            get_path(url, ada)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            get_path(url, ada)
        for _ in range(2):  # an expired token stays expired
            assert get_path(url, ada).json() == {"error": {"status": 401, "message": "The access token expired"}}
        assert get_path(url, refresh_token(url, ada).json()).status_code == 200

        rejected = refresh_token(url, ben)
        assert rejected.status_code == 400 and rejected.json()["error"] == "invalid_grant"
        assert "refresh_token" not in refresh_token(url, ben).json()
        assert "refresh_token" in refresh_token(url, ben).json()
        made = requests.get(f"{url}/stand-in/faults", timeout=10).json()
        assert made.keys() == set(FAULT_KINDS) and made["dropped"] == 2
        calls = requests.get(f"{url}/stand-in/calls", timeout=10).json()
        assert calls["me"] == {"0": 2, "200": 4, "401": 2, "403": 1, "404": 1, "429": 3, "502": 1, "503": 1}
        assert requests.delete(f"{url}/stand-in/calls", timeout=10).json() == {}


def test_a_used_up_quota_stays_so_for_the_night(little_stock: Path, tmp_path: Path) -> None:
    scenario = '[[fault]]\nnight = 2\nendpoint = "me"\nnth = 2\nkind = "quota_exceeded"\nsticky = true\n'
    with run_with_scenario(little_stock, tmp_path, scenario) as url:
        ada = sign_in(url, "ada")
        for day, statuses in ((1, [200, 200, 200]), (2, [200, 429, 429]), (3, [200, 200, 200])):
            requests.put(f"{url}/stand-in/night", json={"number": day}, timeout=10)
            assert [get_path(url, ada).status_code for _ in range(3)] == statuses
            assert get_path(url, ada, "me/playlists").status_code == statuses[-1]
            assert refresh_token(url, ada).status_code == 200


def test_any_means_the_endpoints_of_the_api_alone(little_stock: Path, tmp_path: Path) -> None:
    scenario = '[[fault]]\nendpoint = "any"\nnth = 2\nkind = "not_found"\n[faults]\nrate = 1\nkinds = ["forbidden"]\n'
    with run_with_scenario(little_stock, tmp_path, scenario) as url:
        ada = sign_in(url, "ada")
        assert [get_path(url, ada, path).status_code for path in ("me", "me/playlists", "me", "nowhere")] == [
            403,
            404,
            403,
            404,
        ]
        calls = requests.get(f"{url}/stand-in/calls", timeout=10).json()
        assert calls["authorize"] == {"302": 1} and calls["token"] == {"200": 1} and calls["unknown"] == {"404": 1}


def test_faults_by_rate_come_at_the_same_calls_again(little_stock: Path, tmp_path: Path) -> None:
    scenario = '[faults]\nrate = 0.3\nseed = 5\nkinds = ["rate_limited", "server_error", "expired_token"]\n'

    def statuses(url: str, day: int) -> list[int]:
        requests.put(f"{url}/stand-in/night", json={"number": day}, timeout=10)
        ada, statuses_found = None, []
        for _ in range(40):
            while ada is None:
                try:
                    ada = sign_in(url, "ada")
                except AssertionError:
                    continue
            statuses_found.append(get_path(url, ada).status_code)
            ada = None if statuses_found[-1] == 401 else ada
        return statuses_found

    with run_with_scenario(little_stock, tmp_path, scenario) as url:
        first, second = statuses(url, 1), statuses(url, 2)
        assert statuses(url, 1) == first != second
        assert {200, 429, 401} <= set(first) and 4 <= sum(status != 200 for status in first) <= 24
    with run_with_scenario(little_stock, tmp_path, scenario) as url:
        assert statuses(url, 1) == first


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        ('[[fault]]\nkind = "explosion"\nendpoint = "me"', "kind must be one of"),
        ('[[fault]]\nkind = "slow"', "a fault lacks endpoint"),
        ('[[fault]]\nkind = "slow"\nendpoint = "you"', "endpoint must be one of"),
        ('[[fault]]\nkind = "invalid_grant"\nendpoint = "me"', "happens at the endpoint token only"),
        ('[[fault]]\nkind = "forbidden"\nendpoint = "token"', "does not happen at the endpoint token"),
        ('[[fault]]\nkind = "slow"\nendpoint = "me"\nnth = "first"', "nth of a fault cannot be 'first'"),
        ("[faults]\nrate = 2", "from 0 to 1"),
        ('mode = "fast"', "mode of a scenario cannot be 'fast'"),
        ("speed = 3", "a scenario has no speed"),
        ('[[change]]\nnight = 0\nkind = "add_tracks"\naccount = "ada"', "takes effect on night 1"),
        ('[[change]]\nnight = 1\nkind = "rename_playlist"\naccount = "ada"', "needs a name"),
        ("mode = ", "cannot be read"),
    ],
)
def test_a_wrong_scenario_is_refused_with_a_sentence(tmp_path: Path, scenario: str, sentence: str) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(scenario, encoding="utf-8")
    with pytest.raises(ActionNeededError, match=sentence):
        read_scenario(file)
