//! What a leaked token is worth. Pure: bytes and the present in, an explanation out.

pub mod explain;
