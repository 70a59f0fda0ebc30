"""Parts of the campaign ``bad_input``."""
