"""Where the files of pictures are stored: in the database, in a directory, or in an S3 bucket."""
