create table mart.chart (
    chart_key integer generated always as identity,
    period_start date not null,
    kind mart.counted_kind not null,
    period text not null,
    place_kind text not null,
    place text not null,
    constraint chart_pkey primary key (chart_key),
    constraint chart_is_one unique (place, kind, period, period_start, place_kind),
    constraint chart_period_known check (period in ('day', 'week', 'month', 'year')),
    constraint chart_place_kind_known check (place_kind in ('continent', 'country'))
);

comment on table mart.chart is 'A chart: the most played items of a country or continent in a period.';
comment on column mart.chart.chart_key is 'Surrogate key.';
comment on column mart.chart.period_start is 'First day of the period, on the users'' calendars; a week begins on Monday.';
comment on column mart.chart.kind is 'recording, artist or genre.';
comment on column mart.chart.period is 'day, week, month or year.';
comment on column mart.chart.place_kind is 'continent or country.';
comment on column mart.chart.place is 'The continent, or the country by ISO 3166-1 alpha-2.';
