"""What is particular to each venue: how it is asked, what its answers mean, and which of them prove a refusal."""
