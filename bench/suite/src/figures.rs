//! The middle of a set of measurements, and how far they lie apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A set of measurements of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Half of them are smaller.
    pub median: f64,
    /// A tenth of them is smaller.
    pub p10: f64,
    /// A tenth of them is larger.
    pub p90: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How many there are.
    pub n: usize,
}

impl Figures {
    /// Of at least one measurement.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Figures> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Figures {
            median: quantile(&sorted, 50)?,
            p10: quantile(&sorted, 10)?,
            p90: quantile(&sorted, 90)?,
            min: *sorted.first()?,
            max: *sorted.last()?,
            n: sorted.len(),
        })
    }
}

/// So many of a hundred sorted values are smaller; between two of them where it falls there.
fn quantile(sorted: &[f64], percent: usize) -> Option<f64> {
    let place = sorted.len().checked_sub(1)? * percent;
    let (below, rest) = (place / 100, place % 100);
    let low = *sorted.get(below)?;
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    #[allow(clippy::cast_precision_loss, reason = "it is below 100")]
    let share = rest as f64 / 100.0;
    Some(low + (high - low) * share)
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { median, p10, p90, n, .. } = self;
        let digits = f.precision().unwrap_or(if *median < 10.0 { 2 } else { 0 });
        write!(f, "{median:.digits$} ({p10:.digits$} to {p90:.digits$}, n {n})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_between_two_where_there_is_no_one_in_the_middle() {
        let it = Figures::of(&[40.0, 10.0, 30.0, 20.0]).unwrap();
        assert_eq!((it.median, it.min, it.max, it.n), (25.0, 10.0, 40.0, 4));
        assert!((it.p10 - 13.0).abs() < 1e-9 && (it.p90 - 37.0).abs() < 1e-9, "{it:?}");
    }

    #[test]
    fn one_measurement_has_no_spread_and_none_is_nothing() {
        let one = Figures::of(&[7.0]).unwrap();
        assert_eq!((one.p10, one.median, one.p90), (7.0, 7.0, 7.0));
        assert_eq!(Figures::of(&[]), None);
    }

    #[test]
    fn small_ones_are_told_with_their_fractions() {
        assert_eq!(Figures::of(&[0.25]).unwrap().to_string(), "0.25 (0.25 to 0.25, n 1)");
        assert_eq!(Figures::of(&[625.0]).unwrap().to_string(), "625 (625 to 625, n 1)");
    }
}
