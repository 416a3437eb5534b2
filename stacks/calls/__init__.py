"""The AWS calls of the tasks, as data, and the permissions and network endpoints that follow from them."""
