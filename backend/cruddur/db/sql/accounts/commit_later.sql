-- The commit does not wait for the disk, so that it takes as long whether or not there was
-- something to write.
SET LOCAL synchronous_commit = off
