"""Which types of files may be uploaded. What a system would run as a program may not.

Every file is sent as an attachment, so that no browser shows one as a page of this origin.
"""

import mimetypes
import re

from airside.errors import Refused

UNKNOWN = "application/octet-stream"  # of a name that says nothing
PROGRAM = "application/x-msdownload"
FAMILIES = frozenset({"audio", "font", "image", "model", "text", "video"})
APPLICATIONS = frozenset({
    UNKNOWN, "application/epub+zip", "application/graphql", "application/gzip", "application/javascript",
    "application/json",
    "application/ld+json", "application/msword", "application/pdf", "application/postscript", "application/rtf",
    "application/sql", "application/toml", "application/vnd.rar", "application/x-7z-compressed",
    "application/x-bzip2", "application/x-compressed", "application/x-gzip", "application/x-ipynb+json",
    "application/x-ndjson", "application/x-rar", "application/x-rar-compressed", "application/x-sql",
    "application/x-tar", "application/x-tgz", "application/x-xz", "application/x-yaml", "application/x-zip",
    "application/x-zip-compressed", "application/xml", "application/yaml", "application/zip", "application/zstd",
})  # fmt: skip
# Formats of office suites, drawings and data, each with many types.
PREFIXES = (
    "application/vnd.ms-excel", "application/vnd.ms-outlook", "application/vnd.ms-powerpoint",
    "application/vnd.ms-word", "application/vnd.oasis.opendocument.",
    "application/vnd.openxmlformats-officedocument.", "application/vnd.visio", "application/vnd.apple.",
)  # fmt: skip
PROGRAMS = frozenset({"text/x-msdos-batch", "text/x-sh", "text/x-shellscript"})

_is_type = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}").fullmatch


class FileRefused(Refused):
    """An upload that a rule forbids."""

    code = "upload_refused"


def check_type(declared: str | None, name: str) -> str:
    """The type of a file, guessed from its name where it isn't declared. Raises FileRefused."""
    guessed = guess_type(name)
    found = (declared or "").partition(";")[0].strip().lower() or guessed
    if found == UNKNOWN and guessed == PROGRAM:
        found = PROGRAM
    family = found.partition("/")[0]
    is_known = family in FAMILIES or found in APPLICATIONS or found.startswith(PREFIXES)
    if _is_type(found) is None or not is_known or found in PROGRAMS:
        raise FileRefused("Invalid file type.")
    return found


def guess_type(name: str) -> str:
    """By the name's ending, alike on every machine: the system's own list is not asked."""
    found, encoding = _ENDINGS.guess_type(name.lower().replace(":", "_"))
    return UNKNOWN if found is None or encoding is not None else found


def _list_endings() -> mimetypes.MimeTypes:
    known = mimetypes.MimeTypes()
    for ending, type_ in _OTHERS.items():
        known.add_type(type_, ending)
    return known


_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
# What Python's own list lacks, and programs, which it calls data.
_OTHERS = {
    ".7z": "application/x-7z-compressed",
    ".docx": f"{_OFFICE}wordprocessingml.document",
    ".md": "text/markdown",
    ".odp": f"{_OPEN}presentation",
    ".ods": f"{_OPEN}spreadsheet",
    ".odt": f"{_OPEN}text",
    ".pptx": f"{_OFFICE}presentationml.presentation",
    ".rar": "application/vnd.rar",
    ".webp": "image/webp",
    ".xlsx": f"{_OFFICE}spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    **dict.fromkeys(
        (".apk", ".bat", ".cmd", ".com", ".cpl", ".dll", ".exe", ".jar", ".msi", ".ps1", ".scr", ".sh", ".vbs"),
        PROGRAM,
    ),
}  # fmt: skip
_ENDINGS = _list_endings()
