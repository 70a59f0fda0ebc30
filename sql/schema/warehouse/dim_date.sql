create table warehouse.dim_date (
    date_key integer not null,
    date date,
    year smallint,
    quarter smallint,
    month smallint,
    month_name text not null,
    iso_year smallint,
    iso_week smallint,
    day_of_month smallint,
    day_of_week smallint,
    day_name text not null,
    is_weekend boolean,
    constraint dim_date_pkey primary key (date_key),
    constraint dim_date_date_key unique (date)
);

comment on table warehouse.dim_date is 'A day from 1900 to 2100.';
comment on column warehouse.dim_date.date_key is 'The day as a number, yyyymmdd; 0 is "not applicable", -1 "unknown".';
comment on column warehouse.dim_date.date is 'The day; NULL for the members 0 and -1.';
comment on column warehouse.dim_date.year is 'Calendar year.';
comment on column warehouse.dim_date.quarter is 'Quarter, 1 to 4.';
comment on column warehouse.dim_date.month is 'Month, 1 to 12.';
comment on column warehouse.dim_date.month_name is 'English name of the month.';
comment on column warehouse.dim_date.iso_year is 'Year that the ISO week belongs to.';
comment on column warehouse.dim_date.iso_week is 'ISO week, 1 to 53.';
comment on column warehouse.dim_date.day_of_month is 'Day of the month, 1 to 31.';
comment on column warehouse.dim_date.day_of_week is 'ISO day of the week, 1 is Monday and 7 Sunday.';
comment on column warehouse.dim_date.day_name is 'English name of the day.';
comment on column warehouse.dim_date.is_weekend is 'Whether the day is a Saturday or Sunday.';

insert into warehouse.dim_date (date_key, month_name, day_name) values
    (0, 'Not applicable', 'Not applicable'),
    (-1, 'Unknown', 'Unknown');

insert into warehouse.dim_date
select
    to_char(day, 'yyyymmdd')::integer,
    day::date,
    extract(year from day),
    extract(quarter from day),
    extract(month from day),
    to_char(day, 'FMMonth'),
    extract(isoyear from day),
    extract(week from day),
    extract(day from day),
    extract(isodow from day),
    to_char(day, 'FMDay'),
    extract(isodow from day) in (6, 7)
from generate_series(timestamp '1900-01-01', timestamp '2100-12-31', interval '1 day') as day;
