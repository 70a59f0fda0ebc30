"""Parts of the campaign ``leaks``."""
