"""One store that several machines share: a working copy in each home folder, and what all of them read and write."""
