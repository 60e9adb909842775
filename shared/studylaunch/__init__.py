"""What the launch scripts start beside a run: who waits for the cluster."""
