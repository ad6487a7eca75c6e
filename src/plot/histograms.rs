//! Pictures of histograms over the epochs, one panel per parameter and layer.

use std::path::Path;

use super::axes::{Axes, ChartAxis};
use super::colour::{FAINT, shade};
use super::ink::fitted;
use super::save;
use super::scene::{Anchor, Point, SMALL, Scene, TEXT};
use crate::axis::AxisScale;
use crate::callback::{Counted, HistogramSeries, Histograms};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 176.0;
/// The maximum number of panels each for weights, gradients and activations.
const MOST: usize = 12;
/// The maximum number of epochs; of more, a selection is shown.
const COLUMNS: usize = 50;
/// The number of shades that can be distinguished.
const SHADES: f64 = 12.0;

impl<F: Scalar> Histograms<'_, F> {
    /// Draws the histograms to an `.svg` or `.png` file, one panel per parameter and layer.
    ///
    /// Each epoch is a vertical strip, darker where more values are. At most 12 panels each of weights, gradients and
    /// activations are drawn.
    ///
    /// # Errors
    /// [`Error::Empty`] if nothing was recorded; [`FileError::Extension`](crate::error::FileError::Extension),
    /// [`FileError::Io`](crate::error::FileError::Io).
    ///
    /// # Example
    /// ```
    /// use cornu::callback::Histograms;
    /// use cornu::prelude::*;
    /// let x = ndarray::array![[0.0], [0.5], [1.0], [1.5]];
    /// let mut model = Sequential::new().seed(1).add(Dense::new(4)).add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let mut histograms = Histograms::new().activations(&x);
    /// model.fit(&x, &x, &Fit::new().epochs(9).callback(&mut histograms).verbose(Verbose::Silent))?;
    /// let path = std::env::temp_dir().join("cornu-example-histograms.svg");
    /// histograms.plot(&path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("<svg")));
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<()> {
        if self.series().is_empty() {
            return Err(Error::Empty { argument: "histograms".into(), shape: vec![0] });
        }
        save(path.as_ref(), &scene(self.series()))
    }
}

fn scene(series: &[HistogramSeries]) -> Scene {
    let mut scene = Scene::new("Histograms over the epochs", (WIDTH, 0.0));
    let mut top = 4.0;
    for counted in [Counted::Weights, Counted::Gradients, Counted::Activations] {
        let all: Vec<&HistogramSeries> = series.iter().filter(|series| series.counted == counted).collect();
        if all.is_empty() {
            continue;
        }
        let more = all.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        scene.text((14.0, top + 14.0), format!("{counted}{more}"), TEXT + 2.0, Anchor::Start);
        top += 28.0;
        for (place, series) in all.iter().take(MOST).enumerate() {
            let left = 2.0 + (WIDTH / 2.0) * (place % 2) as f64;
            panel(&mut scene, series, (left, top + HEIGHT * (place / 2) as f64));
        }
        top += HEIGHT * all.len().min(MOST).div_ceil(2) as f64 + 8.0;
    }
    scene.size.1 = top;
    scene
}

fn panel(scene: &mut Scene, series: &HistogramSeries, (left, top): Point) {
    let every = series.epochs.len().div_ceil(COLUMNS).max(1);
    let shown: Vec<usize> = (0..series.epochs.len()).step_by(every).collect();
    let full =
        || series.histograms.iter().filter(|histogram| histogram.counts.iter().any(|count| *count > 0));
    let ends = full().flat_map(|histogram| [histogram.low, histogram.high]);
    // Each panel has its own linear range; a strip spans from its lowest to its highest value.
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    let y = match low <= high {
        true if high > low => AxisScale::new(low, high),
        true => AxisScale::of([low].into_iter()),
        false => AxisScale::new(0.0, 1.0),
    };
    let first = series.epochs.first().map_or(0, |epoch| epoch + 1) as f64;
    let last = series.epochs.last().map_or(0, |epoch| epoch + 1) as f64;
    // A strip reaches halfway to the next.
    let step =
        if shown.len() > 1 { (last - first) / (series.epochs.len() - 1) as f64 * every as f64 } else { 1.0 };
    let x = AxisScale::whole(first - step / 2.0, last + step / 2.0);
    let corner = (left + WIDTH / 2.0 - 4.0, top + HEIGHT);
    let (x, y) = (ChartAxis { name: "epoch", scale: x }, ChartAxis { name: "", scale: y });
    let axes = Axes::aligned(scene, (left, top + 22.0), corner, x, y, 52.0);
    let (from, to) = axes.corners();
    let lost: usize = series.histograms.iter().map(|histogram| histogram.not_finite).sum();
    let lost = if lost > 0 { format!(" ({lost} not finite)") } else { String::new() };
    let title = fitted(&format!("{}{lost}", series.name), SMALL, to.0 - from.0);
    scene.coloured((from.0, top + 11.0), title, SMALL, Anchor::Start, FAINT);
    for place in shown {
        let (epoch, histogram) = ((series.epochs[place] + 1) as f64, &series.histograms[place]);
        let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let (left, right) = (axes.at_x(epoch - step / 2.0), axes.at_x(epoch + step / 2.0));
        let right = right.min(to.0);
        let edge = |part: usize| {
            let parts = histogram.counts.len() as f64;
            axes.at(epoch, histogram.low + (histogram.high - histogram.low) * part as f64 / parts).1
        };
        let tone = |count: usize| ((count as f64 / most).sqrt() * SHADES).ceil() / SHADES;
        let tones: Vec<f64> = histogram.counts.iter().map(|count| tone(*count)).collect();
        let mut part = 0;
        for same in tones.chunk_by(|a, b| a == b) {
            let (lower, mut upper) = (edge(part), edge(part + same.len()));
            part += same.len();
            // Values that are all equal have no height.
            upper = upper.min(lower - 1.5);
            if same[0] > 0.0 {
                scene.rect((left, upper), (right, lower), shade(0.08 + 0.92 * same[0]));
            }
        }
    }
}
