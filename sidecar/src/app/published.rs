//! An app's status as every reader gets it.

use std::ops::Deref;
use std::sync::OnceLock;

use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use vial_protocol::AppStatus;

/// A status, published. It becomes JSON once, however many ask: between two changes of a host with a
/// hundred apps every command and every NIF is told the same text.
#[derive(Debug)]
pub struct Published {
    status: AppStatus,
    json: OnceLock<Box<RawValue>>,
}

impl Serialize for Published {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(json) = self.json.get() {
            return json.serialize(serializer);
        }
        let json = to_raw_value(&self.status).map_err(S::Error::custom)?;
        self.json.get_or_init(|| json).serialize(serializer)
    }
}

impl From<AppStatus> for Published {
    fn from(status: AppStatus) -> Published {
        Published { status, json: OnceLock::new() }
    }
}

impl Deref for Published {
    type Target = AppStatus;

    fn deref(&self) -> &AppStatus {
        &self.status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_as_it_is_the_first_time_and_later() {
        let plain = r#"{"name":"shop","revision":3,"desired":"running","active":"blue","serving":null,
            "serving_since":null,"slots":[],"deployment":null,"queued":null,"last":null,
            "rollback":{"target":null,"refusal":null},"route":null,"warnings":[]}"#;
        let status: AppStatus = serde_json::from_str(plain).unwrap();
        let plain = serde_json::to_string(&status).unwrap();
        let told = Published::from(status);
        for _ in 0..2 {
            assert_eq!(serde_json::to_string(&told).unwrap(), plain);
            assert_eq!(serde_json::to_string(&[&told]).unwrap(), format!("[{plain}]"));
        }
        assert_eq!(told.revision, 3);
    }
}
