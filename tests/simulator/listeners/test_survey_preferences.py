"""Simulated listeners play the genres and moods that the survey reports."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.listeners import survey_preferences, track_library
from simulator.listeners.habits import ANY, DEFAULTS, GENRE_ANSWERS, Habits, from_survey_rows
from simulator.listeners.parameters import Parameters
from simulator.listeners.simulation import Simulation
from simulator.listeners.taste import choose_favourite_genres
from tests.simulator.listeners.small_library import START, TRACKS, UNKNOWN, make_playlist_tracks, simulate_rows
from tests.simulator.listeners.test_activities import _compute_local_hours

NAMES = ("rap", "hip-hop", "classical", "k-pop", "sleep")
NAMED = TRACKS.assign(genre=[NAMES[place % 5] if place % 2 else "other" for place in range(len(TRACKS))])
LIBRARY = track_library.build_library(NAMED, make_playlist_tracks(), UNKNOWN)


def make_survey_row(**values: Any) -> dict[str, Any]:
    return {"age_band": "20-35", "time_slot": "Night", **values}


def simulate_habits(habits: Habits, users: int = 1500) -> Simulation:
    return Simulation(Parameters(users, START, START + timedelta(days=4), habits=habits), LIBRARY)


def test_a_survey_says_which_genres_an_age_band_likes() -> None:
    responses = [
        make_survey_row(favourite_genre=genre) for genre in ("Rap", "Rap", "Rap", "classical", "Old songs", None)
    ]
    fractions = from_survey_rows(responses * 100).genres["20-35"]
    assert {name: round(fraction, 2) for name, fraction in fractions.items() if fraction} == {
        "rap": 0.6,
        "classical": 0.2,
        ANY: 0.2,
    }
    assert from_survey_rows([make_survey_row()] * 9).genres == DEFAULTS.genres


def test_a_survey_says_which_moods_a_time_slot_has() -> None:
    night_answers = [make_survey_row(moods=["Relaxation and stress relief", "Sadness or melancholy"])] * 3
    day_answers = [
        make_survey_row(moods=["Social gatherings or parties"], time_slot="Morning"),
        make_survey_row(moods=None, time_slot=None),
    ]
    actual = from_survey_rows(night_answers + day_answers).moods
    assert actual["Night"]["relaxation"] == actual["Night"]["sadness"] == 0.5
    assert actual["Morning"]["social"] == 1
    assert actual["Afternoon"] == DEFAULTS.moods["Afternoon"]


def test_favourite_genres_are_those_that_the_answers_mean_here() -> None:
    weights = {"rap": 0.5, "classical": 0.3, "rock": 0.1, ANY: 0.1}
    fractions = {name: weights.get(name, 0.0) for name in GENRE_ANSWERS}
    people = simulate_habits(replace(DEFAULTS, genres=dict.fromkeys(DEFAULTS.genres, fractions))).make_listeners(
        0, 4000
    )
    favourites = np.array(LIBRARY.genres)[
        choose_favourite_genres(survey_preferences.draw_genres(people, LIBRARY), LIBRARY)
    ]
    actual = pd.Series(favourites).value_counts(normalize=True)
    # This catalogue has no rock: listeners with that response like any genre.
    any_share = dict(zip(LIBRARY.genres, 0.2 * LIBRARY.genre_fractions, strict=True))
    assert actual["rap"] + actual["hip-hop"] == pytest.approx(0.5 + any_share["rap"] + any_share["hip-hop"], abs=0.02)
    assert actual["classical"] == pytest.approx(0.3 + any_share["classical"], abs=0.02)
    assert actual["other"] == pytest.approx(any_share["other"], abs=0.02)


def test_a_favourite_genre_is_played_more() -> None:
    fractions = {name: float(name == "classical") for name in GENRE_ANSWERS}
    habits = replace(DEFAULTS, genres=dict.fromkeys(DEFAULTS.genres, fractions))
    genre = NAMED["genre"].to_numpy()
    often, seldom = (
        (genre[simulate_rows(simulate_habits(parameters))["track"].to_numpy()] == "classical").mean()
        for parameters in (habits, DEFAULTS)
    )
    assert often > 1.3 * seldom  # the traits take precedence, which fix age and popularity


def test_moods_move_what_is_heard_at_an_hour() -> None:
    quiet, loud = (
        {mood: float(mood == mood_name) for mood in DEFAULTS.moods["Night"]} for mood_name in ("relaxation", "social")
    )
    moods = {"Morning": loud, "Afternoon": {**dict.fromkeys(loud, 0.0), ANY: 1.0}, "Night": quiet}
    plays = simulate_rows(simulate_habits(replace(DEFAULTS, moods=moods)))
    plays = plays[plays["activity"] == "PLAY"]
    hours = _compute_local_hours(plays)
    energy, danceability = (
        pd.to_numeric(NAMED[name]).to_numpy()[plays["track"]] for name in ("energy", "danceability")
    )
    is_night, is_morning, is_afternoon = (np.isin(hours, some) for some in ((22, 23, 0), (8, 9, 10), (14, 15, 16)))
    assert energy[is_night].mean() < energy[is_afternoon].mean() - 0.08
    assert danceability[is_morning].mean() > danceability[is_afternoon].mean() + 0.08
    assert abs(energy[is_morning].mean() - energy[is_afternoon].mean()) < 0.04
