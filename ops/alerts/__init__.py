"""What is worth waking somebody for: rules for Prometheus, each with a runbook."""
