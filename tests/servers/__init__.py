"""Real servers for the tests: Redis and PostgreSQL from wheels, MariaDB, and the service itself."""
