"""The pure core: plan, events, state, intents, timeline. No I/O, no clock, no logging in here."""
