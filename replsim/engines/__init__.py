"""The engines: each turns a scenario and a seed into a `Record`."""
