"""What a wheel has to be: self-contained, and open about what is inside. tools/build_wheels.py puts it together."""
