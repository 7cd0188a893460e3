"""What callers show: access tokens, refresh tokens, issued keys, and what of them was denied."""
