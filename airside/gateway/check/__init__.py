"""`airside upstream check`: what a Community Edition and the proxy in front have to be like, and what to change."""
