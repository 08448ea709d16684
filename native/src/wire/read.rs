//! An answer, read whole.

use std::path::Path;

use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Response, StatusCode};
use serde::Deserialize;
use vial_protocol::Problem;

use super::connect::{bad_answer, translate};
use crate::failure::Failure;

/// More than any answer that is read whole.
const LARGEST: usize = 64 << 20;

/// Reads an answer; one that is not a success becomes the daemon's refusal.
pub(super) async fn read(socket: &Path, response: Response<Incoming>) -> Result<Bytes, Failure> {
    let status = response.status();
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    let bytes = body.map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => translate(socket, &error),
        Err(_) => bad_answer(socket, &format!("it is longer than {LARGEST} bytes")),
    });
    let bytes = bytes?.to_bytes();
    if status.is_success() { Ok(bytes) } else { Err(refusal(socket, status, &bytes)) }
}

/// A refusal of which only the text can be read.
#[derive(Deserialize)]
struct Unknown {
    code: String,
    message: String,
}

fn refusal(socket: &Path, status: StatusCode, bytes: &[u8]) -> Failure {
    if let Ok(problem) = serde_json::from_slice::<Problem>(bytes) {
        return Failure::Refused(Box::new(problem));
    }
    match serde_json::from_slice::<Unknown>(bytes) {
        Ok(Unknown { code, message }) => {
            bad_answer(socket, &format!("it refused for a new reason, {code:?}: {message:?}"))
        }
        Err(_) => bad_answer(socket, &format!("status {status} without a reason")),
    }
}
