create table mart.listening_context (
    listening_context_key integer generated always as identity,
    country text not null,
    continent text not null,
    device_type text not null,
    subscription_plan text not null,
    constraint listening_context_pkey primary key (listening_context_key),
    constraint listening_context_is_one unique (country, continent, device_type, subscription_plan)
);

comment on table mart.listening_context is 'Location, device and plan of plays: each combination that occurred; "unknown" if not known.';
comment on column mart.listening_context.listening_context_key is 'Surrogate key.';
comment on column mart.listening_context.country is 'Country where the user was, else home, ISO 3166-1 alpha-2.';
comment on column mart.listening_context.continent is 'Continent of that country.';
comment on column mart.listening_context.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER.';
comment on column mart.listening_context.subscription_plan is 'The plan that the event names, else the user''s at that time.';
