"""A small study whose engines do what files tell them: write a record, fail, hang, be killed."""
