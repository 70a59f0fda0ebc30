"""Avro container files of feeds, which may be damaged or hostile, as tables of a contract's fields.

Each module imports only those above it:

    schemas          schemas that records can be read by
    encoding         values as Avro writes them
    container_files  headers and blocks of files, and whether they are complete
    blocks           blocks decompressed and compressed
    salvage          the readable records of a damaged block
    records          the records of a file as Arrow tables
    datums           single values, such as messages of a topic, as Arrow tables
    datum_files      single values as files, and converted to another schema
"""
