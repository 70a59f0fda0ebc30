"""What is true of users' plays, computed from the star, and a checker that reads a profile's text back."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from etl.formats.contracts import AUDIO_FEATURES
from etl.taste_text.profile import TasteText
from etl.taste_text.statements import COMPARATIVES, DAY_PARTS
from tests.load.star_frames import select_rows

_PLAYS = """
    select user_id, extract(year from local_date)::integer as year, count(*) as plays,
        sum(ms_played)::bigint / 60000 as minutes_played,
        count(distinct recording_key) filter (where recording_key > 0) as tracks,
        count(distinct artist_key) filter (where artist_key > 0) as artists
    from mart.play group by 1, 2
"""
_ARTISTS = """
    select p.user_id, extract(year from p.local_date)::integer as year, a.name, count(*) as plays
    from mart.play as p inner join warehouse.dim_artist as a on a.artist_key = p.artist_key
    where p.artist_key > 0 group by 1, 2, p.artist_key, 3
"""
_GENRES = """
    select p.user_id, extract(year from p.local_date)::integer as year, g.genre as name, sum(b.weight) as plays
    from mart.play as p
    inner join warehouse.bridge_track_genre as b on b.track_key = p.track_key
    inner join warehouse.dim_genre as g on g.genre_key = b.genre_key
    group by 1, 2, 3
"""
_CLUSTERS = """
    select p.user_id, extract(year from p.local_date)::integer as year, k.name, count(*) as plays
    from mart.play as p
    inner join warehouse.dim_track as t on t.track_key = p.track_key
    inner join warehouse.dim_audio_cluster as k on k.audio_features_type = t.audio_features_type
    group by 1, 2, 3
"""
_HOURS = """
    select user_id, extract(year from local_date)::integer as year, local_hour as name, count(*) as plays
    from mart.play group by 1, 2, 3
"""
_MEANS = "select p.user_id, extract(year from p.local_date)::integer as year, {} from mart.play as p" + (
    " inner join warehouse.dim_track as t on t.track_key = p.track_key group by 1, 2"
)
_CATALOGUE = "select name, size::float8 / sum(size) over () as share from warehouse.dim_audio_cluster"

Counts = Mapping[Any, float]


@dataclass
class Truth:
    """What a user played in a year; counts by name."""

    figures: dict[str, int] = field(default_factory=dict)
    artists: dict[str, int] = field(default_factory=dict)
    genres: dict[str, float] = field(default_factory=dict)
    clusters: dict[str, int] = field(default_factory=dict)
    hours: dict[int, int] = field(default_factory=dict)
    distances: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """The truth by user and year, and the clusters' fractions of the catalogue."""

    by_user: dict[tuple[str, int], Truth]
    catalogue: dict[str, float]

    def find(self, user_id: str, year: int) -> Truth:
        return self.by_user.get((user_id, year), Truth())


def compute_facts(url: str, means: tuple[float, ...], deviations: tuple[float, ...]) -> Facts:
    """Return the facts of all users, from the plays and the dimensions alone."""
    by_user: dict[tuple[str, int], Truth] = {}
    for row in select_rows(url, _PLAYS):
        by_user[row["user_id"], row["year"]] = Truth({name: int(row[name]) for name in list(row)[2:]})
    for statement, name in ((_ARTISTS, "artists"), (_GENRES, "genres"), (_CLUSTERS, "clusters"), (_HOURS, "hours")):
        for row in select_rows(url, statement):
            getattr(by_user[row["user_id"], row["year"]], name)[row["name"]] = row["plays"]
    columns = ", ".join(f"avg(t.{feature}) as {feature}" for feature in AUDIO_FEATURES)
    for row in select_rows(url, _MEANS.format(columns)):
        by_user[row["user_id"], row["year"]].distances = {
            feature: (row[feature] - mean) / deviation
            for feature, mean, deviation in zip(AUDIO_FEATURES, means, deviations, strict=True)
            if row[feature] is not None
        }
    return Facts(by_user, {row["name"]: row["share"] for row in select_rows(url, _CATALOGUE)})


_WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_NUMBER = rf"(?:{'|'.join(_WORDS)}|\d[\d,]*)"
_SHARE = r"(?:less than 1|more than 99|\d+) %|nothing"
_PATTERNS = {
    "amount": r"you (?:played (?P<tracks>N) songs?|had (?P<plays>N) plays? of (?:an unknown song|unknown songs))"
    r"(?: by (?:(?P<artists>N) artists?|(?P<only>.+) alone))?"
    r"(?: (?:over|in) (?:(?P<minutes>N) minutes?|some (?P<hours>N) hours))?",
    "favourite": r"(?:(?:no artist was closer to you than|the artist you came back to most was) )?(?P<name>.+?)"
    r"(?: came before all others)? \((?P<plays>N) plays?\)",
    "shared_favourite": r"(?P<artists>N) artists share the first place \((?P<plays>N) plays? each\)",
    "genre": r"(?:your first genre was|no genre came before|you played) (?P<name>.+?)(?: above all other genres)?"
    r" \((?P<share>S) of the plays that have (?:one|a genre)\)",
    "day_part": r"(?:you listened|your music ran) most (?P<part>[a-z ]+) \((?P<share>S) of your plays\)",
    "sound": r"(?:your music is|what you play is) (?P<words>.+) than the catalogue",
    "usual_sound": r"your music sounds like the middle of the catalogue",
    "cluster": r"“(?P<name>.+)” is the sound of (?P<share>S) of your plays but (?P<usual>S) of the catalogue",
    "new_artists": r"you discovered no new artist|your only artist was new to you"
    r"|all (?P<all>N) artists were new to you|(?P<new>N) of your (?P<artists>N) artists (?:was|were) new to you",
    "genre_change": r"(?P<name>.+) (?P<verb>grew|fell) from (?P<before>S) to (?P<now>S)",
    "drift": r"your (?:music became|sound turned) (?P<word>.+)",
    "no_drift": r"your sound stayed as it was",
}
_COMPILED = {
    kind: re.compile(
        pattern.replace("<plays>N", f"<plays>{_NUMBER}").replace(">N)", f">{_NUMBER})").replace(">S)", f">{_SHARE})")
    )
    for kind, pattern in _PATTERNS.items()
}


def find_untrue_statements(profile: TasteText, user_id: str, year: int, facts: Facts) -> list[str]:
    """Return what a profile says that is not true, or that the checker cannot read."""
    now, before = facts.find(user_id, year), facts.find(user_id, year - 1)
    faults = []
    for statement in profile.statements:
        match = _COMPILED[statement.kind].fullmatch(statement.text)
        if statement.text not in profile.text and statement.text[:1].upper() + statement.text[1:] not in profile.text:
            faults.append(f"not in the text: {statement.text}")
        elif not match:
            faults.append(f"not read: {statement.kind}: {statement.text}")
        elif not _CHECKS[statement.kind](match.groupdict(), now, before, facts):
            faults.append(f"not true: {statement.kind}: {statement.text}")
        elif not _are_figures_true(statement.figures, now, before, facts):
            faults.append(f"figures not true: {statement}")
    return faults


def _to_number(text: str) -> int:
    return _WORDS.index(text) if text in _WORDS else int(text.replace(",", ""))


def _is_count(text: str | None, count: int) -> bool:
    return text is None or _to_number(text) == count


def _is_share(text: str, share: float) -> bool:
    if text == "nothing":
        return share == 0
    if text.startswith("less"):
        return 0 < share < 0.01
    if text.startswith("more"):
        return 0.99 < share < 1
    return abs(float(text.split()[0]) / 100 - share) <= 0.005 + 1e-6


def _share_of(counts: Counts, name: Any) -> float:
    total = sum(counts.values())
    return float(counts.get(name, 0)) / float(total) if total else 0.0


def _is_first(counts: Counts, name: Any) -> bool:
    return name in counts and all(other == name or count < counts[name] - 1e-5 for other, count in counts.items())


def _check_amount(said: dict[str, str], now: Truth, *_: object) -> bool:
    minutes = now.figures["minutes_played"]
    return (
        all(_is_count(said[name], now.figures[name]) for name in ("tracks", "plays", "artists"))
        and (said["only"] is None or list(now.artists) == [said["only"]])
        and (_is_count(said["minutes"], minutes))
        and (said["hours"] is None or abs(_to_number(said["hours"]) - minutes / 60) <= 0.5)
        and (minutes == 0 or bool(said["minutes"] or said["hours"]))
    )


def _check_shared_favourite(said: dict[str, str], now: Truth, *_: object) -> bool:
    most = max(now.artists.values())
    return _is_count(said["plays"], most) and _is_count(said["artists"], list(now.artists.values()).count(most))


def _check_day_part(said: dict[str, str], now: Truth, *_: object) -> bool:
    parts = {
        part: sum(count for hour, count in now.hours.items() if first <= hour < last)
        for part, (first, last) in DAY_PARTS.items()
    }
    return _is_first(parts, said["part"]) and _is_share(said["share"], _share_of(parts, said["part"]))


