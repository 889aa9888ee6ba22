"""Which host a site has: chosen once, at the first question."""

from airside.host.local import LocalHost
from airside.host.protocol import Host
from airside.host.upstream import UpstreamHost
from airside.runtime.site import Site


def host_of(site: Site) -> Host:
    """Where the site's workspaces live."""
    if site.host is None:
        object.__setattr__(site, "host", UpstreamHost() if site.settings.upstream_url else LocalHost())
    assert site.host is not None
    return site.host
