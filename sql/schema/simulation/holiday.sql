create table simulation.holiday (
    holiday_date date not null,
    country text collate "C" not null,
    constraint holiday_pkey primary key (country, holiday_date)
);

comment on table simulation.holiday is 'The truth about public holidays, on which listeners of simulated growing populations listen less.';
comment on column simulation.holiday.holiday_date is 'The local day.';
comment on column simulation.holiday.country is 'The country, ISO 3166-1 alpha-2.';
