//! Pictures of the kernels of the first layer: the signals to which each unit or filter responds.

use std::path::Path;

use super::colour::{Colour, FAINT, GRID, WHITE, blend, line, signed};
use super::ink::fitted;
use super::save;
use super::scene::{Anchor, Point, SMALL, Scene, Stroke, TEXT};
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;

const WIDTH: f64 = 800.0;
/// The maximum number of kernels.
const MOST: usize = 48;
/// Kernels with more steps are drawn as a band.
const MANY: usize = 300;

impl<F: Scalar> Sequential<F> {
    /// Draws the kernels of the first layer that has one to an `.svg` or `.png` file.
    ///
    /// Each kernel is drawn as the signal to which its unit or filter responds most, all at the same scale; of more
    /// than 48 kernels, those with the largest weights are drawn.
    ///
    /// A kernel of a dense layer has one weight per input, that of a convolution one per step and a line per channel.
    /// A kernel of more than 300 steps is drawn as a band from the minimum to the maximum of every few steps, with
    /// their mean. Two-dimensional kernels are drawn as cells, blue below 0 and vermillion above, summed over
    /// channels.
    ///
    /// # Errors
    /// [`Error::NotBuilt`]; [`Error::Unknown`] if no layer has a kernel;
    /// [`FileError::Extension`](crate::error::FileError::Extension), [`FileError::Io`](crate::error::FileError::Io).
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().seed(1).input([100, 1]).add(Conv1D::new(8, 9)).add(Flatten::new());
    /// model.build()?;
    /// let path = std::env::temp_dir().join("cornu-example-kernels.svg");
    /// model.plot_kernels(&path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("<svg")));
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn plot_kernels(&self, path: impl AsRef<Path>) -> Result<()> {
        let weights = self.weights()?;
        let is_kernel = |(path, weight): &&(String, ndarray::ArrayViewD<F>)| {
            path.ends_with("kernel") && (2..=4).contains(&weight.ndim()) && !weight.is_empty()
        };
        let Some((name, kernel)) = weights.iter().find(is_kernel) else {
            let known = weights.iter().map(|(path, _)| path.clone()).collect();
            return Err(Error::Unknown { what: "weight", name: "kernel".into(), known });
        };
        let values: Vec<f64> = kernel.iter().map(|w| w.as_f64()).collect();
        save(path.as_ref(), &scene(name, &values, kernel.shape()))
    }
}

fn scene(name: &str, values: &[f64], shape: &[usize]) -> Scene {
    let filters = shape.last().copied().unwrap_or(1);
    let of = |filter: usize| -> Vec<f64> { values.iter().skip(filter).step_by(filters).copied().collect() };
    let strength = |filter: usize| of(filter).iter().map(|w| w * w).sum::<f64>();
    let mut shown: Vec<usize> = (0..filters).collect();
    if filters > MOST {
        shown.sort_by(|a, b| strength(*b).total_cmp(&strength(*a)));
        shown.truncate(MOST);
        shown.sort_unstable();
    }
    let columns = shown.len().min(if shown.len() > 12 { 6 } else { 4 });
    let side = (WIDTH - 20.0) / columns as f64;
    let is_image = shape.len() == 4;
    let cell = if is_image { side.min(160.0) } else { 116.0 };
    let rows = shown.len().div_ceil(columns);
    let mut scene = Scene::new("Kernels of the first layer", (WIDTH, 62.0 + cell * rows as f64 + 8.0));
    let largest = values.iter().fold(f64::MIN_POSITIVE, |most, w| most.max(w.abs()));
    let few =
        if shown.len() < filters { format!(", the largest {} of them", shown.len()) } else { String::new() };
    let title = format!("{}: {filters} kernels{few}", fitted(name, TEXT, 400.0));
    scene.text((WIDTH / 2.0, 18.0), title, TEXT, Anchor::Middle);
    let scale =
        format!("weights from −{largest:.3} to {largest:.3} in each, 0 in the middle; {}", axis(shape));
    scene.coloured((WIDTH / 2.0, 42.0), scale, SMALL, Anchor::Middle, FAINT);
    for (place, filter) in shown.iter().enumerate() {
        let left = 10.0 + side * (place % columns) as f64;
        let top = 58.0 + cell * (place / columns) as f64;
        let (from, to) = ((left + 4.0, top + 20.0), (left + side - 4.0, top + cell - 6.0));
        scene.coloured((left + 6.0, top + 9.0), format!("{filter}"), SMALL, Anchor::Start, FAINT);
        match *shape {
            [rows, columns, channels, _] => {
                cells(&mut scene, &of(*filter), [rows, columns, channels], largest, from, to)
            }
            [_, channels, _] => lines(&mut scene, &of(*filter), channels, largest, from, to),
            _ => lines(&mut scene, &of(*filter), 1, largest, from, to),
        }
        scene.outline(from, to, Stroke::new(GRID, 1.0));
    }
    scene
}

