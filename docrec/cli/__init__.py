"""The command line: click commands, what the terminal shows, and the one place that prints and exits."""
