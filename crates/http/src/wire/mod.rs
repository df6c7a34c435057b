//! What crosses the wire, parsed at the border and written at the border: cookies, headers, problems, bodies.

pub(crate) mod body;
pub(crate) mod cookie;
pub(crate) mod field;
pub(crate) mod headers;
pub(crate) mod problem;
pub(crate) mod request;
pub(crate) mod words;
