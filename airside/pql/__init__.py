"""Plane's query language: parses text to an expression, independent of databases and records.

Other packages evaluate it: `work` compiles it to SQL, `webhooks` evaluates it on an event's data.
"""
