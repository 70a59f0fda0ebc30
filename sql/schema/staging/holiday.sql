create unlogged table staging.holiday (
    country text collate "C",
    holiday_date date
);

comment on table staging.holiday is 'Public holidays of simulated growing populations, on their way to simulation.holiday.';
comment on column staging.holiday.country is 'The country, ISO 3166-1 alpha-2.';
comment on column staging.holiday.holiday_date is 'The local day.';
