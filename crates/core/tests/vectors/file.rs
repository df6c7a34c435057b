//! The files' shape, as far as it is used.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

/// Vectors with one key or key set.
#[derive(Deserialize)]
pub(crate) struct Group {
    #[serde(default)]
    pub(crate) comment: String,
    #[serde(default, deserialize_with = "document")]
    pub(crate) public: Option<Value>,
    #[serde(default, deserialize_with = "document")]
    pub(crate) private: Option<Value>,
    pub(crate) tests: Vec<Vector>,
}

/// One vector.
#[derive(Deserialize)]
pub(crate) struct Vector {
    #[serde(rename = "tcId")]
    pub(crate) id: u32,
    pub(crate) comment: String,
    pub(crate) result: String,
    pub(crate) jws: Option<Value>,
    pub(crate) jwe: Option<Value>,
}

/// Keys are JSON objects, or strings that hold them.
fn document<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Ok(Option::<Value>::deserialize(deserializer)?.map(|value| match value {
        Value::String(text) => serde_json::from_str(&text).unwrap(),
        other => other,
    }))
}

impl Group {
    /// What a verifier is given: the public part, or the secret where there is only that.
    pub(crate) fn key(&self) -> &Value {
        self.public.as_ref().or(self.private.as_ref()).unwrap()
    }
}

impl Vector {
    /// The token as it would come in a header; JSON serialisations as their text.
    pub(crate) fn token(&self) -> String {
        match self.jws.as_ref().or(self.jwe.as_ref()).unwrap() {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Whether a verifier of that algorithm must accept it. Two labels are wrong for us: 372 and 373 tolerate a stray `?`
    /// inside base64url, and one spelling of a token is enough (A06).
    pub(crate) fn is_valid(&self) -> bool {
        let stray = self.comment == "InvalidCharacterInsertedInHeader"
            || self.comment == "InvalidCharacterInsertedInPayload";
        match self.result.as_str() {
            "valid" => !stray,
            "invalid" => false,
            other => panic!("tcId {}: result {other}", self.id),
        }
    }
}

/// Reads a file, and checks that it is as long as it says and as long as we know it.
pub(crate) fn read(path: &Path, wanted: usize) -> Vec<Group> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: File =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let found: usize = file.test_groups.iter().map(|group| group.tests.len()).sum();
    assert_eq!((file.number_of_tests, found), (wanted, wanted), "{}", path.display());
    file.test_groups
}
