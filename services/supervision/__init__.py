"""The verbs that start, stop and watch the processes of the mesh; supervisord does the work."""
