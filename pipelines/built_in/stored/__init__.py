"""What is stored of images in advance: their files, smaller images, or pixels."""
