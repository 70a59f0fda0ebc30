create function audit.part_of(play audit.unpublished_play, divided_by text) returns text
language sql
immutable
as $$
    select case divided_by
        when 'week' then play.week_start::text
        when 'country' then play.country
        when 'recording' then nullif(play.recording_key, 0)::text
    end
$$;

comment on function audit.part_of is 'The part of a batch that plays belong to; NULL if it has no name.';
