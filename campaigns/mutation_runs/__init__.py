"""Parts of the campaign ``mutation``."""
