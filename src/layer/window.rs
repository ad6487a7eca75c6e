//! Sliding windows over a sequence or an image: their positions, the cells they cover, and the size of the output.
//!
//! Along an axis of `n` cells, a window of `k` taps with dilation `d` covers `e = (k − 1)·d + 1` cells and moves by
//! stride `s`. There are `⌊(n − e)/s⌋ + 1` positions without padding, and `⌈n/s⌉` otherwise.

use std::ops::Range;

use crate::config::words;
use crate::error::{Error, ExpectedAxis, ExpectedShape, Result};
use crate::layer::check::{check_positive, wrong_shape};
use crate::layer::strided_copy::check_size;
use crate::scalar::Scalar;

/// The padding of a sliding window at the ends of its input.
///
/// | variant | output length | zeros before and after |
/// |---|---|---|
/// | `Valid` | `⌊(n − e)/s⌋ + 1`, with `e = (k − 1)·d + 1` | none |
/// | `Same` | `⌈n/s⌉` | `p = max((⌈n/s⌉ − 1)·s + e − n, 0)`: `⌊p/2⌋` before, the rest after |
/// | `Causal` | `⌈n/s⌉` | `(k − 1)·d` before: no output sees a later input |
///
/// Pooling ignores the padding: its windows are cut off at the ends.
///
/// # Example
/// ```
/// use cornu::layer::Padding;
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([100, 2]).add(Conv1D::new(8, 5).padding(Padding::Same));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[100, 8][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Padding {
    /// No padding: windows lie within the input.
    #[default]
    Valid,
    /// As many positions as cells, for stride 1.
    Same,
    /// Like `Same`, with all zeros before; only for `Conv1D`.
    Causal,
}

/// The settings of a window over `D` axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sliding<const D: usize> {
    pub(super) size: [usize; D],
    pub(super) strides: [usize; D],
    pub(super) dilation: [usize; D],
    pub(super) padding: Padding,
    /// The name of `size` in errors.
    pub(super) what: &'static str,
}

/// A window fitted to its input: rows and columns; a sequence is one row.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) channels: usize,
    input: [usize; 2],
    size: [usize; 2],
    strides: [usize; 2],
    dilation: [usize; 2],
    before: [usize; 2],
    output: [usize; 2],
}

/// A run of a window at one position: where it starts in the output, window and input, and its length.
pub(super) struct Stretch {
    pub(super) place: usize,
    pub(super) tap: usize,
    pub(super) cell: usize,
    pub(super) len: usize,
}

impl<const D: usize> Sliding<D> {
    /// The window of a new kernel: it moves by 1, and its taps are neighbours.
    pub(super) fn of_kernel(size: [usize; D]) -> Self {
        let (strides, dilation) = ([1; D], [1; D]);
        Sliding { size, strides, dilation, padding: Padding::Valid, what: "kernel_size" }
    }

    fn check_positive(&self) -> Result<()> {
        (0..D).try_for_each(|axis| {
            let (size, strides, dilation) = (self.size[axis], self.strides[axis], self.dilation[axis]);
            check_positive(&[(self.what, size), ("strides", strides), ("dilation_rate", dilation)])
        })
    }

    /// Refuses strides and dilation both above 1.
    pub(super) fn check_dilation(&self) -> Result<()> {
        if self.strides.iter().all(|&s| s <= 1) || self.dilation.iter().all(|&d| d <= 1) {
            return Ok(());
        }
        let found = format!("strides {:?} and dilation_rate {:?}", self.strides, self.dilation);
        Err(Error::argument("dilation_rate", "1 if strides are above 1", found))
    }

    /// Refuses causal padding.
    pub(super) fn check_not_causal(&self) -> Result<()> {
        match self.padding {
            Padding::Causal => Err(Error::argument("padding", "Valid or Same", "Causal")),
            _ => Ok(()),
        }
    }

    /// The number of cells that the window covers along an axis. Refuses a window that does not fit in the address space
    /// together with an input of `n` cells.
    fn covered(&self, axis: usize, n: usize) -> Result<usize> {
        let (k, d) = (self.size[axis], self.dilation[axis]);
        let most = (isize::MAX as usize).saturating_sub(n);
        match (k - 1).checked_mul(d) {
            Some(steps) if steps < most => Ok(steps + 1),
            _ if d > 1 => Err(Error::argument("dilation_rate", format!("at most {}", most / k), d)),
            _ => Err(Error::argument(self.what, format!("at most {most}"), k)),
        }
    }

