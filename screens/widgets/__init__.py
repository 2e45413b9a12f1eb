"""Widgets of one concern each: attributes down, messages up."""
