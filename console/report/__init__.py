"""The record for people: the plan filled in, the timeline."""
