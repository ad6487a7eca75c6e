//! Successive halving: all trials train for a few epochs, and only the best 1/η of each rung continue, η times as long.

/// The number of trials in a rung, and the share of their epochs that they are then trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rung {
    pub(super) trials: usize,
    pub(super) share: f64,
}

/// Returns the rungs for `trials` trials of `epochs` epochs.
///
/// The last rung trains to the end. Each rung before it has η times as many trials and 1/η of the epochs, but at
/// least `least` epochs. Without a factor there is one rung for all.
pub(super) fn rungs(trials: usize, epochs: usize, factor: Option<usize>, least: usize) -> Vec<Rung> {
    let Some(factor) = factor.filter(|factor| *factor > 1) else { return vec![Rung { trials, share: 1.0 }] };
    let mut halvings = 0;
    let mut power = factor;
    while power <= trials && power.saturating_mul(least.max(1)) <= epochs {
        halvings += 1;
        power = power.saturating_mul(factor);
    }
    let rung = |k: u32| Rung {
        trials: (trials / factor.pow(k)).max(1),
        share: 1.0 / factor.pow(halvings - k) as f64,
    };
    (0..=halvings).map(rung).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(halving: (usize, usize, Option<usize>, usize), expected: &[(usize, usize)]) {
        let (trials, epochs, factor, least) = halving;
        let found: Vec<(usize, usize)> = rungs(trials, epochs, factor, least)
            .iter()
            .map(|rung| (rung.trials, (epochs as f64 * rung.share).ceil() as usize))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn rungs_are_those_of_successive_halving() {
        // Table 1 of Li et al. (2018): η = 3, R = 81, bracket s = 4.
        check((81, 81, Some(3), 1), &[(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]);
        check((10, 81, Some(3), 1), &[(10, 9), (3, 27), (1, 81)]);
        check((20, 30, Some(3), 5), &[(20, 10), (6, 30)]);
        check((20, 30, Some(2), 1), &[(20, 2), (10, 4), (5, 8), (2, 15), (1, 30)]);
        check((20, 2, Some(3), 1), &[(20, 2)]);
        check((2, 100, Some(3), 1), &[(2, 100)]);
        check((20, 30, None, 1), &[(20, 30)]);
    }
}