    /// Fits the window to samples of this shape.
    pub(super) fn over(&self, input: &[usize]) -> Result<Window> {
        let channels = channels::<D>(input)?;
        self.check_positive()?;
        if D > 1 && self.padding == Padding::Causal {
            return Err(Error::argument("padding", "Valid or Same in two dimensions", "Causal"));
        }
        let (mut before, mut output) = ([0; D], [0; D]);
        for axis in 0..D {
            let (n, s) = (input[axis], self.strides[axis]);
            let covered = self.covered(axis, n)?;
            (before[axis], output[axis]) = match self.padding {
                Padding::Valid if covered > n => {
                    let mut expected: Vec<_> =
                        axis_names::<D>().iter().copied().map(ExpectedAxis::Named).collect();
                    expected[axis] = ExpectedAxis::AtLeast { name: axis_names::<D>()[axis], length: covered };
                    return Err(wrong_shape(ExpectedShape::Axes(expected), input));
                }
                Padding::Valid => (0, (n - covered) / s + 1),
                Padding::Same => {
                    let out = n.div_ceil(s);
                    (((out - 1) * s + covered).saturating_sub(n) / 2, out)
                }
                Padding::Causal => (covered - 1, n.div_ceil(s)),
            };
        }
        Ok(Window {
            channels,
            input: two(1, &input[..D]),
            size: two(1, &self.size),
            strides: two(1, &self.strides),
            dilation: two(1, &self.dilation),
            before: two(0, &before),
            output: two(1, &output),
        })
    }
}

/// The window of a transposed convolution: its cells are the outputs, and its positions the inputs.
impl<const D: usize> Sliding<D> {
    /// Fits the window to samples of this shape; `filters` is the number of channels of the output.
    ///
    /// An axis of `n` inputs has `(n − 1)·s + a` outputs. Windows start `⌊(e − a)/2⌋` cells before the first output.
    pub(super) fn transposed(
        &self,
        input: &[usize],
        filters: usize,
        output_padding: Option<[usize; D]>,
    ) -> Result<Window> {
        channels::<D>(input)?;
        self.check_positive()?;
        self.check_dilation()?;
        self.check_not_causal()?;
        if let Some(added) = output_padding
            && added.iter().zip(&self.strides).any(|(added, stride)| added >= stride)
        {
            let expected = format!("below the strides {:?}", self.strides);
            return Err(Error::argument("output_padding", expected, format!("{added:?}")));
        }
        let (mut before, mut output) = ([0; D], [0; D]);
        for axis in 0..D {
            let (n, s) = (input[axis], self.strides[axis]);
            let covered = self.covered(axis, n)?;
            let added = match (self.padding, output_padding.map(|added| added[axis])) {
                (Padding::Same, None) => s,
                (Padding::Same, Some(added)) => covered % 2 + added,
                (_, None) => covered.max(s),
                (_, Some(added)) => covered.saturating_add(added),
            };
            let length = (n - 1).checked_mul(s).and_then(|start| start.checked_add(added));
            let Some(length) = length.filter(|&length| length <= isize::MAX as usize - covered) else {
                let most = (isize::MAX as usize - covered) / (n + 1);
                return Err(Error::argument("strides", format!("at most {most}"), s));
            };
            if length == 0 {
                let expected = "at least 1 for one input and a kernel that covers an even number of outputs";
                return Err(Error::argument("output_padding", expected, 0));
            }
            (before[axis], output[axis]) = (covered.saturating_sub(added) / 2, length);
        }
        check_size(&[&output[..], &[filters]].concat())?;
        Ok(Window {
            channels: filters,
            input: two(1, &output),
            size: two(1, &self.size),
            strides: two(1, &self.strides),
            dilation: two(1, &self.dilation),
            before: two(0, &before),
            output: two(1, &input[..D]),
        })
    }
}

/// The channels of a sequence (`D` = 1) or an image (`D` = 2); refuses another shape.
pub(super) fn channels<const D: usize>(input: &[usize]) -> Result<usize> {
    if input.len() != D + 1 || input.contains(&0) {
        return Err(wrong_shape(ExpectedShape::named(axis_names::<D>()), input));
    }
    Ok(input[D])
}

/// The names of the axes of a sequence (`D` = 1) or an image (`D` = 2).
pub(super) fn axis_names<const D: usize>() -> &'static [&'static str] {
    if D == 1 { &["steps", "channels"] } else { &["height", "width", "channels"] }
}

