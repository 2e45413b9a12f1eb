"""From state to lines: pure functions that say what the panes show, without a widget among them."""
