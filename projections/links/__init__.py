"""The read model of shared links: whom an asset was shown to, and until when."""
