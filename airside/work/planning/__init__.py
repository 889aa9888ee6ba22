"""What plans a project's work items: estimates, milestones, epics."""
