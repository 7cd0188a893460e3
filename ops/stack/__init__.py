"""The embedded stack: its servers, its programs and the supervisor that keeps them alive."""
