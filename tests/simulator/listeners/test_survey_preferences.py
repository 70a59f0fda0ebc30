"""What the survey says of favourite genres and moods is found in what listeners play."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.listeners import survey_preferences, track_library
from simulator.listeners.feed import Simulation
from simulator.listeners.habits import ANY, DEFAULTS, GENRE_ANSWERS, Habits, from_survey_rows
from simulator.listeners.parameters import Parameters
from simulator.listeners.taste import choose_favourite_genres
from tests.simulator.listeners.small_library import START, TRACKS, UNKNOWN, playlist_tracks, rows
from tests.simulator.listeners.test_activities import _local_hours

NAMES = ("rap", "hip-hop", "classical", "k-pop", "sleep")
NAMED = TRACKS.assign(genre=[NAMES[place % 5] if place % 2 else "other" for place in range(len(TRACKS))])
LIBRARY = track_library.build_library(NAMED, playlist_tracks(), UNKNOWN)


def answer(**values: Any) -> dict[str, Any]:
    return {"age_band": "20-35", "time_slot": "Night", **values}


def made(habits: Habits, users: int = 1500) -> Simulation:
    return Simulation(Parameters(users, START, START + timedelta(days=4), habits=habits), LIBRARY)


def test_a_survey_says_which_genres_an_age_band_likes() -> None:
    answers = [answer(favourite_genre=genre) for genre in ("Rap", "Rap", "Rap", "classical", "Old songs", None)]
    shares = from_survey_rows(answers * 100).genres["20-35"]
    assert {name: round(share, 2) for name, share in shares.items() if share} == {
        "rap": 0.6,
        "classical": 0.2,
        ANY: 0.2,
    }
    assert from_survey_rows([answer()] * 9).genres == DEFAULTS.genres


def test_a_survey_says_which_moods_a_time_slot_has() -> None:
    night = [answer(moods=["Relaxation and stress relief", "Sadness or melancholy"])] * 3
    day = [answer(moods=["Social gatherings or parties"], time_slot="Morning"), answer(moods=None, time_slot=None)]
    found = from_survey_rows(night + day).moods
    assert found["Night"]["relaxation"] == found["Night"]["sadness"] == 0.5
    assert found["Morning"]["social"] == 1
    assert found["Afternoon"] == DEFAULTS.moods["Afternoon"]


def test_favourite_genres_are_those_that_the_answers_mean_here() -> None:
    wanted = {"rap": 0.5, "classical": 0.3, "rock": 0.1, ANY: 0.1}
    shares = {name: wanted.get(name, 0.0) for name in GENRE_ANSWERS}
    people = made(replace(DEFAULTS, genres=dict.fromkeys(DEFAULTS.genres, shares))).make_listeners(0, 4000)
    favourites = np.array(LIBRARY.genres)[
        choose_favourite_genres(survey_preferences.draw_genres(people, LIBRARY), LIBRARY)
    ]
    found = pd.Series(favourites).value_counts(normalize=True)
    # This catalogue has no rock: who answered so likes any genre.
    any_share = dict(zip(LIBRARY.genres, 0.2 * LIBRARY.genre_fractions, strict=True))
    assert found["rap"] + found["hip-hop"] == pytest.approx(0.5 + any_share["rap"] + any_share["hip-hop"], abs=0.02)
    assert found["classical"] == pytest.approx(0.3 + any_share["classical"], abs=0.02)
    assert found["other"] == pytest.approx(any_share["other"], abs=0.02)


def test_a_favourite_genre_is_played_more() -> None:
    shares = {name: float(name == "classical") for name in GENRE_ANSWERS}
    habits = replace(DEFAULTS, genres=dict.fromkeys(DEFAULTS.genres, shares))
    genre = NAMED["genre"].to_numpy()
    often, seldom = ((genre[rows(made(one))["track"].to_numpy()] == "classical").mean() for one in (habits, DEFAULTS))
    assert often > 1.3 * seldom  # it gives way to the traits, which fix age and popularity


def test_moods_move_what_is_heard_at_an_hour() -> None:
    quiet, loud = (
        {mood: float(mood == wanted) for mood in DEFAULTS.moods["Night"]} for wanted in ("relaxation", "social")
    )
    moods = {"Morning": loud, "Afternoon": {**dict.fromkeys(loud, 0.0), ANY: 1.0}, "Night": quiet}
    plays = rows(made(replace(DEFAULTS, moods=moods)))
    plays = plays[plays["activity"] == "PLAY"]
    hours = _local_hours(plays)
    energy, danceability = (
        pd.to_numeric(NAMED[name]).to_numpy()[plays["track"]] for name in ("energy", "danceability")
    )
    night, morning, afternoon = (np.isin(hours, some) for some in ((22, 23, 0), (8, 9, 10), (14, 15, 16)))
    assert energy[night].mean() < energy[afternoon].mean() - 0.08
    assert danceability[morning].mean() > danceability[afternoon].mean() + 0.08
    assert abs(energy[morning].mean() - energy[afternoon].mean()) < 0.04
