"""What only a developer's machine runs: nothing here is imported by a build or by production."""
