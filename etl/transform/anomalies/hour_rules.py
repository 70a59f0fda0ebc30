"""The rules for the events of a user in an hour."""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.transform.anomalies.distances import compute_distance_km
from etl.transform.anomalies.findings import Rule, saturate

HOUR_MS = 3_600_000
FREE_SKIPS_PER_HOUR = 6
MAX_SPEED_KM_H = 1000
SHORT_PLAY_MS = (30_000, 35_000)
"""A play counts for royalties after 30 seconds, and a bot wastes no time beyond."""

_TOLERATED_VOLUME = 1.1
"""Players round times, and a play may go on after its last heartbeat."""
_TOLERATED_OVERLAP_MS = 5_000
_TOLERATED_OVERLAPS = 1
"""A user who changes the device may leave one play unfinished."""
_TOLERATED_DISTANCE_KM = 500
"""How far apart the chief locations of two countries may be whose border a user crosses."""
_TOLERATED_SHORT_PLAYS = 7
_MINUTE_MS = 60_000
_SECONDS_PER_HOUR = 3600


def build_hour_rules(events: Column, window_end: Column) -> list[Rule]:
    """Return the rules for the events of a user in an hour.

    :param events: an array of structs in order of time, as ``user_hours.collect_user_hours`` returns them.
    :param window_end: the end of the hour.
    """
    plays = F.filter(events, lambda event: event["is_play"])
    return [
        _build_skip_rule(events),
        _build_volume_rule(plays, F.unix_millis(window_end)),
        _build_overlap_rule(plays),
        _build_travel_rule(events),
        _build_short_play_rule(plays),
    ]


def _build_skip_rule(events: Column) -> Rule:
    skips = F.size(F.filter(events, lambda event: event["is_free_skip"]))
    return Rule(
        name="skips_beyond_plan",
        score=saturate(skips - FREE_SKIPS_PER_HOUR, scale=1, weight=0.95),
        reason=F.format_string(f"%d skips in an hour on the free plan, which allows {FREE_SKIPS_PER_HOUR}", skips),
    )


def _build_volume_rule(plays: Column, window_end_ms: Column) -> Rule:
    heard_ms = F.aggregate(
        plays,
        F.lit(0).cast("long"),
        lambda total, play: total + F.coalesce(F.least(play["ends"], window_end_ms) - play["at"], F.lit(0)),
    )
    return Rule(
        name="impossible_volume",
        score=saturate(heard_ms / HOUR_MS - _TOLERATED_VOLUME, scale=0.15, weight=0.95),
        reason=F.format_string(
            "%d plays with %d minutes of sound in an hour", F.size(plays), (heard_ms / _MINUTE_MS).cast("int")
        ),
    )


def _build_overlap_rule(plays: Column) -> Rule:
    overlaps_ms = _compare_neighbours(plays, lambda play, following: play["ends"] - following["at"])
    overlaps = F.filter(overlaps_ms, lambda overlap_ms: overlap_ms > _TOLERATED_OVERLAP_MS)
    return Rule(
        name="overlapping_plays",
        score=saturate(F.size(overlaps) - _TOLERATED_OVERLAPS, scale=1, weight=0.85),
        reason=F.format_string(
            "%d plays began at least %d s before the previous one ended",
            F.size(overlaps),
            (F.array_min(overlaps) / 1000).cast("int"),
        ),
    )


def _build_travel_rule(events: Column) -> Rule:
    located = F.filter(events, lambda event: event["country"].isNotNull())
    hops = F.filter(_compare_neighbours(located, _describe_hop), lambda hop: hop["from_country"] != hop["to_country"])
    fast_hops = F.filter(F.transform(hops, _add_speed), lambda hop: hop["speed_km_h"] > MAX_SPEED_KM_H)
    # Distances are computed for the few users only who were in two countries.
    is_abroad = F.size(F.array_distinct(F.transform(located, lambda event: event["country"]))) > 1
    first_hop = F.get(fast_hops, F.lit(0))
    return Rule(
        name="impossible_travel",
        score=F.when(is_abroad, saturate(F.size(fast_hops), scale=2, weight=0.9)),
        reason=F.when(
            is_abroad,
            F.format_string(
                f"changes of country faster than {MAX_SPEED_KM_H} km/h: %d, such as %s to %s in %d minutes",
                F.size(fast_hops),
                first_hop["from_country"],
                first_hop["to_country"],
                (first_hop["duration_ms"] / _MINUTE_MS).cast("int"),
            ),
        ),
    )


def _describe_hop(event: Column, following: Column) -> Column:
    return F.struct(
        event["country"].alias("from_country"),
        following["country"].alias("to_country"),
        F.greatest(following["at"] - event["at"], F.lit(_MINUTE_MS)).alias("duration_ms"),
    )


def _add_speed(hop: Column) -> Column:
    distance_km = compute_distance_km(hop["from_country"], hop["to_country"]) - _TOLERATED_DISTANCE_KM
    return F.struct(
        hop["from_country"].alias("from_country"),
        hop["to_country"].alias("to_country"),
        hop["duration_ms"].alias("duration_ms"),
        (distance_km * HOUR_MS / hop["duration_ms"]).alias("speed_km_h"),
    )


def _build_short_play_rule(plays: Column) -> Rule:
    short_plays = F.filter(plays, lambda play: play["ms_played"].between(*SHORT_PLAY_MS) & play["artist"].isNotNull())
    artists = F.transform(short_plays, lambda play: play["artist"])
    counts = F.transform(
        F.array_distinct(artists),
        lambda artist: F.struct(
            F.size(F.filter(artists, lambda other_artist: other_artist == artist)).alias("plays"),
            artist.alias("artist"),
        ),
    )
    most_played = F.array_max(counts)
    return Rule(
        name="short_play_runs",
        score=saturate(most_played["plays"] - _TOLERATED_SHORT_PLAYS, scale=3, weight=0.85),
        reason=F.format_string(
            "%d plays of 30 to 35 s of the artist %s in an hour", most_played["plays"], most_played["artist"]
        ),
    )


def _compare_neighbours(items: Column, compare: Callable[[Column, Column], Column]) -> Column:
    """Return what a function of two columns returns for each item and the following one, without NULL."""
    following = F.slice(items, F.lit(2), F.greatest(F.size(items) - 1, F.lit(0)))
    compared = F.zip_with(
        items, following, lambda item, next_item: F.when(next_item.isNotNull(), compare(item, next_item))
    )
    return F.filter(compared, lambda result: result.isNotNull())
