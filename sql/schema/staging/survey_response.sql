create unlogged table staging.survey_response (
    response_id text collate "C",
    age_band text,
    gender text,
    usage_period text,
    listening_devices text[],
    subscription_plan text,
    premium_willingness boolean,
    preferred_premium_plan text,
    preferred_content text,
    favourite_genre text,
    time_slot text,
    moods text[],
    listening_contexts text[],
    discovery_methods text[],
    recommendation_rating integer,
    podcast_frequency text,
    podcast_genre text,
    podcast_format text,
    podcast_host_preference text,
    podcast_duration text,
    podcast_variety text
);

comment on table staging.survey_response is 'Survey responses, on their way to warehouse.survey_response.';
comment on column staging.survey_response.response_id is 'Hash of all values of the row.';
comment on column staging.survey_response.age_band is 'Age band, such as 20-35.';
comment on column staging.survey_response.gender is 'Gender as given.';
comment on column staging.survey_response.usage_period is 'For how long the respondent has used Spotify.';
comment on column staging.survey_response.listening_devices is 'Devices used for listening.';
comment on column staging.survey_response.subscription_plan is 'Present subscription plan.';
comment on column staging.survey_response.premium_willingness is 'Whether the respondent would pay for Premium.';
comment on column staging.survey_response.preferred_premium_plan is 'The Premium plan that the respondent would take; "None" is a valid value.';
comment on column staging.survey_response.preferred_content is 'Music or podcast.';
comment on column staging.survey_response.favourite_genre is 'Favourite genre of music.';
comment on column staging.survey_response.time_slot is 'Time of day at which the respondent likes to listen.';
comment on column staging.survey_response.moods is 'Moods that music is listened to in.';
comment on column staging.survey_response.listening_contexts is 'Occasions of listening.';
comment on column staging.survey_response.discovery_methods is 'How the respondent finds new music.';
comment on column staging.survey_response.recommendation_rating is 'Rating of Spotify''s recommendations, 1 to 5.';
comment on column staging.survey_response.podcast_frequency is 'How often the respondent listens to podcasts.';
comment on column staging.survey_response.podcast_genre is 'Favourite genre of podcasts.';
comment on column staging.survey_response.podcast_format is 'Preferred format of podcasts.';
comment on column staging.survey_response.podcast_host_preference is 'Well-known hosts or unknown ones.';
comment on column staging.survey_response.podcast_duration is 'Preferred length of podcasts.';
comment on column staging.survey_response.podcast_variety is 'Satisfaction with the choice of podcasts.';
