"""What hangs on dead letters: keys that wait, jobs that failed."""
