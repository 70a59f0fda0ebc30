"""The checks of the streams, on states and earlier results made by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from etl.streams.lag import TopicOffsets, compute_lag
from etl.streams.watch_checks import (
    CheckResult,
    ConsumerState,
    check_consumer,
    check_dead_letters,
    check_topic,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
OFFSETS = {0: TopicOffsets(0, 1000), 3: TopicOffsets(500, 90_000)}
LANDING = ConsumerState("landing", "landing", "landing.log", {0: 1000, 3: 89_999}, NOW, process_id=7)


def run_checks(consumer: ConsumerState, *earlier: ConsumerState, limit: int = 100) -> dict[str, CheckResult]:
    """Return the results of a state after those of earlier ones, the oldest first."""
    history: dict[str, list[CheckResult]] = {}
    for state in (*earlier, consumer):
        results = check_consumer(state, OFFSETS, history, NOW, limit)
        for result in results:
            history.setdefault(result.check_name, []).insert(0, result)
    return {result.check_name: result for result in results}


def list_failed(results: dict[str, CheckResult]) -> list[str]:
    return [name for name, result in results.items() if not result.is_passed]


def test_a_consumer_at_the_end_passes_all_checks() -> None:
    results = run_checks(LANDING)
    assert list_failed(results) == []
    assert results["landing_lag"].value == 1, "the marker of a transaction is never read"
    assert results["landing_lag"].details == {"0": 0, "3": 1}


def test_a_partition_without_a_position_lags_from_its_oldest_message() -> None:
    assert compute_lag(OFFSETS, {0: 10}) == {0: 990, 3: 89_500}
    assert compute_lag(OFFSETS, {0: 2000, 3: 0}) == {0: 0, 3: 89_500}


@pytest.mark.parametrize(("seconds", "is_silent"), [(119, False), (121, True)])
def test_a_process_is_silent_after_two_minutes_while_messages_wait(seconds: int, is_silent: bool) -> None:
    error = "The disk is full." if is_silent else ""
    behind = replace(LANDING, positions={0: 0, 3: 0}, active_at=NOW - timedelta(seconds=seconds), last_error=error)
    result = run_checks(behind)["landing_progress"]
    assert result.is_passed is not is_silent
    if is_silent:
        assert "The landing has reported no progress since 2026-11-30 11:57 UTC" in result.message
        assert "90500 messages wait" in result.message and "The disk is full." in result.message
    assert "landing_progress" not in list_failed(run_checks(replace(behind, positions=LANDING.positions)))


def test_a_process_that_only_tries_again_says_why() -> None:
    stuck = replace(LANDING, positions={0: 0, 3: 89_999}, last_error="/lake is full: 3 MiB are free.")
    result = run_checks(stuck)["landing_progress"]
    assert not result.is_passed and "cannot go on, and 1000 messages wait: /lake is full" in result.message
    assert list_failed(run_checks(replace(stuck, positions=LANDING.positions))) == [], "nothing waits for it"


def test_a_process_elsewhere_is_silent_if_its_positions_stay() -> None:
    elsewhere = replace(LANDING, positions={0: 0, 3: 600}, active_at=None)
    assert "landing_progress" not in list_failed(run_checks(elsewhere))
    assert "landing_progress" in list_failed(run_checks(elsewhere, elsewhere))
    assert "landing_progress" not in list_failed(run_checks(replace(elsewhere, positions={0: 5, 3: 600}), elsewhere))


def test_a_lag_that_grows_in_three_checks_is_reported_with_its_continent() -> None:
    states = [replace(LANDING, positions={0: 1000, 3: 90_000 - lag}) for lag in (200, 3000, 7000)]
    result = run_checks(states[2], states[0], states[1])["landing_lag"]
    assert not result.is_passed and "Europe (3): 200, 3,000, 7,000" in result.message
    assert list_failed(run_checks(states[2], states[0], states[1], limit=7000)) == []
    assert list_failed(run_checks(states[2], states[1])) == [], "two checks show no growth yet"
    assert list_failed(run_checks(states[1], states[0], states[2])) == []


def test_messages_that_kafka_removed_are_counted_once() -> None:
    overtaken = replace(LANDING, positions={0: 1000, 3: 400})
    result = run_checks(overtaken)["landing_loss"]
    assert (result.is_passed, result.value) == (False, 100)
    assert "Kafka removed 100 messages before the landing had read them (Europe (3))" in result.message
    counted = replace(LANDING, lost_messages=100)
    assert run_checks(counted, LANDING)["landing_loss"].value == 100
    assert run_checks(counted, counted)["landing_loss"].is_passed


def test_a_process_that_starts_before_each_check_is_reported() -> None:
    states = [replace(LANDING, process_id=number) for number in (1, 2, 3)]
    assert list_failed(run_checks(states[2], *states[:2])) == ["landing_restarts"]
    assert list_failed(run_checks(states[1], *states[:2])) == []
    assert list_failed(run_checks(states[2], replace(LANDING, process_id=None), states[1])) == []


def test_dead_letters_are_counted_since_the_last_check() -> None:
    first = check_dead_letters(5000, "SpotifyWrapped.dlq", {}, 100)
    assert first.is_passed, "what was there before the first check is not new"
    history = {"dead_letters": [first]}
    assert check_dead_letters(5100, "SpotifyWrapped.dlq", history, 100).is_passed
    result = check_dead_letters(5101, "SpotifyWrapped.dlq", history, 100)
    assert (result.is_passed, result.value) == (False, 101)
    assert check_dead_letters(3, "SpotifyWrapped.dlq", history, 100).is_passed, "the topic was created again"


def test_another_topic_of_the_same_name_is_reported_once() -> None:
    first = check_topic("SpotifyWrapped", "one", {})
    second = check_topic("SpotifyWrapped", "two", {"topic": [first]})
    assert first.is_passed and not second.is_passed
    assert check_topic("SpotifyWrapped", "two", {"topic": [second, first]}).is_passed
