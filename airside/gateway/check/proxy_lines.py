"""The lines that a proxy in front needs, before those of the Community Edition."""

CADDY = """\
@airside path {pages}/* /auth/o/* /api/v1/* /api/v2/* /.well-known/oauth-*
handle @airside {{
    reverse_proxy {address}
}}
"""
NGINX = r"""location ~ ^(?:{pages}|/auth/o|/api/v1|/api/v2)/|^/\.well-known/oauth- {{
    proxy_pass http://{address};
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_request_buffering off;
}}
"""


def proxy_lines(pages_prefix: str, address: str) -> dict[str, str]:
    """By the proxy's name. `address`: host and port at which the proxy reaches Airside."""
    pages = pages_prefix or "/airside"
    return {
        "Caddy": CADDY.format(pages=pages, address=address),
        "nginx": NGINX.format(pages=pages, address=address),
    }
