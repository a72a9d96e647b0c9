"""Downloads: jobs that bring a model into the library, or a data set's tables to the uploads."""
