"""Types of work items, their custom properties, and the values that work items have of them."""
