alter table warehouse.dim_artist add column variant_made_id text collate "C";
alter table staging.dim_artist add column variant_made_id text collate "C";

create index dim_artist_variant_made_id_idx on warehouse.dim_artist (variant_made_id) where variant_made_id is not null;

comment on column warehouse.dim_artist.variant_made_id is 'The id made of the name''s other spelling, with or without its leading "the", where a recording that both are credited on makes them one artist; else NULL.';
comment on column staging.dim_artist.variant_made_id is 'The id made of the other spelling of an artist whom both spellings name.';
