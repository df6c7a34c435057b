//! The published matrix of claims (docs/vectors), run against our own verifier with keys made for the test.

use countersign_core::domain::signing_key::Algorithm;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::maker::{Maker, NOW, access_claims};

const FILE: &str = include_str!("../../../../docs/vectors/access-token-claims.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "about")]
    _about: String,
    header: Value,
    profile: Value,
    claims: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: u32,
    claim: String,
    comment: String,
    result: String,
    #[serde(default)]
    delete: bool,
    json: Option<String>,
    duplicate: Option<String>,
    code: Option<String>,
    reason: Option<String>,
}

impl Case {
    /// The claims as text: some values of the matrix are no JSON, or would not survive a parser.
    fn payload(&self, base: &Map<String, Value>) -> String {
        let mut members: Vec<(&str, String)> =
            base.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
        if self.delete || self.json.is_some() {
            members.retain(|(name, _)| *name != self.claim);
        }
        members
            .extend(self.json.iter().chain(&self.duplicate).map(|text| (self.claim.as_str(), text.clone())));
        let members: Vec<String> = members.iter().map(|(name, text)| format!("\"{name}\":{text}")).collect();
        format!("{{{}}}", members.join(","))
    }

    /// What our listed codes make of a reason (design §7).
    fn code_of(reason: &str) -> &'static str {
        match reason {
            "token_expired" => "token_expired",
            "token_audience" => "wrong_audience",
            "token_environment" => "wrong_environment",
            "token_purpose" => "wrong_purpose",
            _ => "token_invalid",
        }
    }
}

/// A10, A11, A12, A13, A15, A16, E04: every claim missing, of every wrong type, out of range and there twice. A22: the
/// claims of CVE-2026-25537 (a wrong type that counted as "absent") are among them: `nbf` as a string.
#[test]
fn a10_a22_every_claim_of_every_type() {
    let file: File = serde_json::from_str(FILE).unwrap();
    assert_eq!(file.profile["now"], NOW);
    assert_eq!(
        Value::Object(file.claims.clone()),
        crate::maker::with(access_claims(), "aud", serde_json::json!(["app"]))
    );
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let maker = Maker::new(algorithm);
        let header = maker.header(file.header["typ"].as_str().unwrap()).to_string();
        drop(maker.access(&maker.raw(&header, &Value::Object(file.claims.clone()).to_string())).unwrap());
        for case in &file.cases {
            let token = maker.raw(&header, &case.payload(&file.claims));
            let found =
                maker.access(&token).map(|_statement| ()).map_err(|refusal| refusal.reason().into_owned());
            let wanted = match case.result.as_str() {
                "valid" => Ok(()),
                "invalid" => Err(case.reason.clone().unwrap()),
                other => panic!("case {}: result {other}", case.id),
            };
            assert_eq!(found, wanted, "case {}: {}: {}", case.id, case.claim, case.comment);
            assert_eq!(case.code.as_deref(), case.reason.as_deref().map(Case::code_of), "case {}", case.id);
        }
    }
}

/// A10: no claim that an access token must have is left out of the matrix.
#[test]
fn a10_the_matrix_is_whole() {
    let file: File = serde_json::from_str(FILE).unwrap();
    for name in access_claims().as_object().unwrap().keys() {
        let cases: Vec<&Case> = file.cases.iter().filter(|c| c.claim == *name).collect();
        assert!(cases.iter().any(|c| c.delete && c.result == "invalid"), "{name} missing");
        for text in ["null", "true", "{}", "1e400"] {
            let refused = |c: &&Case| c.json.as_deref() == Some(text) && c.result == "invalid";
            assert!(cases.iter().any(refused), "{name} = {text}");
        }
        assert!(cases.iter().any(|c| c.duplicate.is_some()), "{name} twice");
    }
    assert!(
        file.cases
            .iter()
            .any(|c| c.claim == "nbf" && c.json.as_deref().is_some_and(|j| j.starts_with("\"1")))
    );
    let ids: Vec<u32> = file.cases.iter().map(|c| c.id).collect();
    assert_eq!(ids, (1..=u32::try_from(ids.len()).unwrap()).collect::<Vec<_>>());
}
