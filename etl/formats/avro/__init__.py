"""Avro: container files of feeds, which may be damaged or hostile, as tables of a contract's fields.

Each module stands on those above it:

    schemas   which schemas are fit to be read by
    values    what values are written as
    files     headers and blocks of files, and whether these are whole
    blocks    blocks unpacked and packed
    salvage   the records of a damaged block that can be read
    records   the records of a file as tables of columns
"""
