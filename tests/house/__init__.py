"""What tests stand on, itself tested."""
