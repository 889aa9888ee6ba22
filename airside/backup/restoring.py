"""The mark of a restore in progress, which every command looks for; separate, so that this costs no imports."""

from pathlib import Path

FOLDER = "restoring"


def is_restoring(data: Path) -> bool:
    """Whether a restore into this data folder hasn't finished."""
    return (data / FOLDER).exists()
