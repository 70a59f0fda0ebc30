"""Parts of the campaign ``streams``."""
