"""The API's endpoints, after the provider's own description of them."""
