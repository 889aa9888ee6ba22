"""Writes docs/api/openapi-*.json, the descriptions of the APIs, with a placeholder for the server's address."""

import json
from pathlib import Path

from airside.api.served import APIS, Api

ORIGIN = "https://airside.example"
FOLDER = Path(__file__).parents[1] / "docs" / "api"


def kept(api: Api) -> Path:
    """Where the document is kept."""
    return FOLDER / f"openapi-{api.wire.name}.json"


def render(api: Api) -> str:
    """The document as a text that changes only where the API does."""
    return json.dumps(api.describe(ORIGIN), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for one in APIS:
        kept(one).write_text(render(one))
        print(kept(one))
