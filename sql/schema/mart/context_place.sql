create view mart.context_place as
select
    listening_context_key,
    min(listening_context_key) over (partition by country, continent) as place_key,
    country,
    continent
from mart.listening_context;

comment on view mart.context_place is 'The place of each listening context: a country and its continent.';
comment on column mart.context_place.listening_context_key is 'The listening context.';
comment on column mart.context_place.place_key is 'The smallest listening_context_key of the place, which never changes.';
comment on column mart.context_place.country is 'The country, ISO 3166-1 alpha-2; "unknown" if not known.';
comment on column mart.context_place.continent is 'The continent; "unknown" if not known.';
