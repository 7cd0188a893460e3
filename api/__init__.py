"""THE DOORS: commands append events, queries read the read models, streams tell what happens."""
