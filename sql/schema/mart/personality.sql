create view mart.personality as
select letters, name, description
from (
    values
    (
        'ENLC',
        'Voyager',
        'Goes to new artists all the time, takes what is new and known to many, and plays the finds on repeat.'
    ),
    (
        'ENLU',
        'Nomad',
        'Wanders from artist to artist among new music that few know, and stays with the songs found there.'
    ),
    ('ENVC', 'Early Adopter', 'Hears many new songs of many known artists, hardly one of them often.'),
    (
        'ENVU',
        'Adventurer',
        'Always on the way to new music of artists that few have heard of, seldom twice to the same.'
    ),
    ('ETLC', 'Top Charter', 'Takes the well-known songs of any age from many artists, and plays them again and again.'),
    ('ETLU', 'Maverick', 'Picks favourites off the beaten track, from many little-known artists of earlier years.'),
    ('ETVC', 'Musicologist', 'Reads through the well-known music of all ages, artist by artist, song by song.'),
    ('ETVU', 'Time Traveler', 'Digs in the past among artists that few know, always for something else.'),
    ('FNLC', 'Enthusiast', 'Has a few well-known artists, follows what they bring out, and plays it on repeat.'),
    ('FNLU', 'Devotee', 'Stands by a few artists that hardly anybody knows, and plays their newest songs on repeat.'),
    ('FNVC', 'Fan Clubber', 'Knows all the newer songs of a few well-known artists, not just the hits.'),
    ('FNVU', 'Specialist', 'Hears through everything that a few little-known artists bring out.'),
    ('FTLC', 'Connoisseur', 'Comes back to the same well-known songs of the same artists, whatever their age.'),
    ('FTLU', 'Replayer', 'Plays the same old songs of a few little-known artists over and over.'),
    ('FTVC', 'Jukeboxer', 'Goes through the older works of a few well-known artists from end to end.'),
    ('FTVU', 'Deep Diver', 'Knows the whole past work of a few artists whom hardly anybody plays.')
) as p (letters, name, description);

comment on view mart.personality is 'The sixteen listening personalities.';
comment on column mart.personality.letters is 'Exploration or Familiarity, Newness or Timelessness, Loyalty or Variety, Commonality or Uniqueness.';
comment on column mart.personality.name is 'Its name.';
comment on column mart.personality.description is 'Its way of listening in a sentence.';
