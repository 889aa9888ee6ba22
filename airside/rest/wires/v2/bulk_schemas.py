"""What OpenAPI says about the rows of batches, and about what became of each."""

from airside.rest.wire import Json

_SCHEMAS = "#/components/schemas/"
OUTCOME_SCHEMA: Json = {"anyOf": [{"$ref": f"{_SCHEMAS}BulkStored"}, {"$ref": f"{_SCHEMAS}BulkFailed"}]}


def row_schema(body: str, verb: str) -> Json:
    """A row of a batch: what the face's own POST takes, or its PATCH with the record's id."""
    if verb == "create":
        return {"$ref": f"{_SCHEMAS}{body}"}
    return {"allOf": [{"$ref": f"{_SCHEMAS}Patched{body}"}, {"$ref": f"{_SCHEMAS}BulkKey"}]}


BULK_SCHEMAS: Json = {
    "BulkKey": {
        "type": "object",
        "description": "Which record a row changes.",
        "properties": {"id": {"type": "string", "format": "uuid"}},
        "required": ["id"],
    },
    "BulkStored": {
        "type": "object",
        "description": "A row that was stored.",
        "properties": {
            "index": {"type": "integer", "description": "Its place in the request, from 0."},
            "result": {"enum": ["created", "updated", "deleted"]},
            "id": {"type": "string", "format": "uuid"},
        },
        "required": ["index", "result", "id"],
    },
    "BulkFailed": {
        "description": "A row that wasn't stored, and why.",
        "allOf": [
            {
                "type": "object",
                "properties": {
                    "index": {"type": "integer", "description": "Its place in the request, from 0."},
                    "result": {"enum": ["failed"]},
                    "id": {"type": "string", "description": "As it was sent, where the row names a record."},
                },
                "required": ["index", "result"],
            },
            {"$ref": f"{_SCHEMAS}Problem"},
        ],
    },
}
