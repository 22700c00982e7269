"""The database's shape, step by step. Steps are frozen: they never import the tables of today."""
