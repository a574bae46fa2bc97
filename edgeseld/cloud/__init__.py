"""The cloud side: a server for bundles and teachers, its client, and the policy that decides when to ask it."""
