"""The lake with its parts, and modules for its files.

lake          one URL with all: ``Lake.inputs``, ``Lake.checkpoints``, ``Lake.latest_state``, ``Lake.catalogue_states``
inputs        received inputs: their bytes as received, and a manifest each
checkpoints   frames, documents and API responses that the steps of a run store for each other
latest_state  the latest state of each API resource, by run
catalogue_states  what parsing says of each input, and what a catalogue leaves for the next one
parquet_frames  frames as folders of Parquet files
landed_files  messages of a topic, until a load takes them as an input
offset_ranges ranges of offsets of a partition, and the chain that they form
forgotten_users  users who were forgotten while messages about them may be in Kafka
forecast_files  the files of the forecasts, and their models
folder        the base of all: files that are written whole or not at all
arrow_files   Arrow tables as files
export_folder a folder of exported files that is replaced whole
full_disk     the message about a full disk
store_errors  which errors are those of a disk or an object store
"""
