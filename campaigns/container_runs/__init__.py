"""Parts of the campaign ``containers``."""
