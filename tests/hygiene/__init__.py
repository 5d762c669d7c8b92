"""What the code itself must look like."""
