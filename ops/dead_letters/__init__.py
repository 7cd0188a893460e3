"""Dead letters from a shell: found, shown, redriven, discarded; and workers told to go on."""
