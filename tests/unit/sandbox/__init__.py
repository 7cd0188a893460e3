"""The sandbox: real children, really killed."""
