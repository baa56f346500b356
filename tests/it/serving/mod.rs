//! What whoever runs the server has of it: figures, lines in the log, traces.

mod leaving;
mod lines;
mod metrics;
mod traces;
