//! Whether two series of times differ, said with care: "cannot tell" is an answer.

use std::time::Duration;

/// Times of one kind of request.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

/// Two series side by side.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    /// Median of the first.
    pub first: Duration,
    /// Median of the second.
    pub second: Duration,
    /// The larger of the two ranges between the quartiles.
    pub noise: Duration,
    /// How many standard deviations the rank sum lies from what equal series would give (Mann and Whitney 1947).
    pub z: f64,
}

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// They differ.
    Clear,
    /// They do not differ by anything that an attacker could use.
    None,
    /// The noise hides whether they do.
    Unclear,
}

/// Four standard deviations: one in sixteen thousand honest servers would be wronged.
const CLEAR: f64 = 4.0;
/// A password hash takes longer than this, so a smaller difference is none.
const SMALLEST: Duration = Duration::from_millis(2);

impl Samples {
    /// Adds one.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn quantile(&self, part: usize, of: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at = (sorted.len().saturating_sub(1)) * part / of;
        sorted.get(at).copied().unwrap_or_default()
    }

    fn spread(&self) -> Duration {
        self.quantile(3, 4).saturating_sub(self.quantile(1, 4))
    }

    /// Sets two series side by side.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        Comparison {
            first: self.quantile(1, 2),
            second: other.quantile(1, 2),
            noise: self.spread().max(other.spread()),
            z: self.z(other),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "tens of samples")]
    fn z(&self, other: &Self) -> f64 {
        let (n, m) = (self.0.len() as f64, other.0.len() as f64);
        let wins: f64 = self
            .0
            .iter()
            .flat_map(|a| other.0.iter().map(move |b| a.cmp(b)))
            .map(|order| match order {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            })
            .sum();
        let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
        if deviation == 0.0 { 0.0 } else { (wins - n * m / 2.0) / deviation }
    }
}

impl Comparison {
    /// What it says.
    #[must_use]
    pub fn verdict(&self) -> Difference {
        let difference = self.first.abs_diff(self.second);
        let smaller = self.first.min(self.second);
        if self.z.abs() > CLEAR
            && difference > SMALLEST
            && difference > smaller / 5
            && difference > self.noise
        {
            return Difference::Clear;
        }
        if self.noise > SMALLEST * 5 && self.noise > smaller / 2
            || self.z.abs() > CLEAR && difference > SMALLEST
        {
            return Difference::Unclear;
        }
        Difference::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(millis: impl Iterator<Item = u64>) -> Samples {
        Samples(millis.map(Duration::from_millis).collect())
    }

    #[test]
    fn clear_none_and_unclear() {
        let quick = samples((0..40).map(|i| 3 + i % 2));
        let slow = samples((0..40).map(|i| 60 + i % 5));
        let slow_too = samples((0..40).map(|i| 60 + (i + 3) % 5));
        let wild = samples((0..40).map(|i| i * 37 % 200));
        assert_eq!(slow.compare(&quick).verdict(), Difference::Clear);
        assert_eq!(quick.compare(&slow).verdict(), Difference::Clear);
        assert_eq!(slow.compare(&slow_too).verdict(), Difference::None);
        assert_eq!(slow.compare(&wild).verdict(), Difference::Unclear);
        assert_eq!(Samples::default().compare(&Samples::default()).verdict(), Difference::None);
    }
}