def _check_sound(said: dict[str, str], now: Truth, *_: object) -> bool:
    signed = {
        word: (name, sign) for name, words in COMPARATIVES.items() for word, sign in zip(words, (1, -1), strict=True)
    }
    named, degree = [], ""
    for words in said["words"].split(" and "):
        degree = next((each for each in ("much", "clearly", "a little") if words.startswith(f"{each} ")), degree)
        name, sign = signed[words.removeprefix(f"{degree} ")]
        distance = now.distances[name] * sign
        least, most = {"much": (1.0, 99.0), "clearly": (0.6, 1.0), "a little": (0.3, 0.6)}[degree]
        if not least - 1e-3 <= distance <= most + 1e-3:
            return False
        named.append(distance)
    others = sorted((abs(value) for value in now.distances.values()), reverse=True)
    return all(abs(one - other) < 1e-3 for one, other in zip(named, others, strict=False))


def _check_new_artists(said: dict[str, str], now: Truth, before: Truth, facts: Facts) -> bool:
    new = len(now.artists.keys() - before.artists.keys())
    if not any(said.values()):
        return new == 0 or (new == 1 and len(now.artists) == 1)
    return all(
        (_is_count(said["all"], new), _is_count(said["new"], new), said["all"] is None or new == len(now.artists))
    ) and _is_count(said["artists"], len(now.artists))


def _check_genre_change(said: dict[str, str], now: Truth, before: Truth, facts: Facts) -> bool:
    shares = [_share_of(truth.genres, said["name"]) for truth in (before, now)]
    is_grown = said["verb"] == "grew"
    return (
        _is_share(said["before"], shares[0])
        and _is_share(said["now"], shares[1])
        and (shares[1] > shares[0]) == is_grown
    )


def _list_drifts(now: Truth, before: Truth) -> dict[str, float]:
    return {name: value - before.distances[name] for name, value in now.distances.items()}


def _check_drift(said: dict[str, str], now: Truth, before: Truth, facts: Facts) -> bool:
    drifts = _list_drifts(now, before)
    name = max(drifts, key=lambda feature: abs(drifts[feature]))
    return abs(drifts[name]) > 0.299 and said["word"] == COMPARATIVES[name][drifts[name] < 0]


_CHECKS: dict[str, Callable[..., bool]] = {
    "amount": _check_amount,
    "favourite": lambda said, now, *_: (
        _is_first(now.artists, said["name"]) and _is_count(said["plays"], now.artists[said["name"]])
    ),
    "shared_favourite": _check_shared_favourite,
    "genre": lambda said, now, *_: (
        _is_first(now.genres, said["name"]) and _is_share(said["share"], _share_of(now.genres, said["name"]))
    ),
    "day_part": _check_day_part,
    "sound": _check_sound,
    "usual_sound": lambda said, now, *_: all(abs(value) < 0.301 for value in now.distances.values()),
    "cluster": lambda said, now, before, facts: (
        _is_first(now.clusters, said["name"])
        and _is_share(said["share"], _share_of(now.clusters, said["name"]))
        and _is_share(said["usual"], facts.catalogue[said["name"]])
        and _share_of(now.clusters, said["name"]) > facts.catalogue[said["name"]]
    ),
    "new_artists": _check_new_artists,
    "genre_change": _check_genre_change,
    "drift": _check_drift,
    "no_drift": lambda said, now, before, facts: all(
        abs(drift) < 0.301 for drift in _list_drifts(now, before).values()
    ),
}


def _are_figures_true(figures: Mapping[str, Any], now: Truth, before: Truth, facts: Facts) -> bool:
    artist, genre, cluster = (
        max(counts, key=lambda name: counts[name]) if counts else None
        for counts in (now.artists, now.genres, now.clusters)
    )
    truth: dict[str, Any] = {
        **now.figures,
        "top_artist": artist,
        "top_artist_plays": max(now.artists.values(), default=0),
        "artists_at_top": list(now.artists.values()).count(max(now.artists.values(), default=0)),
        "new_artists": len(now.artists.keys() - before.artists.keys()),
        "top_genre": genre,
        "top_genre_share": _share_of(now.genres, genre),
        "earlier_top_genre_share": _share_of(before.genres, genre),
        "top_cluster": cluster,
        "top_cluster_share": _share_of(now.clusters, cluster),
        "catalogue_cluster_share": facts.catalogue.get(str(cluster), 0),
    }
    if "distances" in figures:
        return all(abs(now.distances[name] - value) < 1e-3 for name, value in figures["distances"].items())
    if "drifts" in figures:
        drifts = _list_drifts(now, before)
        return all(abs(drifts[name] - value) < 1e-3 for name, value in figures["drifts"].items())
    if "day_part" in figures:
        return True  # the text has both
    return all(
        abs(truth[name] - value) < 1e-5 if isinstance(value, float) else truth[name] == value
        for name, value in figures.items()
    )
