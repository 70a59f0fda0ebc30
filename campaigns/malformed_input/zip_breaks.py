"""Zip files with a wrong structure."""

import io
import zipfile
from collections.abc import Mapping
from random import Random

from campaigns.malformed_input.general_breaks import FileBreak, flip_bytes, make_zip


def _patch_zip(zip_content: bytes, bytes_by_offset: Mapping[int, bytes], magic: bytes = b"PK\x01\x02") -> bytes:
    """Return a zip file with other bytes in the first entry of its directory."""
    changed, begin = bytearray(zip_content), zip_content.rfind(magic)
    for offset, value in bytes_by_offset.items():
        changed[begin + offset : begin + offset + len(value)] = value
    return bytes(changed)


def _make_zip_patch(bytes_by_offset: Mapping[int, bytes], magic: bytes = b"PK\x01\x02") -> FileBreak:
    return lambda content, rng: _patch_zip(
        make_zip({"Streaming_History_Audio_1.json": content}), bytes_by_offset, magic
    )


def _make_damaged_zip(method: int) -> FileBreak:
    """Return a zip file whose member is compressed by another method, and damaged."""

    def apply_break(content: bytes, rng: Random) -> bytes:
        zip_content = io.BytesIO()
        with zipfile.ZipFile(zip_content, "w", method) as archive:
            archive.writestr("Streaming_History_Audio_1.json", content)
        return flip_bytes(zip_content.getvalue(), rng)

    return apply_break


ZIP_BREAKS: dict[str, FileBreak] = {
    "zip, locked": _make_zip_patch({8: b"\x01"}),
    "zip, wrong method": _make_zip_patch({10: b"\x63"}),
    "zip, wrong sum": _make_zip_patch({16: b"\0\0\0\0"}),
    "zip, wrong size": _make_zip_patch({24: b"\x10\0\0\0"}),
    "zip, wrong place": _make_zip_patch({42: b"\xff\xff\0\0"}),
    "zip, wrong name": _make_zip_patch({46: b"\xff\0/.."}),
    "zip, wrong count": _make_zip_patch({8: b"\xff\x7f\xff\x7f"}, b"PK\x05\x06"),
    "zip, wrong directory": _make_zip_patch({16: b"\xff\xff\xff\x7f"}, b"PK\x05\x06"),
    "zip, long directory": _make_zip_patch({12: b"\xff\xff\xff\x7f"}, b"PK\x05\x06"),
    "zip, bzip2 said": _make_zip_patch({10: b"\x0c"}),
    "zip, LZMA said": _make_zip_patch({10: b"\x0e"}),
    "zip, no name": _make_zip_patch({46: b"\0"}),
    "zip, bzip2 flipped": _make_damaged_zip(zipfile.ZIP_BZIP2),
    "zip, LZMA flipped": _make_damaged_zip(zipfile.ZIP_LZMA),
}
"""Zip files with a wrong structure, whatever their content."""
