//! The range of an axis, and the positions of its ticks.

/// The range of an axis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AxisScale {
    low: f64,
    high: f64,
    /// Whether the scale is logarithmic.
    log: bool,
    /// Whether only integers have ticks.
    whole: bool,
}

impl AxisScale {
    /// A linear scale from `low` to a larger `high`.
    pub(crate) fn new(low: f64, high: f64) -> Self {
        AxisScale { low, high, log: false, whole: false }
    }

    /// A scale of counts, with half a unit added on both sides if there is only one value.
    pub(crate) fn whole(low: f64, high: f64) -> Self {
        let room = if low == high { 0.5 } else { 0.0 };
        AxisScale { whole: true, ..AxisScale::new(low - room, high + room) }
    }

    /// A scale of these values with some margin; logarithmic if they are positive and span more than three decades.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let finite = values.filter(|value| value.is_finite() && value.abs() < 1e300);
        let (low, high) =
            finite.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return AxisScale::new(0.0, 1.0);
        }
        if low > 0.0 && high / low > 1e3 {
            return AxisScale { log: true, ..AxisScale::new(low / 1.2, high * 1.2) };
        }
        let room = match high - low {
            // One value, or values that differ only by rounding.
            range if range <= 1e-9 * low.abs().max(high.abs()) => match high {
                0.0 => 1e-3,
                high => 0.1 * high.abs(),
            },
            range => 0.06 * range,
        };
        AxisScale::new(low - room, high + room)
    }

    /// A scale of these values with a small margin, for a line that spans the whole width; logarithmic if they are
    /// positive and either `log` is set or they span more than three decades.
    #[cfg(feature = "plot")]
    pub(crate) fn closely(values: impl Iterator<Item = f64> + Clone, log: bool) -> Self {
        let scale = AxisScale::of(values.clone());
        let finite = || values.clone().filter(|value| value.is_finite());
        let (low, high) = (finite().fold(f64::MAX, f64::min), finite().fold(f64::MIN, f64::max));
        match log && low > 0.0 && low < high {
            _ if scale.log || low >= high => scale,
            true => AxisScale { log, ..AxisScale::new(low / 1.05, high * 1.05) },
            false => AxisScale { low: low - 0.01 * (high - low), high: high + 0.01 * (high - low), ..scale },
        }
    }

    /// Extends the scale to 0 if all values are positive and near 0, or if they hardly differ, so that a constant curve
    /// looks constant.
    pub(crate) fn with_zero(mut self) -> Self {
        let (low, high) = (self.low, self.high);
        let near = low > 0.0 && low < 0.5 * high || low < 0.0 && low > -0.1 * high;
        let still = low > 0.0 && high - low < 0.006 * high;
        if !self.log && (near || still) {
            self.low = 0.0;
            self.high += if still { 0.1 * high } else { 0.0 };
        }
        self
    }

    /// Adds space for a line of text above all values.
    pub(crate) fn with_head_room(mut self) -> Self {
        self.high = match self.log {
            true => self.high * (self.high / self.low).powf(0.15),
            false => self.high + 0.15 * (self.high - self.low),
        };
        self
    }

    pub(crate) fn is_log(&self) -> bool {
        self.log
    }

    /// The position of a value on the axis, from 0 to 1.
    pub(crate) fn place(&self, value: f64) -> f64 {
        match self.log {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }

    /// About `about` round numbers on the axis, with their labels.
    pub(crate) fn ticks(&self, about: usize) -> Vec<(f64, String)> {
        if self.log {
            let (first, last) = (self.low.log10().ceil() as i32, self.high.log10().floor() as i32);
            let every = ((last - first) / about.max(1) as i32 + 1).max(1);
            let powers = (first..=last).step_by(every as usize);
            return powers.map(|power| (10f64.powi(power), power_of_ten(power))).collect();
        }
        let rough = (self.high - self.low) / about.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|part| part * power);
        let mut step = step.into_iter().find(|step| *step >= rough).unwrap_or(rough);
        if self.whole {
            step = step.max(1.0);
        }
        let (first, last) =
            ((self.low / step - 1e-9).ceil() as i64, (self.high / step + 1e-9).floor() as i64);
        (first..=last).take(100).map(|i| i as f64 * step).map(|tick| (tick, written(tick, step))).collect()
    }
}

fn power_of_ten(power: i32) -> String {
    match power {
        -3..=4 => format!("{}", 10f64.powi(power)),
        _ => format!("1e{power}"),
    }
}

/// The label of a tick, with as many decimals as the distance `step` between ticks needs.
fn written(tick: f64, step: f64) -> String {
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    match tick.abs() {
        0.0 => "0".into(),
        size if size >= 1e6 || decimals > 5 => {
            let text = format!("{:.*e}", (size.log10() - step.log10()).round().max(0.0) as usize, tick);
            // Shortens `2.0e-5` to `2e-5`.
            text.replace(".0e", "e").replace('-', "−")
        }
        _ => format!("{tick:.decimals$}").replace('-', "−"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the ends of the scale of these values, and its ticks.
    #[track_caller]
    fn check(values: &[f64], ends: (f64, f64), ticks: &[&str]) {
        let scale = AxisScale::of(values.iter().copied()).with_zero();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
        assert!(near(scale.low, ends.0) && near(scale.high, ends.1), "{scale:?}");
        let found: Vec<String> = scale.ticks(4).into_iter().map(|(_, text)| text).collect();
        assert_eq!(found, ticks);
    }

    #[test]
    fn scales_contain_all_values_and_have_round_ticks() {
        check(&[0.0, 1.0], (0.0, 1.06), &["0", "0.5", "1.0"]);
        check(&[10.0, 12.0], (9.88, 12.12), &["10", "11", "12"]);
        check(&[-3.0, 5.0, f64::NAN], (-3.48, 5.48), &["0", "5"]);
        check(&[], (0.0, 1.0), &["0", "0.5", "1.0"]);
        check(&[12.8945, 12.8948], (0.0, 14.1842998), &["0", "5", "10"]);
        check(&[2.0], (1.8, 2.2), &["1.8", "2.0", "2.2"]);
        check(&[1e-6, 1.0], (1e-6 / 1.2, 1.2), &["1e-6", "1e-4", "0.01", "1"]);
        check(&[1e7, 3e7], (0.0, 3.12e7), &["0", "1e7", "2e7", "3e7"]);
    }
}
