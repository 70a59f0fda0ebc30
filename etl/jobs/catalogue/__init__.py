"""The transform of the catalogue: the inputs of a run → the frames of the star that differ from the last catalogue.

inputs      the rows of files, parsed once
api_frames  the frames that API responses give
news        the rows that the last catalogue does not have
build       the frames: of all rows, or of what news change
state       what is stored of a catalogue for the next run
summary     what depends on all tracks: their number, recordings, the months of newness
"""
