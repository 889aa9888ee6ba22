"""Who looks at what right now, and telling them that it has changed: pages that move without reloading."""
