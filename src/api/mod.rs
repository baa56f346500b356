//! Server functions: what the console asks the server, typed on both sides. Each body finds the services and the actor, calls one service, and maps.

pub mod builds;
pub mod functions;
pub mod observe;
pub mod replays;
pub mod versions;
pub mod workspaces;
