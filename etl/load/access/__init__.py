"""Access to the warehouse.

grants            privileges of the group roles
logins            add, list and remove logins, reset passwords, end sessions
login_checks      checks of a new login
login_records     logins as pg_roles and audit.login record them
login_removal     removal of a login, whatever it is doing
admin_connection  connections that create and drop roles
"""
