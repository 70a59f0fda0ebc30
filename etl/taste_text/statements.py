"""The rules: which statements follow from the figures of a taste.

A statement is a clause without the words that connect it to others. Its figures are all that it says: numbers and names
in its text are those of its figures, and its kind says which comparison holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from etl.taste_text.figures import TasteFigures
from etl.taste_text.wording import (
    choose_phrase,
    format_count,
    format_duration,
    format_name,
    format_part,
    format_percentage,
    join_words,
)

MIN_DISTANCE = 0.3
"""A smaller distance from the catalogue, in standard deviations, is not worth a word; as in mart.sound_in_words."""
MIN_DRIFT = 0.3
MIN_SHARE_CHANGE = 0.05
MIN_SHARED_PLAYS = 10
"""With fewer plays a share of the day says nothing."""
MIN_DAY_PART_SHARE = 0.4

DEGREES = ((1.0, "much"), (0.6, "clearly"), (0.0, "a little"))
"""Words for distances from so many standard deviations on."""

DAY_PARTS = {"at night": (0, 6), "in the morning": (6, 12), "in the afternoon": (12, 18), "in the evening": (18, 24)}
"""Hours on the user's clock, from the first to before the last."""

COMPARATIVES = {
    "danceability": ("more danceable", "less danceable"),
    "energy": ("more energetic", "calmer"),
    "loudness": ("louder", "quieter"),
    "speechiness": ("wordier", "less wordy"),
    "acousticness": ("more acoustic", "less acoustic"),
    "instrumentalness": ("more instrumental", "more vocal"),
    "liveness": ("closer to live recordings", "further from live recordings"),
    "valence": ("more cheerful", "more sombre"),
    "tempo": ("faster", "slower"),
}
"""What music above, and below, another mean is called."""


@dataclass(frozen=True)
class Statement:
    """A clause about a user, with the figures that it is true of."""

    kind: str
    text: str
    figures: Mapping[str, object]


def state_amount(figures: TasteFigures, seed: str) -> Statement | None:
    """State how much was played."""
    used: dict[str, object] = {"tracks": figures.tracks} if figures.tracks else {"plays": figures.plays}
    text = "you played " + format_count(figures.tracks, "song")
    if not figures.tracks:
        songs = "an unknown song" if figures.plays == 1 else "unknown songs"
        text = f"you had {format_count(figures.plays, 'play')} of {songs}"
    if figures.artists == 1 and figures.top_artist:
        used["top_artist"] = format_name(figures.top_artist)
        text += f" by {used['top_artist']} alone"
    elif figures.artists:
        used["artists"] = figures.artists
        text += f" by {format_count(figures.artists, 'artist')}"
    if figures.minutes_played:
        used["minutes_played"] = figures.minutes_played
        text += choose_phrase((" over ", " in "), seed + "amount") + format_duration(figures.minutes_played)
    return Statement("amount", text, used)


def state_favourite(figures: TasteFigures, seed: str) -> Statement | None:
    """State the artist who was played most, or that several share the first place."""
    if not figures.top_artist or figures.artists < 2:
        return None
    plays = format_count(figures.top_artist_plays, "play")
    used: dict[str, object] = {"top_artist_plays": figures.top_artist_plays}
    if figures.artists_at_top > 1:
        used["artists_at_top"] = figures.artists_at_top
        shared = format_count(figures.artists_at_top, "artist")
        return Statement("shared_favourite", f"{shared} share the first place ({plays} each)", used)
    used["top_artist"] = name = format_name(figures.top_artist)
    phrases = (
        f"no artist was closer to you than {name} ({plays})",
        f"the artist you came back to most was {name} ({plays})",
        f"{name} came before all others ({plays})",
    )
    return Statement("favourite", choose_phrase(phrases, seed + "favourite"), used)


def state_genre(figures: TasteFigures, seed: str) -> Statement | None:
    """State the genre that was played most, if there is one."""
    if not figures.top_genre or figures.top_genre_share is None or figures.genres_at_top > 1:
        return None
    name, share = format_name(figures.top_genre), format_percentage(figures.top_genre_share)
    phrases = (
        f"your first genre was {name} ({share} of the plays that have one)",
        f"no genre came before {name} ({share} of the plays that have a genre)",
        f"you played {name} above all other genres ({share} of the plays that have one)",
    )
    used = {"top_genre": name, "top_genre_share": figures.top_genre_share}
    return Statement("genre", choose_phrase(phrases, seed + "genre"), used)


def state_day_part(figures: TasteFigures, seed: str) -> Statement | None:
    """State the part of the day with most plays, if it is one that stands out."""
    total = sum(figures.plays_by_hour)
    by_part = {name: sum(figures.plays_by_hour[first:last]) for name, (first, last) in DAY_PARTS.items()}
    name = max(by_part, key=lambda part: by_part[part])
    if total < MIN_SHARED_PLAYS or by_part[name] / total < MIN_DAY_PART_SHARE:
        return None
    if list(by_part.values()).count(by_part[name]) > 1:
        return None
    share = format_percentage(by_part[name] / total)
    phrases = (
        f"you listened most {name} ({share} of your plays)",
        f"your music ran most {name} ({share} of your plays)",
    )
    used = {"day_part": name, "day_part_share": by_part[name] / total}
    return Statement("day_part", choose_phrase(phrases, seed + "hours"), used)


