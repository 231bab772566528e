"""What epochs of the whole folder take, from those of the images that were measured: pure."""
