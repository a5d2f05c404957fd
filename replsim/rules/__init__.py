"""Pure rules: frozen models that are the rule.  No clock and no randomness lives here."""
