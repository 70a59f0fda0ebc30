"""The watch over a process that may stand still."""

import pytest

from etl.streams import hang_watch
from etl.streams.hang_watch import HangWatch


@pytest.mark.parametrize(
    ("pauses", "has_exited"),
    [
        ([5.0] * 11, False),
        ([5.0] * 13, True),
        ([5.0, 90.0, 5.0, 5.0], False),  # the machine was suspended
    ],
)
def test_a_process_ends_if_a_step_stands_still(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], has_exited: bool
) -> None:
    now, exit_codes, remaining = 0.0, [], iter(pauses)

    def wait(_seconds: float) -> bool:
        nonlocal now
        pause = next(remaining, None)
        now += pause or 0
        return pause is None

    monkeypatch.setattr(hang_watch.time, "monotonic", lambda: now)
    monkeypatch.setattr(hang_watch.os, "_exit", exit_codes.append)
    monkeypatch.setattr(hang_watch.faulthandler, "dump_traceback", lambda: None)
    watch = HangWatch()
    monkeypatch.setattr(watch._has_ended, "wait", wait)
    watch.expect_within(60)
    watch._watch()
    assert exit_codes == ([1] if has_exited else [])
