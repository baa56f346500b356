//! The server with its records in DynamoDB, as far as it differs: the table, its commands, and what the first system left in it.

mod commands;
mod first_system;
