"""The loops of the stage engine, compiled: one file an actor, pure functions of state, inputs and draws."""
