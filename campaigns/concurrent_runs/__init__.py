"""Parts of the campaign ``at_once``."""
