"""Run the gateway: commands, options, sockets, one process or several."""
