
/// A new execution's id and its time, which the id holds to the millisecond: an execution is found by its id alone.
pub fn execution() -> (ExecutionId, Timestamp) {
    let id = execution_id();
    let at = execution_time(&id).unwrap_or_else(Timestamp::now);
    (id, at)
}

/// The time in an execution's id, when it is one of ours.
pub fn execution_time(id: &ExecutionId) -> Option<Timestamp> {
    let (seconds, nanos) = Uuid::parse_str(id.as_str()).ok()?.get_timestamp()?.to_unix();
    Some(Timestamp::from_micros(i64::try_from(seconds).ok()? * 1_000_000 + i64::from(nanos / 1_000_000) * 1_000))
}
