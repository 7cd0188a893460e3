"""New forms of read models beside those that are served: filled, kept close behind, switched to, dropped."""
