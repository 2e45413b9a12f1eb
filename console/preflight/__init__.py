"""Go or no-go: findings, a file a family. Reads only."""
