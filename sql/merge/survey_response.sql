-- The id is a hash of all values: an existing response is equal.
insert into warehouse.survey_response (
    response_id, age_band, gender, usage_period, listening_devices, subscription_plan, premium_willingness,
    preferred_premium_plan, preferred_content, favourite_genre, time_slot, moods, listening_contexts,
    discovery_methods, recommendation_rating, podcast_frequency, podcast_genre,
    podcast_format, podcast_host_preference, podcast_duration, podcast_variety
)
select
    response_id, age_band, gender, usage_period, listening_devices, subscription_plan, premium_willingness,
    preferred_premium_plan, preferred_content, favourite_genre, time_slot, moods, listening_contexts,
    discovery_methods, recommendation_rating, podcast_frequency, podcast_genre,
    podcast_format, podcast_host_preference, podcast_duration, podcast_variety
from staging.survey_response as s
where not exists (select from warehouse.survey_response as t where t.response_id = s.response_id)
order by response_id;
