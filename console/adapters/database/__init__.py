"""PostgreSQL behind the `Database` port; `connecting` serves whoever only watches a shared record as well."""