def state_sound(figures: TasteFigures, seed: str) -> Statement | None:
    """State in which audio features the music stands out against the catalogue; the two farthest have words."""
    if not figures.distances:
        return None
    far = {name: value for name, value in figures.distances.items() if abs(value) >= MIN_DISTANCE}
    if not far:
        text = "your music sounds like the middle of the catalogue"
        return Statement("usual_sound", text, {"distances": dict(figures.distances)})
    names = sorted(far, key=lambda name: -abs(far[name]))[:2]
    degrees = [find_degree(far[name]) for name in names]
    words = join_words(
        [
            f"{'' if degree in degrees[:index] else degree + ' '}{COMPARATIVES[name][far[name] < 0]}"
            for index, (name, degree) in enumerate(zip(names, degrees, strict=True))
        ]
    )
    phrases = (f"your music is {words} than the catalogue", f"what you play is {words} than the catalogue")
    used = {"distances": {name: far[name] for name in names}}
    return Statement("sound", choose_phrase(phrases, seed + "sound"), used)


def find_degree(distance: float) -> str:
    """Return the word for a distance in standard deviations, whatever its sign."""
    return next(word for least, word in DEGREES if abs(distance) >= least)


def state_cluster(figures: TasteFigures, seed: str) -> Statement | None:
    """State the audio cluster that was played most, if it has a greater part of the plays than of the catalogue."""
    share, usual = figures.top_cluster_share, figures.catalogue_cluster_share
    if not figures.top_cluster or share is None or usual is None or figures.clusters_at_top > 1:
        return None
    if share - usual < MIN_SHARE_CHANGE:
        return None
    name = format_name(figures.top_cluster)
    shares = format_percentage(share), format_percentage(usual)
    text = f"“{name}” is the sound of {shares[0]} of your plays but {shares[1]} of the catalogue"
    used = {"top_cluster": name, "top_cluster_share": share, "catalogue_cluster_share": usual}
    return Statement("cluster", text, used)


def state_new_artists(figures: TasteFigures, seed: str) -> Statement | None:
    """State how many artists are new, for a user who listened in the year before."""
    if not figures.earlier_plays or not figures.artists:
        return None
    used = {"new_artists": figures.new_artists, "artists": figures.artists}
    if not figures.new_artists:
        text = "you discovered no new artist"
    elif figures.artists == 1:
        text = "your only artist was new to you"
    elif figures.new_artists == figures.artists:
        text = f"all {format_count(figures.artists, 'artist')} were new to you"
    else:
        verb = "was" if figures.new_artists == 1 else "were"
        text = f"{format_part(figures.new_artists, figures.artists)} artists {verb} new to you"
    return Statement("new_artists", text, used)


def state_genre_change(figures: TasteFigures, seed: str) -> Statement | None:
    """State how the share of the first genre has changed since the year before."""
    now, before = figures.top_genre_share, figures.earlier_top_genre_share
    if not figures.top_genre or now is None or before is None or figures.genres_at_top > 1:
        return None
    if abs(now - before) < MIN_SHARE_CHANGE:
        return None
    verb = "grew" if now > before else "fell"
    start = format_percentage(before) if before else "nothing"
    text = f"{format_name(figures.top_genre)} {verb} from {start} to {format_percentage(now)}"
    used = {"top_genre": format_name(figures.top_genre), "top_genre_share": now, "earlier_top_genre_share": before}
    return Statement("genre_change", text, used)


def state_drift(figures: TasteFigures, seed: str) -> Statement | None:
    """State the audio feature that has changed most since the year before, or that none has."""
    drifts = {
        name: value - figures.earlier_distances[name]
        for name, value in figures.distances.items()
        if name in figures.earlier_distances
    }
    if not drifts:
        return None
    name = max(drifts, key=lambda feature: abs(drifts[feature]))
    if abs(drifts[name]) < MIN_DRIFT:
        return Statement("no_drift", "your sound stayed as it was", {"drifts": drifts})
    word = COMPARATIVES[name][drifts[name] < 0]
    phrases = (f"your music became {word}", f"your sound turned {word}")
    return Statement("drift", choose_phrase(phrases, seed + "drift"), {"drifts": {name: drifts[name]}})


Rule = Callable[[TasteFigures, str], Statement | None]

TYPICAL: tuple[Rule, ...] = (state_amount, state_favourite)
STANDING_OUT: tuple[Rule, ...] = (state_genre, state_day_part, state_cluster, state_sound)
CHANGED: tuple[Rule, ...] = (state_genre_change, state_drift, state_new_artists)
"""The rules of a sentence each, in order."""


def make_statements(rules: tuple[Rule, ...], figures: TasteFigures, seed: str) -> list[Statement]:
    """Return the statements of the rules that apply."""
    return [statement for rule in rules if (statement := rule(figures, seed))]
