//! Why a base or an image is not worked with.

/// The text is for whoever runs the server: what was found that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

impl Refused {
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

pub(super) type Result<T, E = Refused> = std::result::Result<T, E>;

pub(super) fn refuse<T>(why: impl Into<String>) -> Result<T> {
    Err(Refused::new(why))
}

impl From<std::convert::Infallible> for Refused {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<wasmparser::Error> for Refused {
    fn from(error: wasmparser::Error) -> Self {
        Self(error.to_string())
    }
}

/// The entry, or a refusal that names what was missing.
pub(super) fn at<'t, T>(items: &'t [T], index: u32, what: &str) -> Result<&'t T> {
    items
        .get(index as usize)
        .ok_or_else(|| Refused::new(format!("there is no {what} {index}")))
}
