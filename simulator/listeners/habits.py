"""The distributions that simulated listeners are drawn from: age, gender, plan, times, devices, skips.

In: answers to the survey (rows of ``warehouse.survey_response``), or no answers. Out: ``Habits``, whose fractions the
events reproduce. Defaults fill the gaps of the survey; docs/simulator.md lists them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

Fractions = dict[str, float]
_SurveyRow = Mapping[str, object]
_AnswerParser = Callable[[_SurveyRow], str | None]

AGE_BANDS: dict[str, tuple[int, int]] = {
    "6-12": (6, 12),
    "12-20": (12, 20),
    "20-35": (20, 35),
    "35-60": (35, 60),
    "60+": (60, 85),
}
"""Years of age, the first inclusive and the last exclusive."""

GENDERS = ("Female", "Male", "Others")
PLANS = ("free", "premium")
TIME_SLOTS = ("Morning", "Afternoon", "Night")
DEVICES = ("MOBILE", "DESKTOP", "TABLET", "SMART_SPEAKER")

HOUR_WEIGHTS_BY_SLOT: dict[str, dict[int, float]] = {
    "Morning": {5: 3, 6: 8, 7: 14, 8: 18, 9: 18, 10: 17, 11: 15, 12: 7},
    "Afternoon": {11: 3, 12: 11, 13: 16, 14: 18, 15: 18, 16: 17, 17: 12, 18: 5},
    "Night": {0: 7, 1: 4, 2: 2, 3: 1, 4: 1, 5: 1, 17: 4, 18: 10, 19: 14, 20: 16, 21: 16, 22: 14, 23: 10},
}
"""Relative weights of local hours in each time slot of the survey; they fall off at both ends."""

AGES_AS_OF = date(2026, 7, 1)
"""The date on which a listener's age lies in the survey's age band; listeners grow older before and after it."""

GENRES_BY_ANSWER: dict[str, tuple[str, ...]] = {
    "melody": ("acoustic", "chill", "indian", "pop-film", "romance", "singer-songwriter", "songwriter", "soul"),
    "classical": ("classical", "new-age", "opera", "piano"),
    "pop": ("dance", "indie-pop", "pop", "power-pop", "synth-pop"),
    "rap": ("hip-hop", "r&b", "r-n-b", "rap", "trip-hop"),
    "electronic/dance": ("dubstep", "edm", "electro", "electronic", "house", "progressive-house", "techno", "trance"),
    "rock": ("alt-rock", "hard-rock", "j-rock", "punk-rock", "rock", "rock-n-roll"),
    "kpop": ("k-pop",),
}
"""The catalogue genres of each answer to the question for the favourite genre."""

ANY = "any"
"""The key of a genre or mood without a matching answer."""

GENRE_ANSWERS = (*GENRES_BY_ANSWER, ANY)

MOODS: dict[str, tuple[str, bool]] = {
    "relaxation": ("energy", False),
    "uplifting": ("valence", True),
    "sadness": ("valence", False),
    "social": ("danceability", True),
}
"""A mood, by the first word of its answer: the measure in which its tracks lie above (or below) most tracks."""

MOOD_ANSWERS = (*MOODS, ANY)

_DEVICE_BY_ANSWER = {
    "smartphone": "MOBILE",
    "wearable devices": "MOBILE",
    "computer or laptop": "DESKTOP",
    "tablet": "TABLET",
    "smart speakers or voice assistants": "SMART_SPEAKER",
}
_SURVEY_SLOTS = {slot.lower(): slot for slot in TIME_SLOTS}
_PRIOR_ANSWER_COUNT = 20


@dataclass(frozen=True)
class Habits:
    """The requested fractions of a simulation. Fractions by age band apply to the listeners of that band."""

    age_bands: Fractions
    genders: Mapping[str, Fractions]
    plans: Mapping[str, Fractions]
    time_slots: Mapping[str, Fractions]
    devices: Fractions
    skips: Fractions
    """By plan: the fraction of plays that end in a skip."""
    genres: Mapping[str, Fractions]
    """By age band: answers to the question for the favourite genre."""
    moods: Mapping[str, Fractions]
    """By time slot: the moods that sessions have."""
    weekend: float = 1.25
    """The ratio of sessions on a Saturday or Sunday to those on another day."""

    def average_over_bands(self, by_age_band: Mapping[str, Fractions]) -> Fractions:
        """Return the fractions over all age bands."""
        total: dict[str, float] = defaultdict(float)
        for band, band_fraction in self.age_bands.items():
            for answer, fraction in by_age_band[band].items():
                total[answer] += band_fraction * fraction
        return dict(total)

    def compute_hour_fractions(self) -> list[float]:
        """Return the requested fraction of plays in each local hour."""
        slots = self.average_over_bands(self.time_slots)
        return [sum(slots[slot] * compute_hour_fractions(slot)[hour] for slot in TIME_SLOTS) for hour in range(24)]

    def compute_skip_fraction(self) -> float:
        """Return the fraction of plays that end in a skip, over all plans."""
        plans = self.average_over_bands(self.plans)
        return sum(plans[plan] * self.skips[plan] for plan in PLANS)

    def list_requested_fractions(self) -> dict[str, Fractions]:
        """Return all requested fractions, as plays are counted."""
        return {
            "age_band": dict(self.age_bands),
            "gender": self.average_over_bands(self.genders),
            "plan": self.average_over_bands(self.plans),
            "device": dict(self.devices),
            "hour": {str(hour): fraction for hour, fraction in enumerate(self.compute_hour_fractions())},
            "skip": {"skip": self.compute_skip_fraction()},
        }

    def set_free_fraction(self, free_fraction: float | None) -> "Habits":
        """Return the habits with another overall fraction of free plans; None changes nothing."""
        if free_fraction is None:
            return self
        current_fraction = self.average_over_bands(self.plans)["free"]
        plans = {
            band: _shift_free_fraction(fractions["free"], current_fraction, free_fraction)
            for band, fractions in self.plans.items()
        }
        return replace(self, plans={band: {"free": free, "premium": 1 - free} for band, free in plans.items()})


def compute_hour_fractions(slot: str) -> list[float]:
    """Return the fraction of each of the 24 hours in a time slot."""
    weights = HOUR_WEIGHTS_BY_SLOT[slot]
    return [weights.get(hour, 0.0) / sum(weights.values()) for hour in range(24)]


def _repeat_for_bands(fractions: Fractions) -> dict[str, Fractions]:
    return {band: dict(fractions) for band in AGE_BANDS}


DEFAULTS = Habits(
    age_bands={"6-12": 0.01, "12-20": 0.20, "20-35": 0.50, "35-60": 0.25, "60+": 0.04},
    genders=_repeat_for_bands({"Female": 0.5, "Male": 0.47, "Others": 0.03}),
    plans={
        "6-12": {"free": 0.5, "premium": 0.5},
        "12-20": {"free": 0.7, "premium": 0.3},
        "20-35": {"free": 0.55, "premium": 0.45},
        "35-60": {"free": 0.5, "premium": 0.5},
        "60+": {"free": 0.6, "premium": 0.4},
    },
    time_slots={
        "6-12": {"Morning": 0.3, "Afternoon": 0.6, "Night": 0.1},
        "12-20": {"Morning": 0.2, "Afternoon": 0.4, "Night": 0.4},
        "20-35": {"Morning": 0.2, "Afternoon": 0.3, "Night": 0.5},
        "35-60": {"Morning": 0.3, "Afternoon": 0.35, "Night": 0.35},
        "60+": {"Morning": 0.4, "Afternoon": 0.4, "Night": 0.2},
    },
    devices={"MOBILE": 0.64, "DESKTOP": 0.18, "TABLET": 0.06, "SMART_SPEAKER": 0.12},
    skips={"free": 0.12, "premium": 0.22},
    genres=_repeat_for_bands({answer: float(answer == ANY) for answer in GENRE_ANSWERS}),
    moods={slot: {answer: float(answer == ANY) for answer in MOOD_ANSWERS} for slot in TIME_SLOTS},
)
"""The habits without a survey."""


def from_survey_rows(survey_rows: Sequence[Mapping[str, object]]) -> Habits:
    """Return the habits of a survey; the defaults if it has no answers.

    The fractions of a band are shrunk towards those of all bands, with the weight of 20 answers: one answer of a rare
    band is weak evidence.

    :param survey_rows: rows of ``warehouse.survey_response``.
    """
    bands = Counter(band for row in survey_rows if (band := str(row.get("age_band"))) in AGE_BANDS)
    if not bands:
        return DEFAULTS
    usable_rows = [row for row in survey_rows if row.get("age_band") in AGE_BANDS]
    return Habits(
        age_bands={band: bands[band] / bands.total() for band in AGE_BANDS},
        genders=_count_by_band(usable_rows, _parse_gender, DEFAULTS.genders),
        plans=_count_by_band(usable_rows, _parse_plan, DEFAULTS.plans),
        time_slots=_count_by_band(usable_rows, _parse_time_slot, DEFAULTS.time_slots),
        devices=_count_devices(usable_rows),
        skips=DEFAULTS.skips,
        genres=_count_by_band(usable_rows, _parse_genre, DEFAULTS.genres),
        moods=_count_moods(usable_rows),
    )


def _parse_gender(row: Mapping[str, object]) -> str | None:
    return answer if (answer := str(row.get("gender"))) in GENDERS else None


def _parse_plan(row: Mapping[str, object]) -> str | None:
    answer = str(row.get("subscription_plan") or "").lower()
    return next((plan for plan in PLANS if answer.startswith(plan)), None)


def _parse_genre(row: Mapping[str, object]) -> str | None:
    answer = str(row.get("favourite_genre") or "").lower()
    if not answer:
        return None
    return answer if answer in GENRES_BY_ANSWER else ANY


def _parse_time_slot(row: Mapping[str, object]) -> str | None:
    return _SURVEY_SLOTS.get(str(row.get("time_slot")).lower())


def _count_by_band(
    rows: Sequence[_SurveyRow], parse_answer: _AnswerParser, defaults: Mapping[str, Fractions]
) -> dict[str, Fractions]:
    answers = [(str(row["age_band"]), answer) for row in rows if (answer := parse_answer(row))]
    if not answers:
        return {band: dict(fractions) for band, fractions in defaults.items()}
    names = list(next(iter(defaults.values())))
    overall_counts = Counter(answer for _, answer in answers)
    fractions_by_band: dict[str, Fractions] = {}
    for band in AGE_BANDS:
        band_counts = Counter(answer for answer_band, answer in answers if answer_band == band)
        size = band_counts.total() + _PRIOR_ANSWER_COUNT
        fractions_by_band[band] = {
            name: (band_counts[name] + _PRIOR_ANSWER_COUNT * overall_counts[name] / overall_counts.total()) / size
            for name in names
        }
    return fractions_by_band


def _count_moods(rows: Iterable[_SurveyRow]) -> dict[str, Fractions]:
    """Count each respondent once, divided between the moods of the answer."""
    weights = {slot: dict.fromkeys(MOOD_ANSWERS, 0.0) for slot in TIME_SLOTS}
    for row in rows:
        slot, listed_moods = _parse_time_slot(row), row.get("moods")
        mood_answers = [
            str(answer).lower() for answer in (listed_moods if isinstance(listed_moods, list | tuple) else [])
        ]
        named_moods = [mood for mood in MOODS if any(mood_answer.startswith(mood) for mood_answer in mood_answers)]
        for mood in named_moods if slot else ():
            weights[str(slot)][mood] += 1 / len(named_moods)
    return {
        slot: {mood: weight / total for mood, weight in slot_weights.items()}
        if (total := sum(slot_weights.values()))
        else default_fractions
        for (slot, slot_weights), default_fractions in zip(weights.items(), DEFAULTS.moods.values(), strict=True)
    }


def _count_devices(rows: Iterable[Mapping[str, object]]) -> Fractions:
    """Count each respondent once, divided between the devices of the answer."""
    weights: dict[str, float] = defaultdict(float)
    for row in rows:
        listed_devices = row.get("listening_devices")
        named_devices = [
            device
            for answer in (listed_devices if isinstance(listed_devices, list | tuple) else [])
            if (device := _DEVICE_BY_ANSWER.get(str(answer).strip().lower()))
        ]
        for device in named_devices:
            weights[device] += 1 / len(named_devices)
    total = sum(weights.values())
    return {device: weights[device] / total for device in DEVICES} if total else dict(DEFAULTS.devices)


def _shift_free_fraction(band_fraction: float, current_fraction: float, target_fraction: float) -> float:
    """Return a band's fraction of free plans after the overall fraction moves from current to target."""
    return (
        band_fraction * target_fraction / current_fraction
        if target_fraction <= current_fraction
        else 1 - (1 - band_fraction) * (1 - target_fraction) / (1 - current_fraction)
    )
