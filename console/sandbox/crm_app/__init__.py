"""The CRM that is really deployed in a rehearsal: its SQL comes from the checkout that it is started on."""
