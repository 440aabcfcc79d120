"""What a training run needs before it starts: memory on the device, and settings for more worlds."""
