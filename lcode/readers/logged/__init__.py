"""What readers of other tools' files share: rows as they were logged, lines, cells, settings, and damaged runs."""
