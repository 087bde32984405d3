-- Waits for other writers and keeps them out until the transaction ends; readers go on.
LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE
