//! What a hash costs (F04).

use argon2::Params as Raw;

/// Argon2id parameters, never below the floor of the OWASP Password Storage Cheat Sheet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Params {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

/// Parameters that must not or cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Cheaper to attack than the floor (F04).
    #[error(
        "Argon2id with m={memory_kib} KiB, t={iterations}, p={lanes} is below the floor of m=19456 KiB, t=2, p=1"
    )]
    BelowFloor {
        /// m, in KiB.
        memory_kib: u32,
        /// t
        iterations: u32,
        /// p
        lanes: u32,
    },
    /// One login would take the machine down.
    #[error("Argon2id with m={memory_kib} KiB, t={iterations}, p={lanes} is above m=1048576 KiB, t=64, p=16")]
    AboveCeiling {
        /// m, in KiB.
        memory_kib: u32,
        /// t
        iterations: u32,
        /// p
        lanes: u32,
    },
}

impl Params {
    /// m=19456 KiB, t=2, p=1.
    pub const FLOOR: Self = Self { memory_kib: 19_456, iterations: 2, lanes: 1 };
    const CEILING: Self = Self { memory_kib: 1_048_576, iterations: 64, lanes: 16 };

    /// Checks parameters for new hashes.
    ///
    /// # Errors
    /// [`ParamsError`].
    pub const fn new(memory_kib: u32, iterations: u32, lanes: u32) -> Result<Self, ParamsError> {
        let it = Self { memory_kib, iterations, lanes };
        if it.is_below(Self::FLOOR) || lanes == 0 {
            return Err(ParamsError::BelowFloor { memory_kib, iterations, lanes });
        }
        if !it.is_affordable() {
            return Err(ParamsError::AboveCeiling { memory_kib, iterations, lanes });
        }
        Ok(it)
    }

    /// m, in KiB: the memory that one worker holds while it hashes.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// t
    #[must_use]
    pub const fn iterations(self) -> u32 {
        self.iterations
    }

    /// p
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// Read from a stored hash, which may be older than today's floor.
    pub(super) fn stored(raw: &Raw) -> Self {
        Self { memory_kib: raw.m_cost(), iterations: raw.t_cost(), lanes: raw.p_cost() }
    }

    /// Whether a hash made with these is cheaper to attack than one made with `other`. Lanes make none cheaper.
    pub(super) const fn is_below(self, other: Self) -> bool {
        self.memory_kib < other.memory_kib || self.iterations < other.iterations
    }

    /// Whether computing it cannot take the machine down.
    pub(super) const fn is_affordable(self) -> bool {
        self.memory_kib <= Self::CEILING.memory_kib
            && self.iterations <= Self::CEILING.iterations
            && self.lanes <= Self::CEILING.lanes
    }
}

impl Default for Params {
    fn default() -> Self {
        Self::FLOOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F04: weaker parameters cannot even be configured.
    #[test]
    fn f04_floor() {
        assert!(Params::new(19_456, 2, 1).is_ok());
        assert!(Params::new(65_536, 3, 4).is_ok());
        for (m, t, p) in [(19_455, 2, 1), (19_456, 1, 1), (1_000_000, 1, 1), (19_456, 2, 0)] {
            assert!(matches!(Params::new(m, t, p), Err(ParamsError::BelowFloor { .. })), "{m} {t} {p}");
        }
        for (m, t, p) in [(2_000_000, 2, 1), (19_456, 65, 1), (19_456, 2, 17)] {
            assert!(matches!(Params::new(m, t, p), Err(ParamsError::AboveCeiling { .. })), "{m} {t} {p}");
        }
    }
}
