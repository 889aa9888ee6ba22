"""Which host a site has: chosen once, at the first question."""

from airside.host.local import LocalHost
from airside.host.protocol import Host
from airside.runtime.site import Site


def host_of(site: Site) -> Host:
    """Where the site's workspaces live."""
    if site.host is None:
        object.__setattr__(site, "host", LocalHost())
    assert site.host is not None
    return site.host
