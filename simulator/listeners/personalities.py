"""The sixteen listening personalities, and the four traits behind each."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from etl.errors import ActionNeededError
from simulator.listeners.hashed_draws import Floats, Integers, choose_weighted

TRAITS = ("exploration", "newness", "loyalty", "commonality")
"""Each from 0 to 1. A trait of 0.5 or more gives the first of its two letters: E or F, N or T, L or V, C or U."""

NAMES_BY_CODE = {
    "ENLC": "Voyager",
    "ENLU": "Nomad",
    "ENVC": "Early Adopter",
    "ENVU": "Adventurer",
    "ETLC": "Top Charter",
    "ETLU": "Maverick",
    "ETVC": "Musicologist",
    "ETVU": "Time Traveler",
    "FNLC": "Enthusiast",
    "FNLU": "Devotee",
    "FNVC": "Fan Clubber",
    "FNVU": "Specialist",
    "FTLC": "Connoisseur",
    "FTLU": "Replayer",
    "FTVC": "Jukeboxer",
    "FTVU": "Deep Diver",
}
"""Names of the personalities by their letters, in the order of their numbers."""

CODES = tuple(NAMES_BY_CODE)


def compute_weights(mix: Mapping[str, float]) -> tuple[float, ...]:
    """Return the relative frequency of each personality, in the order of ``CODES``.

    :param mix: weights by letters or by name; empty: equal weights.
    :raises ActionNeededError: if a personality is unknown or no weight is above 0.
    """
    by_name = {name: code for code, name in NAMES_BY_CODE.items()}
    unknown_names = [
        personality for personality in mix if personality not in NAMES_BY_CODE and personality not in by_name
    ]
    if unknown_names:
        raise ActionNeededError(f"There is no personality {', '.join(unknown_names)}: choose from {', '.join(CODES)}.")
    weights = {by_name.get(personality, personality): float(weight) for personality, weight in mix.items()}
    if any(weight < 0 for weight in weights.values()) or (mix and not sum(weights.values())):
        raise ActionNeededError("The mix of personalities needs weights of 0 or more, and one above 0.")
    return tuple(weights.get(code, 0.0) if mix else 1.0 for code in CODES)


def draw_traits(personality_draws: Floats, trait_draws: Floats, personality_weights: tuple[float, ...]) -> Floats:
    """Return the traits of listeners: each is uniform within the half that the personality has.

    :param personality_draws: a number from [0, 1) a listener, which chooses the personality.
    :param trait_draws: four such numbers a listener, one column a trait.
    :returns: a row a listener, a column a trait.
    """
    numbers = choose_weighted(personality_draws, personality_weights)
    is_low = (numbers[:, None] >> np.array([3, 2, 1, 0])) & 1
    return np.asarray((1 - is_low + trait_draws) / 2)


def find_codes(traits: Floats) -> npt.NDArray[np.str_]:
    """Return the letters of listeners with these traits."""
    return np.array(CODES)[find_code_indexes(traits)]


def find_code_indexes(traits: Floats) -> Integers:
    """Return the index in ``CODES`` of listeners with these traits."""
    return np.asarray(((traits < 0.5) * np.array([8, 4, 2, 1])).sum(axis=1), np.int64)
