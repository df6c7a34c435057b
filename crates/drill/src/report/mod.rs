//! What is handed out: one value, several forms.

pub mod html;
mod junit;
pub mod model;
pub mod radius;
mod sarif;
pub mod text;

pub use junit::junit;
pub use sarif::sarif;

pub use model::{Application, Checked, Report, Summary};
pub use radius::{Actor, BlastRadius, Move, Obtained, Outcome, Stopped, Theft};
