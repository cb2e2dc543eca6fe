"""What one printed line tells, in whatever form: counters, names, numbers, and of which task or data they are."""
