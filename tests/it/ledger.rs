//! The ledger, shared by threads and processes that die.
