"""The survey of listeners: every column is a response, and "None" is a valid response."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.formats.kaggle.file_formats import FORMATS
from etl.transform.kaggle import fields, list_fields
from etl.transform.kaggle.fields import Field, FieldMappings, define_column, text_length_rule, trimmed_text
from etl.transform.validation import Rule

_UNIT_SEPARATOR = "\u001f"

_SINGLE_ANSWERS = {
    "age_band": "Age",
    "gender": "Gender",
    "usage_period": "spotify_usage_period",
    "subscription_plan": "spotify_subscription_plan",
    "preferred_premium_plan": "preffered_premium_plan",
    "preferred_content": "preferred_listening_content",
    "favourite_genre": "fav_music_genre",
    "time_slot": "music_time_slot",
    "podcast_frequency": "pod_lis_frequency",
    "podcast_genre": "fav_pod_genre",
    "podcast_format": "preffered_pod_format",
    "podcast_host_preference": "pod_host_preference",
    "podcast_duration": "preffered_pod_duration",
    "podcast_variety": "pod_variety_satisfaction",
}

_MULTIPLE_ANSWERS = {
    "listening_devices": "spotify_listening_device",
    "moods": "music_Influencial_mood",
    "listening_contexts": "music_lis_frequency",
    "discovery_methods": "music_expl_method",
}


def map_user_behavior() -> dict[str, Field]:
    """Map a format with one listener a row. Despite its name, ``music_lis_frequency`` holds occasions of listening."""
    return {
        "response_id": _hash_answers(),
        **{answer: _single_answer(column) for answer, column in _SINGLE_ANSWERS.items()},
        **{answer: _multiple_answers(column) for answer, column in _MULTIPLE_ANSWERS.items()},
        "premium_willingness": fields.boolean_flag("premium_sub_willingness", true=("yes",), false=("no",)),
        "recommendation_rating": fields.whole_number("music_recc_rating", 1, 5),
    }


def _single_answer(column: str) -> Field:
    value = trimmed_text(column)
    return Field(column, value, (text_length_rule(value),))


def _multiple_answers(column: str) -> Field:
    value, derived_columns = define_column(f"list {column}", list_fields.split_answers(column))
    return Field(column, F.when(F.size(value) > 0, value), (), derived_columns)


def _hash_answers() -> Field:
    """Hash all columns, so that two rows with the same values are one response."""
    answers: list[Column] = [F.coalesce(trimmed_text(column), F.lit("")) for column in FORMATS["user_behavior"].columns]
    text, derived_columns = define_column("all answers", F.concat_ws(_UNIT_SEPARATOR, *answers))
    empty_text = _UNIT_SEPARATOR * (len(answers) - 1)
    no_answers = Rule(text == empty_text, "has no answers")
    return Field("row", F.substring(F.sha2(text, 256), 1, 32), (no_answers,), derived_columns)


FIELD_MAPPINGS: FieldMappings = {
    "user_behavior": map_user_behavior,
}
