"""Plane's query language: text to a small expression, which knows no database and no record.

Below the rooms that evaluate it: `work` compiles it to SQL, `webhooks` asks it of the data of an event.
"""
