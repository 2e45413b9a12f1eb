"""The rehearsal's world: real servers, a real repository, a real application, on loopback."""
