"""The developer portal: a workspace's own apps, and the tabs of one of them."""
