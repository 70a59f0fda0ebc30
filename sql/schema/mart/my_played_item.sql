create view mart.my_played_item with (security_barrier) as
select i.*
from mart.played_item as i
where i.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_played_item is 'What you have ever played, with ids to leave it out by; every query reads all your events.';
comment on column mart.my_played_item.user_id is 'You.';
comment on column mart.my_played_item.kind is 'playlist, platform, artist or track.';
comment on column mart.my_played_item.item_id is 'Its id; of a platform its name.';
comment on column mart.my_played_item.name is 'Its name; NULL if only the id is known so far.';
comment on column mart.my_played_item.artist_name is 'Of a track: an artist that the plays name.';
comment on column mart.my_played_item.plays is 'Number of PLAY events, however short, left out or not.';
