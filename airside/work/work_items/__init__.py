"""Work items and the records that belong to one."""
