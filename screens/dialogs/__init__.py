"""Questions to the person. The safe answer has the focus, and no key counts before the dialog has settled."""
