"""Live updates: which topics pages watch now, and notifying them of changes, so that pages update by themselves."""
