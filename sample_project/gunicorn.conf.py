"""How gunicorn serves, for every deploy alike; $PORT and $WEB_CONCURRENCY it reads by itself."""

# The manifest is read once, before the workers are forked; without one nothing starts.
preload_app = True
# Logs are a stream.
accesslog = "-"
# Its heartbeat lives in memory, and nothing else is written.
worker_tmp_dir = "/dev/shm"
control_socket_disable = True
