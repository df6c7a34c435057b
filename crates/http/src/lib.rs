//! Countersign.

pub mod pages;
