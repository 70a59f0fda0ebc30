"""Access to the warehouse: grants of roles, logins and login_removal."""
