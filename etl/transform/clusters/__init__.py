"""Audio clusters: kmeans fits and assigns them; model, naming and numbering."""
