//! What is handed out: one value, several forms.

pub mod html;
pub mod model;
pub mod radius;

pub use model::{Application, Checked, Report, Summary};
pub use radius::{Actor, BlastRadius, Move, Obtained, Outcome, Stopped, Theft};
