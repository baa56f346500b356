//! Sources that are really built, deployed and called.

mod cost;
mod deploy_on_save;
mod differential;
mod documents;
mod draft;
mod journey;
mod leaving;
mod replay;
mod replicas;
mod s3;
mod snapshot;
mod spin_apps;
mod stopping;
mod traced;
mod whole_answers;
