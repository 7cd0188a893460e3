"""The read model of assets with their variants: the gallery and the details."""
