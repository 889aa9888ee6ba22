"""What work items are planned in: estimates, cycles, modules, milestones, epics, and their progress."""
