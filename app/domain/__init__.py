"""What the journey is about, as pure values and rules. It imports the standard library only and never does I/O."""
