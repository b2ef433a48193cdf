"""The stack: the daemons that a hotline is made of, on one machine, started, watched and stopped as one thing.

    make run ─ setup ─ python -m cti.stack run ─ supervisord ─┬─ postgres     the truth, on a Unix socket only
                                                              ├─ mosquitto    the bus for other systems
                                                              ├─ asterisk     the voice
                                                              ├─ nginx        the one public HTTP door
                                                              ├─ bureau       the reference business system
                                                              ├─ texting      the reference SMS gateway
                                                              └─ controller   `rexian serve`, the brain

Everything that it writes lies in the state directory, so two copies run side by side with another `REXIAN_STATE_DIR`
and another `REXIAN_PORT_OFFSET`. `files` renders the configurations, `postgres` makes the cluster, `owner` leaves root
behind, `ports` says who holds a port, `supervisor` talks to supervisord, `commands` is run, up and down.

To add a daemon: a row in `programs.py`, a template beside the others when it needs a file, its Debian package in
scripts/packages/run.txt, and its image in docker/compose.yaml.
"""