/// The label of the steps of a kernel.
fn axis(shape: &[usize]) -> String {
    match *shape {
        [inputs, _] => format!("inputs 0 to {} from the left", inputs - 1),
        [steps, channels, _] if channels > 1 => format!("{steps} steps from the left, {channels} channels"),
        [steps, ..] if shape.len() == 3 => format!("{steps} steps from the left"),
        _ => "blue below 0, vermillion above".into(),
    }
}

fn lines(scene: &mut Scene, weights: &[f64], channels: usize, largest: f64, from: Point, to: Point) {
    let middle = (from.1 + to.1) / 2.0;
    scene.line(vec![(from.0, middle), (to.0, middle)], Stroke::new(GRID, 1.0));
    let steps = weights.len() / channels.max(1);
    for channel in 0..channels.min(7) {
        let signal: Vec<f64> = weights.iter().skip(channel).step_by(channels).copied().collect();
        let place = |(step, weight): (usize, &f64)| {
            let share = if steps > 1 { step as f64 / (steps - 1) as f64 } else { 0.5 };
            (from.0 + 2.0 + share * (to.0 - from.0 - 4.0), middle - weight / largest * (to.1 - from.1) * 0.47)
        };
        let points: Vec<Point> =
            signal.iter().enumerate().map(place).filter(|point| point.1.is_finite()).collect();
        let colour = line(channel).0;
        if steps > MANY {
            envelope(scene, &points, colour);
            continue;
        }
        if steps <= 16 {
            points.iter().for_each(|point| scene.dot(*point, 2.2, colour));
        }
        scene.line(points, Stroke::new(colour, 1.6));
    }
}

/// Draws a band from the minimum to the maximum of every few steps, and a line through their means, for kernels with
/// too many steps to draw.
fn envelope(scene: &mut Scene, points: &[Point], colour: Colour) {
    let few = points.len().div_ceil(MANY / 3).max(1);
    let mut means = Vec::new();
    let (mut upper, mut lower) = (Vec::new(), Vec::new());
    for part in points.chunks(few) {
        let middle = part.iter().map(|point| point.0).sum::<f64>() / part.len() as f64;
        let heights = || part.iter().map(|point| point.1);
        means.push((middle, heights().sum::<f64>() / part.len() as f64));
        upper.push((middle, heights().fold(f64::INFINITY, f64::min)));
        lower.push((middle, heights().fold(f64::NEG_INFINITY, f64::max)));
    }
    upper.extend(lower.into_iter().rev());
    scene.area(upper, blend(WHITE, colour, 0.28));
    scene.line(means, Stroke::new(colour, 1.4));
}

fn cells(
    scene: &mut Scene,
    weights: &[f64],
    [rows, columns, channels]: [usize; 3],
    largest: f64,
    from: Point,
    to: Point,
) {
    let side = ((to.0 - from.0) / columns as f64, (to.1 - from.1) / rows as f64);
    for (place, cell) in weights.chunks(channels.max(1)).enumerate() {
        let (x, y) = (from.0 + side.0 * (place % columns) as f64, from.1 + side.1 * (place / columns) as f64);
        scene.rect((x, y), (x + side.0, y + side.1), signed(cell.iter().sum::<f64>() / largest));
    }
}
