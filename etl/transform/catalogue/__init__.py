"""The catalogue: pipeline over tracks, artists, albums, genres, playlists, recordings, aliases, newness, reconciliation and source_precedence."""