/// Returns one or two numbers as two.
fn two(first: usize, values: &[usize]) -> [usize; 2] {
    match *values {
        [a, b] => [a, b],
        [a] => [first, a],
        _ => [first; 2],
    }
}

impl Window {
    /// The number of positions.
    pub(super) fn places(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// The number of cells.
    pub(super) fn cells(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// The number of taps.
    pub(super) fn taps(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The shape of an output with this number of channels, over `axes` axes.
    pub(super) fn output_shape(&self, axes: usize, channels: usize) -> Vec<usize> {
        [&self.output[2 - axes..], &[channels]].concat()
    }

    /// The shape of the input, over `axes` axes.
    pub(super) fn input_shape(&self, axes: usize) -> Vec<usize> {
        [&self.input[2 - axes..], &[self.channels]].concat()
    }

    /// Calls `f` with every run of contiguous cells within the input, position by position.
    #[inline(always)]
    pub(super) fn stretches(&self, mut f: impl FnMut(Stretch)) {
        (0..self.places()).for_each(|place| self.stretches_at(place, &mut f));
    }

    /// The same at one position.
    #[inline(always)]
    pub(super) fn stretches_at(&self, place: usize, mut f: impl FnMut(Stretch)) {
        let [rows, cols] = self.input;
        let (y, x) = (place / self.output[1], place % self.output[1]);
        for tap_y in 0..self.size[0] {
            let Some(row) = self.cell(0, y, tap_y).filter(|&row| row < rows) else { continue };
            let (tap, first) = (tap_y * self.size[1], row * cols);
            // Undilated taps are one run. `f` is called in one place, so that it is inlined.
            let together = self.dilation[1] == 1;
            for tap_x in 0..if together { 1 } else { self.size[1] } {
                let taps = if together { self.columns(x) } else { tap_x..tap_x + 1 };
                let Some(col) = self.cell(1, x, taps.start).filter(|&col| col < cols) else { continue };
                if !taps.is_empty() {
                    f(Stretch { place, tap: tap + taps.start, cell: first + col, len: taps.len() });
                }
            }
        }
    }

    /// The taps along the second axis that lie within the input, for an undilated window at `x`.
    #[inline(always)]
    fn columns(&self, x: usize) -> Range<usize> {
        let start = x * self.strides[1];
        let from = self.before[1].saturating_sub(start).min(self.size[1]);
        let to = (self.input[1] + self.before[1]).saturating_sub(start).min(self.size[1]);
        from..to.max(from)
    }

    /// The cell along an axis under a tap.
    #[inline(always)]
    fn cell(&self, axis: usize, place: usize, tap: usize) -> Option<usize> {
        (place * self.strides[axis] + tap * self.dilation[axis]).checked_sub(self.before[axis])
    }

    /// Returns whether the window at this position reaches beyond the ends.
    fn sees_beyond(&self, place: usize) -> bool {
        let at = [place / self.output[1], place % self.output[1]];
        (0..2).any(|axis| {
            let start = at[axis] * self.strides[axis];
            let end = start + (self.size[axis] - 1) * self.dilation[axis];
            start < self.before[axis] || end >= self.before[axis] + self.input[axis]
        })
    }

    /// Writes what the window covers at each position, for these channels: rows of `taps × channels`.
    pub(super) fn unfold<F: Scalar>(&self, x: &[F], channels: Range<usize>, to: &mut [F]) {
        let (all, some) = (self.channels, channels.len());
        let width = self.taps() * some;
        for (place, row) in to.chunks_exact_mut(width).take(self.places()).enumerate() {
            if self.sees_beyond(place) {
                row.fill(F::zero());
            }
        }
        self.stretches(|s| {
            let to = &mut to[s.place * width + s.tap * some..][..s.len * some];
            if some == all {
                let from = &x[s.cell * all..][..to.len()];
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            } else {
                let from = x[s.cell * all..].chunks_exact(all);
                to.chunks_exact_mut(some)
                    .zip(from)
                    .for_each(|(to, from)| to.copy_from_slice(&from[channels.clone()]));
            }
        });
    }

    /// Adds the rows of [`Window::unfold`] back to the cells from which they came.
    pub(super) fn fold<F: Scalar>(&self, from: &[F], channels: Range<usize>, x: &mut [F]) {
        let (all, some) = (self.channels, channels.len());
        let width = self.taps() * some;
        self.stretches(|s| {
            let from = &from[s.place * width + s.tap * some..][..s.len * some];
            if some == all {
                let x = &mut x[s.cell * all..][..from.len()];
                x.iter_mut().zip(from).for_each(|(x, from)| *x += *from);
            } else {
                let x = x[s.cell * all..].chunks_exact_mut(all);
                for (x, from) in x.zip(from.chunks_exact(some)) {
                    x[channels.clone()].iter_mut().zip(from).for_each(|(x, from)| *x += *from);
                }
            }
        });
    }
}

words!(Padding, "valid, same or causal" {
    "valid" => Padding::Valid,
    "same" => Padding::Same,
    "causal" => Padding::Causal,
});

#[cfg(test)]
mod tests {
    use super::*;

    fn sliding(k: usize, s: usize, d: usize, padding: Padding) -> Sliding<1> {
        Sliding { size: [k], strides: [s], dilation: [d], padding, what: "kernel_size" }
    }

    #[test]
    fn window_positions_and_padding_agree_with_keras() {
        // n, k, stride, dilation: output length, zeros before, zeros after.
        for (n, k, s, d, out, left, right) in [
            (5, 3, 1, 1, 5, 1, 1),
            (5, 3, 2, 1, 3, 1, 1),
            (6, 3, 2, 1, 3, 0, 1),
            (6, 4, 1, 1, 6, 1, 2),
            (7, 3, 3, 1, 3, 1, 1),
            (6, 3, 1, 2, 6, 2, 2),
        ] {
            let window = sliding(k, s, d, Padding::Same).over(&[n, 1]).unwrap();
            let reach = (out - 1) * s + (k - 1) * d + 1;
            assert_eq!((window.output[1], window.before[1], reach - n - left), (out, left, right));
        }
        let causal = sliding(3, 2, 1, Padding::Causal).over(&[6, 1]).unwrap();
        assert_eq!((causal.output[1], causal.before[1]), (3, 2));
        assert_eq!(sliding(3, 2, 1, Padding::Valid).over(&[6, 1]).unwrap().output[1], 2);
    }

    #[test]
    fn transposed_windows_agree_with_keras() {
        use Padding::{Same, Valid};
        // n, k, stride, dilation, padding, output padding: output length, cells before.
        for (n, k, s, d, padding, added, length, before) in [
            (4, 3, 2, 1, Valid, None, 9, 0),
            (4, 2, 3, 1, Valid, None, 12, 0),
            (4, 3, 2, 1, Valid, Some(1), 10, 0),
            (4, 3, 1, 2, Valid, None, 8, 0),
            (4, 3, 2, 1, Same, None, 8, 0),
            (4, 5, 2, 1, Same, None, 8, 1),
            (4, 4, 1, 1, Same, None, 4, 1),
            (4, 2, 3, 1, Same, None, 12, 0),
            (4, 3, 1, 2, Same, None, 4, 2),
            (4, 3, 2, 1, Same, Some(0), 7, 1),
            (4, 3, 2, 1, Same, Some(1), 8, 0),
            (4, 4, 3, 1, Same, Some(0), 9, 2),
            (4, 4, 3, 1, Same, Some(2), 11, 1),
            (4, 1, 3, 1, Same, Some(2), 12, 0),
        ] {
            let window =
                sliding(k, s, d, padding).transposed(&[n, 1], 1, added.map(|added| [added])).unwrap();
            let found = (window.input[1], window.before[1], window.output[1]);
            assert_eq!(found, (length, before, n), "{n} {k} {s} {d} {padding:?} {added:?}");
        }
    }

    #[test]
    fn folding_ones_counts_the_windows_over_each_cell() {
        for (s, d, padding) in [(1, 1, Padding::Valid), (2, 1, Padding::Same), (1, 2, Padding::Causal)] {
            let window = sliding(3, s, d, padding).over(&[7, 2]).unwrap();
            let x: Vec<f64> = (0..14).map(f64::from).collect();
            let mut rows = vec![0.0; window.places() * 6];
            window.unfold(&x, 0..2, &mut rows);
            let (mut back, mut count) = (vec![0.0; 14], vec![0.0; 14]);
            window.fold(&rows, 0..2, &mut back);
            window.fold(&vec![1.0; rows.len()], 0..2, &mut count);
            assert!(back.iter().zip(&x).zip(&count).all(|((back, x), count)| *back == x * count));
        }
    }
}
