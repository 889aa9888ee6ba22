"""The HTTP server: sockets, HTTP conformance, timeouts and limits, response headers, error responses, health."""
