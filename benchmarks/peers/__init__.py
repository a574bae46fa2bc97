"""The usual edge pipelines, rebuilt from their papers and public descriptions, to stand beside ours in one run."""
