"""What people do instead: ways to a good multi-task network, at equal compute."""
