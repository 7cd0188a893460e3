"""What the container image needs beside the programs: its recipe, its packages, its health probe."""
