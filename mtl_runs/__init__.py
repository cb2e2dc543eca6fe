"""Train multi-task networks and log every epoch: problems, networks, balancers, sweeps. No network knows a balancer."""
