"""Each family of API v1, driven through plane-sdk: what a sentence promises, with its effect and its event."""
