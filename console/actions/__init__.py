"""The code behind the steps, a file a family. Speaks to the outside world only through ports."""
