"""What a GPU gives beside the CPU: measured, not tested."""
