"""Requests that schemathesis derives from the OpenAPI documents, sent to an API that has a record of every kind."""
