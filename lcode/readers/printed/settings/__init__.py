"""Settings that programs print before they train."""
