"""Random catalogues that change from run to run, and the comparison of updated with rebuilt ones."""
