//! The statistics of a trial and the unchanged network, trained in pairs.

use super::trial::TrialResult;

/// The fewest and the most pairs on which a recommendation rests: more than the fewest are trained if the mean gain is positive
/// and may still be due to chance.
pub(super) const PAIRS: (usize, usize) = (3, 6);

/// The gain of a trial over the unchanged network: the difference of their skills, each from `floor`, which also stands for
/// a diverged training, to 1. Without skills, the difference of their losses as a share of their sum.
pub(super) fn gain(base: &TrialResult, end: &TrialResult, floor: f64) -> f64 {
    let has_skill = |result: &TrialResult| result.loss.is_none() || result.skill.is_some();
    let skill = |result: &TrialResult| match result.loss {
        None => floor,
        Some(_) => result.skill.unwrap_or(0.0).clamp(floor, 1.0),
    };
    match (base.loss, end.loss) {
        _ if has_skill(base) && has_skill(end) => skill(end) - skill(base),
        (None, None) => 0.0,
        (None, Some(_)) => 1.0,
        (Some(_), None) => -1.0,
        (Some(base), Some(end)) if base == end => 0.0,
        (Some(base), Some(end)) => (base - end) / (base.abs() + end.abs()),
    }
}

/// The mean of the numbers.
pub(super) fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The 90 % confidence interval of the mean by Student's t distribution; `None` for fewer than two numbers.
pub(super) fn interval(numbers: &[f64]) -> Option<(f64, f64)> {
    // The 95th percentiles for 1 to 5 degrees of freedom.
    const T: [f64; 5] = [6.314, 2.920, 2.353, 2.132, 2.015];
    let t = T[numbers.len().checked_sub(2)?.min(T.len() - 1)];
    let (mean, count) = (mean(numbers), numbers.len() as f64);
    let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0);
    let half = t * (variance / count).sqrt();
    Some((mean - half, mean + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_student() {
        assert_eq!(interval(&[0.5]), None);
        let (low, high) = interval(&[0.1, 0.2, 0.3]).unwrap();
        // 0.2 ± 2.920·0.1/√3
        assert!((low - 0.03141).abs() < 1e-4 && (high - 0.36859).abs() < 1e-4, "{low} {high}");
    }

    #[test]
    fn gains_compare_skills_or_losses() {
        let end = |loss, skill| TrialResult { loss, skill, ..TrialResult::default() };
        assert_eq!(gain(&end(Some(2.0), Some(0.0)), &end(Some(1.0), Some(0.5)), 0.0), 0.5);
        assert_eq!(gain(&end(None, None), &end(Some(1.0), Some(0.5)), -1.0), 1.5);
        assert_eq!(gain(&end(Some(1.0), Some(0.5)), &end(None, None), 0.0), -0.5);
        assert_eq!(gain(&end(Some(3.0), None), &end(Some(1.0), None), 0.0), 0.5);
        assert_eq!(gain(&end(None, None), &end(None, None), -1.0), 0.0);
    }
}
