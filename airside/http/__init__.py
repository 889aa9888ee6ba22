"""The edge: the sockets, what HTTP itself demands of a request, and how long a client may take."""
