"""What the launch scripts start beside a run: nodes of a cluster, who waits until it is there."""
