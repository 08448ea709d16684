//! The middle of a set of measurements, and how far they lie apart.

use std::fmt;

use serde::Serialize;

/// A set of measurements in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Half of them are smaller.
    pub median: f64,
    /// A quarter of them is smaller.
    pub first_quartile: f64,
    /// A quarter of them is larger.
    pub third_quartile: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of at least one measurement.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Some(Spread {
            median: quantile(&sorted, 2)?,
            first_quartile: quantile(&sorted, 1)?,
            third_quartile: quantile(&sorted, 3)?,
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

/// So many quarters of the sorted values are smaller; between two of them where it falls there.
fn quantile(sorted: &[f64], quarters: usize) -> Option<f64> {
    let place = sorted.len().checked_sub(1)? * quarters;
    let (below, rest) = (place / 4, place % 4);
    let low = *sorted.get(below)?;
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    let share = [0.0, 0.25, 0.5, 0.75].get(rest).copied().unwrap_or_default();
    Some(low + (high - low) * share)
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>7.0} ms   quartiles {:.0} to {:.0} ms   all {:.0} to {:.0} ms",
            self.median, self.first_quartile, self.third_quartile, self.min, self.max
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_between_two_where_there_is_no_one_in_the_middle() {
        let spread = Spread::of([40.0, 10.0, 30.0, 20.0]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (25.0, 10.0, 40.0));
        assert_eq!((spread.first_quartile, spread.third_quartile), (17.5, 32.5));
    }

    #[test]
    fn one_measurement_has_no_spread_and_none_is_nothing() {
        let one = Spread::of([7.0]).unwrap();
        assert_eq!((one.first_quartile, one.median, one.third_quartile), (7.0, 7.0, 7.0));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn one_that_is_far_off_does_not_move_the_median() {
        assert_eq!(Spread::of([1.0, 2.0, 3.0, 4.0, 1000.0]).unwrap().median, 3.0);
    }
}
