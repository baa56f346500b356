//! Multipart forms: texts and one file.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use http::StatusCode;
use std::collections::HashMap;

use super::error::{ErrorResponse, Result};
use crate::model::error::{Error, ErrorKind};
use crate::service::functions::SourceUpload;

/// What a form held.
pub struct Form {
    texts: HashMap<String, String>,
    file: Option<SourceUpload>,
}

fn unreadable(error: &MultipartError) -> ErrorResponse {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ErrorResponse(Error::new(ErrorKind::PayloadTooLarge, "The upload is larger than this server takes. Leave out what the function does not need.").with_field("file"))
    } else {
        ErrorResponse(Error::validation(
            "body",
            "This is not a readable multipart form. Send multipart/form-data with the file in the field \"file\".",
        ))
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = ErrorResponse;
    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let refused = |_| {
            let message = "Send multipart/form-data with the file in the field \"file\".";
            Error::new(ErrorKind::UnsupportedMediaType, message)
        };
        Self::read(
            Multipart::from_request(request, state)
                .await
                .map_err(refused)?,
        )
        .await
    }
}

impl Form {
    async fn read(mut multipart: Multipart) -> Result<Self> {
        let mut form = Self {
            texts: HashMap::new(),
            file: None,
        };
        while let Some(field) = multipart
            .next_field()
            .await
            .map_err(|error| unreadable(&error))?
        {
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" {
                let file_name = field.file_name().unwrap_or_default().to_owned();
                form.file = Some(SourceUpload {
                    file_name,
                    content: field.bytes().await.map_err(|error| unreadable(&error))?,
                });
            } else {
                form.texts.insert(
                    name,
                    field.text().await.map_err(|error| unreadable(&error))?,
                );
            }
        }
        Ok(form)
    }

    /// An empty text counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts
            .get(name)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    pub fn file(self) -> Result<SourceUpload> {
        Ok(self.file.ok_or_else(|| {
            Error::validation(
                "file",
                "Send the source in the field \"file\": a .py file or a .zip archive.",
            )
        })?)
    }
}
