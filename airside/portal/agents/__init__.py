"""The pages of agents: their runs in a work item's thread, one run, all runs of an agent."""
