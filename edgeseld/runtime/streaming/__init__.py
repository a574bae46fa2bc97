"""Sound as it comes: blocks of any size in, events as they open and close out."""
