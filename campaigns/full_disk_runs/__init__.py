"""Parts of the campaign ``disk``."""
