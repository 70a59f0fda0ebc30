"""The order of rounds, and what a comparison claims."""

from benchmarks._rounds import Times, compare_times, measure_rounds


def test_the_order_alternates_and_the_first_round_does_not_count() -> None:
    calls: list[str] = []
    measurements = {name: lambda name=name: calls.append(name) or float(len(calls)) for name in ("ours", "theirs")}
    times = measure_rounds(measurements, 2)
    assert calls == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert times == {"ours": Times((3.0, 6.0)), "theirs": Times((4.0, 5.0))}


def test_a_claim_is_larger_than_the_spread() -> None:
    ours = Times((1.0, 1.1, 1.2))
    assert compare_times(ours, Times((2.0, 2.2, 2.4))) == "ratio 2.00 (1.67 to 2.40: ours faster)"
    assert compare_times(ours, Times((0.5, 0.55, 0.6))) == "ratio 0.50 (0.42 to 0.60: ours slower)"
    assert compare_times(ours, Times((1.0, 1.2, 1.5))).endswith("no difference beyond the spread)")
