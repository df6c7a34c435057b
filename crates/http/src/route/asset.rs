//! Style sheet, script and icon of our pages.

use std::sync::Arc;

use countersign_core::port::Outside;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::Reply;
use super::call::Call;
use crate::pages::{ASSET_CACHE_CONTROL, asset as find};
use crate::site::Site;
use crate::wire::body::{Answer, AnswerBody};
use crate::wire::problem::{Code, Problem};

pub(super) async fn asset<O: Outside>(_site: Arc<Site<O>>, call: Call) -> Reply {
    // The exact path only (J05): no suffix and no other spelling is an asset.
    let Some(asset) = find(call.parts.uri.path()) else {
        return Err(Problem::new(Code::NotFound, "There is no such file."));
    };
    let mut answer = Answer::new(AnswerBody::from(asset.bytes));
    let out = answer.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    out.insert(CACHE_CONTROL, HeaderValue::from_static(ASSET_CACHE_CONTROL));
    Ok(answer)
}
