"""What is particular to each venue: where its data is, and what its messages mean. Its name appears nowhere else."""
