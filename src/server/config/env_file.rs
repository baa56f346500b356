//! The `.env` file of the folder that a server is started in.

use dotenvy::Error;

const FILE: &str = ".env";

/// Sets the variables of `./.env` that are not set yet. A missing file is the usual case; those of the folders above are somebody else's.
///
/// # Errors
/// One line, without anything of a line that cannot be read: that may be a secret.
pub(super) fn load() -> Result<(), String> {
    match dotenvy::from_path(FILE) {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(Error::LineParse(..)) => Err(format!(
            "{FILE} has a line that cannot be read, {}. Write NAME=value, and quote a value with spaces.",
            place()
        )),
        Err(Error::Io(cause)) => Err(format!("{FILE} cannot be read: {cause}.")),
        Err(_) => Err(format!("{FILE} cannot be read.")),
    }
}

/// Where the line is, by the name of the variable before it.
fn place() -> String {
    let lines = dotenvy::from_path_iter(FILE).into_iter().flatten();
    match lines.map_while(Result::ok).last() {
        Some((name, _)) => format!("after that of {name}"),
        None => "the first one".to_owned(),
    }
}
