"""A team on `aide serve --ray`: people who type while a replica is killed, or while all are replaced."""
