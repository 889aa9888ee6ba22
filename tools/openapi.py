"""Writes docs/api/openapi-v1.json, the description of the API, with a placeholder for the address of the server."""

import json
from pathlib import Path
from typing import Any

from airside.api.v1 import describe_v1

ORIGIN = "https://airside.example"
KEPT = Path(__file__).parents[1] / "docs" / "api" / "openapi-v1.json"


def render() -> str:
    """The document as a text that changes only where the API does."""
    document: dict[str, Any] = describe_v1(ORIGIN)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(render())
    print(KEPT)
