"""The catalogue: rows about tracks and artists → the frames of the star, all of them or those that news change.

pipeline            builds the whole catalogue
update              builds what news change
update_inputs, update_news, update_scopes
                    what an update reads, where it begins, and the artists and albums that it touches
stages              the two stages of both
links, parts        what connects tracks, and what is stored of them for later updates
reconciliation      the track of each row, by id or by name
recordings          tracks that are one recording
decisions           decisions of analysts: ids that are one, or are not
separation          recordings that a decision separates
source_precedence   the source whose value a field takes
tracks, albums, artists, genres, playlists
                    the fields of each
aliases             the ids and names under which a track is found
newness             the newness score of a track
"""
