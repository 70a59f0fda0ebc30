create table mart.catalogue_place (
    kind text not null,
    value integer not null,
    share_below double precision not null,
    share_until double precision not null,
    constraint catalogue_place_pkey primary key (kind, value),
    constraint catalogue_place_kind_known check (kind in ('popularity', 'release_month'))
);

comment on table mart.catalogue_place is 'The rank of a popularity or a month of release in the catalogue. Stored between builds: updated, for all users, once a fraction has moved by more than 0.02.';
comment on column mart.catalogue_place.kind is 'popularity: among artists whose popularity is known; release_month: among recordings whose release date is known.';
comment on column mart.catalogue_place.value is 'The popularity, 0 to 100; or year times 12 plus month minus 1.';
comment on column mart.catalogue_place.share_below is 'Fraction of the catalogue below this value.';
comment on column mart.catalogue_place.share_until is 'Fraction of the catalogue that at or below this value.';
