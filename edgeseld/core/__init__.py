"""Types, frame arithmetic and errors that every other room may use; imports nothing from the rest of edgeseld."""
