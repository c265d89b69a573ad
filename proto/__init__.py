"""What is said: the messages of the mesh, their envelopes, topics and codec. Imports nothing of ours."""
