"""What record files hold in place of the images' files: smaller images, or pixels."""
