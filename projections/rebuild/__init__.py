"""Rebuilding read models beside the live ones: copies, how they are filled, compared and switched."""
